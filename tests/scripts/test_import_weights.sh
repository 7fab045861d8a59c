#!/usr/bin/env bash
# Weights from PyTorch: resnet-eval computes the logits of the PyTorch models that tools/import_weights.py converts.
#     test_import_weights.sh FOLDER_OF_PROGRAMS
set -euo pipefail
bin=$1
# shellcheck source=tests/scripts/checks.sh
. "$(dirname "${BASH_SOURCE[0]}")/checks.sh"
cd "$scratch"
unset CIFAR10_DIR

python=$repository/build/python/bin/python
if ! "$python" -c 'import numpy, safetensors, torch'; then
    printf 'FAILED: %s lacks numpy, safetensors or torch; bash tools/install.sh tests installs them\n' "$python"
    exit 1
fi
models() { run "$python" "$repository/tests/scripts/import_weights.py" "$@"; }
evaluate() { run "$bin/resnet-eval" "$@" --data data --device cpu; }

models make .
expect "PyTorch models are written" exits_with 0

# imported MODEL TITLE OPTION...: converts MODEL and evaluates it; the logits are compared below.
imported() {
    local file=$1 title=$2 name=${1%.*}
    shift 2
    run "$python" "$repository/tools/import_weights.py" "$file" "$name-ours.safetensors" "$@"
    expect "$file: converted" exits_with 0
    expect "$file: recognised" says "$file: $title, 10 classes; wrote $name-ours.safetensors and $name-ours.json"
    evaluate "$name-ours.safetensors" --config "$name-ours.json" --logits "$name.logits"
    expect "$file: evaluated" exits_with 0
    evaluated+=("$name")
}
evaluated=()
imported post-a.th "ResNet-20 (postact, shortcut subsample_zeropad)" --inputs imagenet
imported post-b.pth "ResNet-8 (postact, shortcut projection)" --inputs cifar10
imported pre.safetensors "WRN-10-1" --mean 0.5,0.25,0.75 --std 0.1,0.2,0.4
imported wide.npz "WRN-10-2" --inputs cifar10
imported pre-average.safetensors "ResNet-8 (preact, shortcut avgpool_zeropad)" --inputs cifar10 \
    --shortcut avgpool_zeropad --epsilon 1e-3

# A state dictionary with this project's names needs no conversion; the black training images have a mean of zero.
printf '{"model": {"depth": 8, "shortcut": "projection"}}' >own.json
evaluate own.safetensors --config own.json --logits own.logits
expect "a state dictionary with this project's names: evaluated" exits_with 0
models compare . "${evaluated[@]}" own
expect "the logits are those of PyTorch" exits_with 0
expect "the logits of the last model too" says "own: largest difference"

# -S hides the installed packages.
run "$python" -S "$repository/tools/import_weights.py" --help
expect "without its packages: exit 1" exits_with 1
expect "without its packages: the remedy" says "No module named 'numpy'; install numpy and safetensors"
models refusals "$(mktemp -d -p .)"
expect "what cannot be converted is refused" exits_with 0

# The programs say what to do with the files as they are.
refused "a file of torch.save" "post-b.pth: this is a PyTorch file, not a safetensors file; convert it with tools/import_weights.py" \
    "$bin/resnet-eval" post-b.pth --config post-b-ours.json --data data
refused "an old file of torch.save" "post-a.th: this is a PyTorch file" "$bin/resnet-eval" post-a.th
refused "a NumPy archive" "wide.npz: this is a NumPy archive, not a safetensors file; convert it with" "$bin/resnet-eval" wide.npz
refused "PyTorch's names" "pre.safetensors: the tensor stem.weight is missing; not part of this model: " \
    "$bin/resnet-eval" pre.safetensors --config own.json --data data
expect "PyTorch's names: the remedy" says "these are names of a PyTorch ResNet: convert the file with tools/import_weights.py"

report
