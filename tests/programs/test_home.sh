#!/usr/bin/env bash
# A leading ~ in every path that a program or script takes.
#     test_home.sh FOLDER_OF_PROGRAMS
# shellcheck disable=SC2088  # the tests pass ~ as it is
set -euo pipefail
bin=$(realpath "$1")
# shellcheck source=tests/scripts/checks.sh
. "$(dirname "${BASH_SOURCE[0]}")/../scripts/checks.sh"
cd "$scratch"
unset CIFAR10_DIR CIFAR100_DIR XDG_CACHE_HOME
mkdir home
export HOME=$scratch/home
config='~/c.json' missing='~/none'
printf '{"model": {"depth": 8}, "train": {"device": "cpu"}}' >home/c.json
printf '\x02\0\0\0\0\0\0\0{}' >home/empty.safetensors

# names WHAT COMMAND...: the command fails and names the expanded path $scratch/home/none.
names() {
    local what=$1
    shift
    refused "$what" "$HOME/none" timeout 60 "$@"
    expect "$what: not the path as it was given" silent_about "$missing"
}
names "a configuration" "$bin/resnet-train" "$missing"
names "--data" "$bin/resnet-train" "$config" --data "$missing" --out x
names "--data=" "$bin/resnet-train" "$config" "--data=$missing" --out x
names "--set data.dir" "$bin/resnet-train" "$config" --set "data.dir=$missing" --out x
names "--init" "$bin/resnet-train" "$config" --init "$missing" --out x
names "a checkpoint" "$bin/resnet-eval" "$missing"
names "--config of resnet-eval" "$bin/resnet-eval" home/empty.safetensors --config "$missing"
names "--logits" "$bin/resnet-eval" x --logits "$missing/x"
names "--write" "$bin/config-doc" --write "$missing"
names "a configuration of step-cost" "$bin/step-cost" "$config" "$missing"
names "a configuration of step-bench" "$bin/step-bench" "$missing"
names "a configuration of checkpoint-bench" "$bin/checkpoint-bench" "$missing"
CIFAR10_DIR=$missing names "CIFAR10_DIR" "$bin/resnet-train" "$config" --out x
printf '{"data": {"dir": "~/none"}}' >data.json
names "data.dir" "$bin/resnet-train" data.json --out x
mkdir home/folder
refused "--json" "$HOME/folder" "$bin/kernel-bench" --json '~/folder'
touch home/file
refused "a run folder" "$HOME/file" "$bin/resnet-train" "$config" --out='~/file' --resume
refused "a folder of images" "$HOME/file" "$bin/draw-images" '~/file'

refused "the home folder of another user" "--out: ~bob/x: ~ is expanded only in ~ and ~/..." \
    "$bin/resnet-train" "$config" --out=~bob/x
refused "the same in an override" "--set run.dir=~bob/x: /run/dir: ~bob/x: ~ is expanded only in ~ and ~/..." \
    "$bin/resnet-train" "$config" --set run.dir=~bob/x
refused "~ without HOME" "config: $config: ~ cannot be expanded because HOME is not set" \
    env -u HOME "$bin/resnet-train" "$config"
refused "a file named ~" "./~none: cannot be read: No such file" "$bin/resnet-train" ./~none

# ---- scripts
tools=$repository/tools
refused "quickstart.sh --data" "$HOME/none/data_batch_1.bin is missing" bash "$tools/quickstart.sh" --data "$missing"
refused "quickstart.sh --data, another user" "~bob/x: ~ is expanded only in" bash "$tools/quickstart.sh" --data=~bob/x
run env CIFAR10_URL=http://127.0.0.1:1/x bash "$tools/get_cifar.sh" cifar10 "$missing"
expect "get_cifar.sh" says "into $HOME/none"
refused "get_cifar.sh, another user" "~bob/x: ~ is expanded only in" bash "$tools/get_cifar.sh" cifar10 ~bob/x
run env CIFAR10_URL=http://127.0.0.1:1/x XDG_CACHE_HOME="$missing" bash "$tools/get_cifar.sh" cifar10
expect "XDG_CACHE_HOME" says "into $HOME/none/residual/cifar10"
expect "no folder is named ~" absent '~'

report
