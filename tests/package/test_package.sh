#!/usr/bin/env bash
# The library as other projects use it: installed and found by CMake and by pkg-config, with the folders that it was
# built in moved away; and as a subdirectory. Builds a copy of the repository, most of it from the compiler cache.
#     test_package.sh FOLDER_OF_PROGRAMS
set -euo pipefail
# shellcheck source=tests/scripts/checks.sh
. "$(dirname "${BASH_SOURCE[0]}")/../scripts/checks.sh"
# shellcheck source=tools/lib.sh
. "$repository/tools/lib.sh"

# What a project outside of the repository has: a copy of the example.
copy=$scratch/a\ copy
mkdir "$copy"
cd "$repository"
cp -r CMakeLists.txt CMakePresets.json LICENSE README.md kernels engine models tools configs docs "$copy"
cp -r docs/examples "$scratch/mlp"
cd "$copy"
use_ccache

# learns PROGRAM: it trains, and is right on nearly all points that it has not seen.
learns() {
    run "$1"
    [ "$status" = 0 ] && says "step 1000" && awk '/^test accuracy/ { found = $3 > 95 } END { exit !found }' "$scratch/output"
}

run cmake --preset cpu -DBUILD_TESTING=OFF
expect "a copy in a folder with a space is configured" exits_with 0
run cmake --build build/cpu --parallel "$(compile_jobs)"
expect "it is built" exits_with 0
run cmake --install build/cpu --prefix "$scratch/prefix"
expect "it is installed" exits_with 0
mv "$copy" "$scratch/moved"
cd "$scratch"

run cmake -S mlp -B mlp/build -DCMAKE_BUILD_TYPE=Release "-DCMAKE_PREFIX_PATH=$scratch/prefix"
expect "find_package finds it" exits_with 0
run cmake --build mlp/build
expect "the example is built" exits_with 0
expect "and learns" learns mlp/build/mlp

export PKG_CONFIG_PATH=$scratch/prefix/lib/pkgconfig
mv prefix elsewhere && export PKG_CONFIG_PATH=$scratch/elsewhere/lib/pkgconfig
read -ra flags <<<"$(pkg-config --cflags --libs residual)"
run g++ -std=c++20 -Wall -Wextra -Werror mlp/mlp.cpp "${flags[@]}" -o mlp/by-pkg-config
expect "pkg-config builds it, from an installation that has been moved" exits_with 0
expect "and it learns as well" learns mlp/by-pkg-config

expect "the installed programs run" elsewhere/bin/resnet-train --version >/dev/null
run elsewhere/bin/resnet-train elsewhere/share/residual/configs/quickstart.json --data nowhere
expect "without data they name the installed script" says "get the data with \`bash $(realpath elsewhere)/share/residual/tools/get_cifar.sh cifar10\`"
expect "they have the documents that messages name" [ -f elsewhere/share/doc/residual/other-weights.md ]
run "$repository/build/python/bin/python" elsewhere/share/residual/tools/import_weights.py --help
expect "the installed import_weights.py runs" exits_with 0
(cd elsewhere/include/residual && find . -name '*.h' -printf '#include "%P"\n') >headers.cpp
run g++ -std=c++20 -fsyntax-only headers.cpp "${flags[@]}"
expect "every installed header compiles" exits_with 0
grep -rhoE '^ *# *define +[A-Za-z_]+' elsewhere/include >macros
expect "public headers define macros" grep -q RESIDUAL_ASSERT macros
expect "all with the prefix" [ "$(grep -cv RESIDUAL_ macros)" = 0 ]

# Another build type and another generator as well.
mkdir super
cat >super/CMakeLists.txt <<END
cmake_minimum_required(VERSION 3.22)
project(super LANGUAGES CXX)
add_subdirectory("$scratch/moved" residual)
add_subdirectory("$scratch/mlp" mlp)
END
run cmake -S super -B super/build -G "Unix Makefiles" -DCMAKE_BUILD_TYPE=Debug
expect "the repository is a subdirectory of another project" exits_with 0
run cmake --build super/build --target mlp --parallel "$(compile_jobs)"
expect "which is built" exits_with 0
expect "and learns too" learns super/build/mlp/mlp

sample() { sed -n "/^\/\/ \[readme\]/,/^\/\/ \[readme\]/{/\[readme\]/d;p}" "$scratch/mlp/mlp.cpp"; }
shown() { awk '/^```cpp/ && !seen { inside = 1; seen = 1; next } /^```/ { inside = 0 } inside' "$scratch/moved/README.md"; }
expect "README.md shows the example as it is built here" [ "$(sample)" = "$(shown)" ]

report
