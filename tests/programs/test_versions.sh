#!/usr/bin/env bash
# The --version of every program.
#     test_versions.sh FOLDER_OF_PROGRAMS
set -euo pipefail
bin=$1
# shellcheck source=tests/scripts/checks.sh
. "$(dirname "${BASH_SOURCE[0]}")/../scripts/checks.sh"

for program in resnet-train resnet-eval resnet-report resnet-predict resnet-export resnet-diagram draw-images config-doc \
    kernel-bench step-bench step-cost checkpoint-bench cpu-peaks; do
    run "$bin/$program" --version
    expect "$program --version: exit 0" exits_with 0
    expect "$program --version: one line per part" [ "$(awk 'NF > 1 { print $1 }' "$scratch/output" | xargs)" = \
        "version commit compiler CUDA cuDNN oneDNN" ]
done

report
