#!/usr/bin/env bash
# check_words.sh finds each word of its list in text, identifiers and file names, and nothing else.
set -euo pipefail
# shellcheck source=tests/scripts/checks.sh
. "$(dirname "${BASH_SOURCE[0]}")/../scripts/checks.sh"
tree=$scratch/tree
mkdir -p "$tree"/{kernels,engine,models,tools,tests,configs,docs,.ci}
touch "$tree"/{CMakeLists.txt,CMakePresets.json,README.md}
check() { run bash "$repository/tests/words/check_words.sh" "$tree"; }

printf 'The image is depicted, the estranger standing in.\n' >"$tree/README.md"
check
expect "a text without these words passes" exits_with 0

# found WHAT FILE TEXT REPLACEMENT: the check fails, and prints the place and the replacement.
found() {
    printf 'first line\n%s\n' "$3" >"$tree/$2"
    check
    expect "$1: it fails" exits_with 1
    expect "$1: the place" says "$2:2:"
    expect "$1: the replacement" says "say instead: $4"
    rm "$tree/$2"
}
found "text" docs/page.md "Two Pictures, side by side." image
found "a word with underscores" engine/a.h "int random_pictures = 0;" image
found "a word with capitals" engine/a.h "constexpr int kPictureBytes = 1;" image
found "two words in one identifier" kernels/a.h "struct HalfUnitShape {};" BN-ReLU-conv
found "a hyphen" tests/a.md "A stand-in for cuDNN." "test double"
found "a constant" kernels/a.cu "kProcessors" SMs

touch "$tree/tools/draw_pictures.cpp"
check
expect "a file name: it fails" exits_with 1
expect "a file name: the place" says tools/draw_pictures.cpp

report
