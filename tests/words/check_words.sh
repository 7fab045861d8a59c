#!/usr/bin/env bash
# Fails on a word of words.txt in the text, the code or a file name below ROOT:
#     bash tests/words/check_words.sh ROOT
set -euo pipefail
list=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/words.txt
cd "${1:?usage: check_words.sh ROOT}"

# "path:line:text" of every line, and "path:0:path" of every file; then the same with identifiers split at capitals.
lines=$(
    find kernels engine models tools tests configs docs .ci CMakeLists.txt CMakePresets.json README.md -type f \
        ! -path '*/corpus/*' ! -path '*/regressions/*' ! -path 'tests/words/*' \
        -printf '%p:0:%p\n' -exec grep -nIH '' {} +
)
split=$(sed -E 's/([a-z0-9])([A-Z])/\1_\2/g' <<<"$lines")

found=0 words=0
while IFS=$'\t' read -r word replacement; do
    case "$word" in "" | "#"*) continue ;; esac
    words=$((words + 1))
    numbers=$(grep -niE "^[^:]*:[0-9]+:(.*[^[:alpha:]])?($word)([^[:alpha:]]|$)" <<<"$split" | cut -d: -f1 || true)
    if [ -n "$numbers" ]; then
        sed -n "${numbers//$'\n'/p;}p" <<<"$lines" | cut -c 1-160
        printf '    say instead: %s\n' "$replacement"
        found=1
    fi
done <"$list"
printf 'words: %d looked for\n' "$words"
[ "$found" = 0 ] && [ "$words" -gt 0 ]
