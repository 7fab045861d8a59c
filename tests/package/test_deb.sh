#!/usr/bin/env bash
# The Debian packages, made from the build that the test belongs to: what they contain, need and say.
#     test_deb.sh FOLDER_OF_PROGRAMS
set -euo pipefail
# shellcheck source=tests/scripts/checks.sh
. "$(dirname "${BASH_SOURCE[0]}")/../scripts/checks.sh"

config=${1:?usage: test_deb.sh FOLDER_OF_PROGRAMS}/../CPackConfig.cmake
if [ ! -f "$config" ]; then
    printf 'a build for the GPU makes no packages: nothing to test\n'
    exit 0
fi
cd "$scratch"
run cpack -G DEB --config "$config" -B "$scratch"
expect "cpack makes the packages" exits_with 0
programs=$(echo residual_*.deb) library=$(echo libresidual-dev_*.deb)
expect "two of them" [ "$(find . -maxdepth 1 -name '*.deb' | wc -l)" = 2 ]
for package in residual libresidual-dev; do
    dpkg-deb --raw-extract "$package"_*.deb "$package"
done

field() { dpkg-deb --field "$1" "$2"; }
needs() { field "$1" Depends | grep -qwF -- "$2"; }
executable() { [ -x "residual/usr/bin/$1" ] && "residual/usr/bin/$1" --version >/dev/null; }
stripped() { ! readelf --sections --wide "residual/usr/bin/$1" | grep -qE ' \.(symtab|debug_info) '; }

expect "the name of the programs' package" [ "$(field "$programs" Package)" = residual ]
expect "the name of the library's package" [ "$(field "$library" Package)" = libresidual-dev ]
for file in "$programs" "$library"; do
    expect "$file: the version of the project" [ "$(field "$file" Version)" = \
        "$(sed -nE 's/^project\(.* VERSION ([0-9.]+) .*/\1-1/p' "$repository/CMakeLists.txt")" ]
    expect "$file: the architecture" [ "$(field "$file" Architecture)" = "$(dpkg --print-architecture)" ]
    expect "$file: a maintainer with an address" grep -qE '^.+ <.+@.+>$' <(field "$file" Maintainer)
    expect "$file: a description of several lines" [ "$(field "$file" Description | wc -l)" -gt 2 ]
    expect "$file: everything belongs to root" [ -z "$(dpkg-deb --contents "$file" | awk '$2 != "root/root"')" ]
done
expect "the sections" [ "$(field "$programs" Section) $(field "$library" Section)" = "science libdevel" ]

for program in resnet-train resnet-eval resnet-report resnet-predict resnet-export resnet-diagram draw-images; do
    expect "$program is packaged and runs" executable "$program"
    expect "$program is stripped" stripped "$program"
done
for dependency in libc6 libstdc++6 libgomp1 libfmt zlib1g libdnnl libonnx libprotobuf; do
    expect "the programs need $dependency, as dpkg-shlibdeps found" grep -qF "$dependency" <(field "$programs" Depends)
done
for dependency in g++ libdnnl-dev libfmt-dev zlib1g-dev; do
    expect "the library needs $dependency" needs "$library" "$dependency"
done
expect "the configurations are those of the repository" diff -r "$repository/configs" residual/usr/share/residual/configs
expect "the packaged download script runs" bash -c \
    '! bash residual/usr/share/residual/tools/get_cifar.sh 2>usage && grep -q "cifar10|cifar100" usage'
script=residual/usr/share/residual/tools/import_weights.py
run env PYTHONDONTWRITEBYTECODE= "$repository/build/python/bin/python" "$script" --help
expect "the packaged import_weights.py runs" exits_with 0
expect "and leaves no files" [ -z "$(find residual -name __pycache__)" ]
for file in include/residual/engine/nn/layers.h lib/cmake/residual/residual-config.cmake lib/pkgconfig/residual.pc \
    lib/libresidual-engine.a share/doc/libresidual-dev/examples/mlp.cpp; do
    expect "the library has $file" [ -f "libresidual-dev/usr/$file" ]
done
# broken_links FOLDER: the links of its documents that lead to no file.
broken_links() {
    local file target
    for file in "$1"/*.md; do
        for target in $(grep -ozE '\]\([^)#]+' "$file" | tr '\0' '\n' | cut -c 3- | grep -v '^https:'); do
            [ -e "$1/$target" ] || printf '%s: %s\n' "$file" "$target"
        done
    done
}
for file in programs.md checkpoints.md other-weights.md pytorch_model.py; do
    expect "the programs have $file" [ -f "residual/usr/share/doc/residual/$file" ]
done
for package in residual libresidual-dev; do
    doc=$package/usr/share/doc/$package
    expect "$package: every link of its documents leads to a file" [ -z "$(broken_links "$doc")" ]
    expect "$package has the licence" cmp "$repository/LICENSE" "$doc/copyright"
    expect "$package has the list of changes" cmp "$repository/docs/changelog.md" <(gzip --decompress --stdout "$doc/changelog.gz")
    expect "$package has Debian's list of changes" [ "$(gzip --decompress --stdout "$doc/changelog.Debian.gz" |
        dpkg-parsechangelog --file - --show-field Version)" = "$(field "$package"_*.deb Version)" ]
done
expect "no file is in both" [ -z "$(comm -12 <(cd residual && find usr -type f | sort) <(cd libresidual-dev && find usr -type f | sort))" ]
expect "no path of this machine is in the text files" [ -z "$(grep -rIlF "$repository" residual libresidual-dev)" ]

if command -v lintian >/dev/null; then
    run lintian --allow-root --fail-on error --tag-display-limit 0 ./*.deb
    expect "lintian finds no errors" exits_with 0
else
    printf 'lintian is not installed: its checks are skipped\n'
fi

report
