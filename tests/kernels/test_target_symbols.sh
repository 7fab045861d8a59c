#!/usr/bin/env bash
# No function compiled for AVX2 or AVX-512 can replace one of the code that runs on every CPU: the linker keeps one of the
# functions with the same name, so a weak symbol of such an object must name its target.
#     test_target_symbols.sh FOLDER_OF_PROGRAMS
set -euo pipefail
build=$(dirname "$(realpath "$1")")
# shellcheck source=tests/scripts/checks.sh
. "$(dirname "${BASH_SOURCE[0]}")/../scripts/checks.sh"

# Without optimisation the functions of the standard library are not inlined.
if ! grep -q '^CMAKE_BUILD_TYPE:[A-Z]*=Release$' "$build/CMakeCache.txt"; then
    printf 'skipped: not a Release build\n'
    exit 0
fi
if [ "$(uname -m)" != x86_64 ]; then
    printf 'skipped: this architecture has one host target\n'
    exit 0
fi

# foreign TARGET OBJECT...: prints the weak and unique symbols that do not name the target, except a pointer to the C++
# runtime's function for exceptions.
foreign() { nm --demangle --defined-only "${@:2}" | grep -E '^[0-9a-f]+ [VWu] ' | grep -vE "residual::kernels::$1\b|DW\.ref\.__gxx_personality_v0$"; }
clean() { ! foreign "$@" >"$scratch/output"; }
for target in HostAvx2 HostAvx512; do
    objects=("$build/kernels/CMakeFiles/residual-kernels-$target.dir/host/"*.o)
    expect "$target: every kernel file is compiled for it" \
        [ "${#objects[@]}" = "$(find "$repository/kernels/host" -name '*.cpp' | wc -l)" ]
    expect "$target: its kernels are found" grep -q "residual::kernels::$target const&" <<<"$(nm --demangle "${objects[@]}")"
    expect "$target: no other weak symbol" clean "$target" "${objects[@]}"
done

# The check finds what it looks for.
printf 'inline int shared(int x) { return x * x; }\nint (*use)(int) = shared;\n' >"$scratch/shared.cpp"
"${CXX:-c++}" -c "$scratch/shared.cpp" -o "$scratch/shared.o"
expect "an inline function would be found" foreign HostAvx2 "$scratch/shared.o" >/dev/null

report
