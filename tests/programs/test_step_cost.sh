#!/usr/bin/env bash
# step-cost: its counts and its errors.
#     test_step_cost.sh FOLDER_OF_PROGRAMS
set -euo pipefail
bin=$1
# shellcheck source=tests/scripts/checks.sh
. "$(dirname "${BASH_SOURCE[0]}")/../scripts/checks.sh"
cd "$repository"
equal() { [ "$1" = "$2" ]; }

run "$bin/step-cost" configs/resnet20.json configs/plain20.json
expect "it counts networks with a fused step" exits_with 0
row() { awk -v config="$1" '$1 == config { print $2, $3, $4 }' "$scratch/output"; }
expect "ResNet-20" equal "$(row configs/resnet20.json)" "31.0 435.5 57"
expect "Plain-20, which has no residuals" equal "$(row configs/plain20.json)" "31.0 349.5 55"

run "$bin/step-cost" --kernels configs/resnet20.json
expect "the kernels are listed" says 'stages.1.0.conv2 backward, shortcut'

run "$bin/step-cost" configs/wrn16-4.json
expect "a network without a fused step is refused" exits_with 2
expect "with the file and the layer" says 'wrn16-4.json: stages.0.0.conv1, a convolution from 16 to 64 channels'

run "$bin/step-cost" configs/cifar100_resnet20.json
expect "too many classes for the fused classifier are refused" exits_with 2
expect "with their number" says '100 classes'

report
