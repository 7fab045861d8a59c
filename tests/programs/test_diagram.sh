#!/usr/bin/env bash
# resnet-diagram: its formats, errors and exit codes, and the diagram of ResNet-20 in docs/.
#     test_diagram.sh FOLDER_OF_PROGRAMS
set -euo pipefail
bin=$(realpath "$1")
# shellcheck source=tests/scripts/checks.sh
. "$(dirname "${BASH_SOURCE[0]}")/../scripts/checks.sh"
cd "$scratch"
run_folder=none
config=$repository/configs/resnet20.json
diagram() { run "$bin/resnet-diagram" "$@"; }

# ---- the diagram in docs/
diagram "$config"
expect "a diagram on standard output: exit 0" exits_with 0
expect "it is docs/resnet20.dot; if the change is right: resnet-diagram configs/resnet20.json -o docs/resnet20.dot, and -o docs/resnet20.svg" \
    cmp output "$repository/docs/resnet20.dot"
count() { grep -c "$1" "$2"; }
expect "docs/resnet20.svg has its nodes" \
    [ "$(count 'class="node"' "$repository/docs/resnet20.svg")" = "$(grep -cE '^ *(op|entry|exit|input|output|legend)[0-9]* \[' output)" ]
expect "docs/resnet20.svg has its edges" \
    [ "$(count 'class="edge"' "$repository/docs/resnet20.svg")" = "$(grep -c ' -> .*label=' output)" ]

# ---- files
for network in cifar100_resnet20 plain20 postact20 wrn16-4; do
    diagram "$repository/configs/$network.json" --fold-units -o $network.svg
    expect "$network as SVG: exit 0" exits_with 0
    expect "$network as SVG: the last unit is there" grep -q 'stages.2.' $network.svg
    expect "$network as SVG: it is complete" grep -q '</svg>' $network.svg
done
diagram "$config" -o a.dot
expect "a DOT file is what standard output gets" cmp a.dot "$repository/docs/resnet20.dot"
diagram "$config" --fold-units -o a.png
expect "a PNG file" grep -qa PNG a.png

# ---- Graphviz
mkdir empty
PATH=$scratch/empty run "$bin/resnet-diagram" "$config" -o b.svg
expect "without Graphviz: exit 2" exits_with 2
expect "without Graphviz: the remedy" says "install the package graphviz, or write the graph itself with -o FILE.dot"
PATH=$scratch/empty run "$bin/resnet-diagram" "$config" -o b.dot
expect "without Graphviz, DOT is written" exits_with 0
fake_program fake dot 'exit 3'
PATH=$scratch/fake:$PATH run "$bin/resnet-diagram" "$config" -o b.svg
expect "dot fails: exit 1" exits_with 1
expect "dot fails: the message" says "dot failed with exit status 3"
expect "dot fails: no file" absent b.svg

# ---- wrong input
refused "an unknown extension" "-o b.jpeg: the extension must be .svg, .pdf, .png or .dot" "$bin/resnet-diagram" "$config" -o b.jpeg
refused "a folder that does not exist" "-o none/b.svg: there is no folder none" "$bin/resnet-diagram" "$config" -o none/b.svg
refused "no such file" "none.json" "$bin/resnet-diagram" none.json
mkdir started
cp "$config" started/config.json
diagram started
expect "a run without checkpoints: exit 0" exits_with 0
expect "a run without checkpoints: the diagram" cmp output "$repository/docs/resnet20.dot"
refused "an empty folder" "holds no checkpoint" "$bin/resnet-diagram" empty
printf '{"model": {"depth": 9}}' >nine.json
refused "a depth that does not exist" "8 and 14" "$bin/resnet-diagram" nine.json
printf '\2\0\0\0\0\0\0\0{}' >weights.safetensors
refused "weights without a configuration" "give the configuration file instead" "$bin/resnet-diagram" weights.safetensors

report
