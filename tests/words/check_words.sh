#!/usr/bin/env bash
# Fails on a word of words.txt in the text, the code or a file name below ROOT:
#     bash tests/words/check_words.sh ROOT
set -euo pipefail
list=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/words.txt
cd "${1:?usage: check_words.sh ROOT}"

found=0 words=0
while IFS=$'\t' read -r word replacement; do
    case "$word" in "" | "#"*) continue ;; esac
    words=$((words + 1))
    # Identifiers count: their words are separated by underscores and capitals.
    places=$(
        grep -rnIiE "(^|[^[:alpha:]])($word)([^[:alpha:]]|$)" kernels engine models tools tests configs docs .ci \
            CMakeLists.txt CMakePresets.json README.md --exclude=words.txt --exclude-dir=corpus --exclude-dir=regressions |
            cut -c 1-160 || true
        find kernels engine models tools tests configs docs -print | grep -iE "(^|[^[:alpha:]])($word)([^[:alpha:]]|$)" || true
    )
    if [ -n "$places" ]; then
        printf '%s\n    say instead: %s\n' "$places" "$replacement"
        found=1
    fi
done <"$list"
printf 'words: %d looked for\n' "$words"
[ "$found" = 0 ] && [ "$words" -gt 0 ]
