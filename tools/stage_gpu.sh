#!/usr/bin/env bash
# Gathers what tools/prove_gpu.sh needs on a machine with a GPU but without compilers or package registries: built
# programs, the libraries that they load (CUDA's own and the C library excepted), configurations, scripts.
# Exit codes: 0 packed; 1 a step failed, or the pack is too large (its largest files are listed); 2 wrong usage, or
# nothing to build with.
set -euo pipefail
called_from=$PWD
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=tools/lib.sh
. tools/lib.sh
# shellcheck source=tools/cifar.sh
. tools/cifar.sh

usage="usage: bash tools/stage_gpu.sh OUT [--data DIR] [--limit MIB]
  OUT           receives the folder residual-gpu, and the same packed
  --data DIR    packs the six CIFAR-10 binary files as well, in a file of their own
  --limit MIB   size of the pack, without data, that is too large (default 40)"

out="" data="" limit=40
while [ $# -gt 0 ]; do
    case $1 in
        -h | --help)
            say "$usage"
            exit 0
            ;;
        --data | --limit)
            [ $# -ge 2 ] || die "$1 needs a value; $usage" 2
            if [ "$1" = --data ]; then data=$2; else limit=$2; fi
            shift 2
            ;;
        -*) die "unknown argument '$1'; $usage" 2 ;;
        *)
            [ -z "$out" ] || die "one OUT is enough; $usage" 2
            out=$1
            shift
            ;;
    esac
done
[ -n "$out" ] || die "OUT is missing; $usage" 2
[[ $limit =~ ^[0-9]+$ ]] || die "--limit is '$limit'; it must be a whole number of MiB" 2
case $out in /*) ;; *) out=$called_from/$out ;; esac
if [ -n "$data" ]; then
    case $data in /*) ;; *) data=$called_from/$data ;; esac
    data=$(cifar10_files_in "$data")
    problem=$(missing_from_cifar10 "$data")
    [ -z "$problem" ] || die "--data is no CIFAR-10 folder: $problem" 2
fi
staged=$out/residual-gpu
if [ -e "$staged" ] && [ ! -f "$staged/staged.json" ]; then
    die "$staged is there and is no staged folder: remove it, or name another OUT" 2
fi

find_cuda || die "$cuda_missing" 2
say "== build: $cuda_found"
# A build of its own: the programs run on another processor, and look for their libraries beside themselves.
# shellcheck disable=SC2016  # $ORIGIN is the loader's
cmake --preset cuda -B build/stage -DRESIDUAL_NATIVE=OFF -DBUILD_TESTING=ON '-DCMAKE_BUILD_RPATH=$ORIGIN/../lib' ||
    die "CMake failed (its messages stand above)"
cmake --build build/stage --parallel "$(compile_jobs)" || die "the build failed (its messages stand above)"

say "== gather"
rm -rf "$staged"
mkdir -p "$staged"/{bin,lib,docs,tests/golden,tools/bench}
programs=()
for name in resnet-train resnet-eval step-bench kernel-bench draw-images; do
    [ -x "build/stage/bin/$name" ] || die "the build made no $name"
    programs+=("$name")
done
tests=0
for program in build/stage/bin/tests-*; do
    # Catch2 2 ends with the number of cases as its status.
    listing=$("$program" --list-tests '[gpu]' || true)
    if grep -Eq '^[1-9][0-9]* (matching )?test case' <<<"$listing"; then
        programs+=("${program##*/}")
        tests=$((tests + 1))
    fi
done
[ "$tests" != 0 ] || die "none of the test programs lists a [gpu] case; build/stage/bin/tests-kernels --list-tests '[gpu]' says why"
for name in "${programs[@]}"; do cp "build/stage/bin/$name" "$staged/bin/"; done

# Paths of what the programs load, less what belongs to the target: its C library, its driver, and CUDA.
libraries() {
    ldd "${programs[@]/#/build/stage/bin/}" | sed -n 's/.* => \(\/[^ ]*\) .*/\1/p' | sort -u |
        grep -Ev '/(ld-linux[^/]*|lib(c|m|pthread|dl|rt|cuda[^/]*|cudnn[^/]*|cublas[^/]*|nv[^/]*))\.so[^/]*$'
}
while read -r library; do cp -L "$library" "$staged/lib/"; done < <(libraries)
strip "$staged"/bin/* "$staged"/lib/*

cp -r configs "$staged/"
cp LICENSE "$staged/"
cp docs/gpu-proof.md "$staged/docs/"
cp tests/golden/*.py tests/golden/*.safetensors "$staged/tests/golden/"
cp tools/lib.sh tools/cifar.sh tools/prove_gpu.sh tools/bench_vs_pytorch.py tools/plot_runs.py "$staged/tools/"
cp -r tools/prove "$staged/tools/"
cp -r tools/bench/compare "$staged/tools/bench/"
find "$staged/tools" -name __pycache__ -prune -exec rm -r {} +
revision=$(git describe --always --dirty 2>/dev/null || say unknown)
printf '{"revision": "%s", "built_with": "%s"}\n' "$revision" "$cuda_found" >"$staged/staged.json"

say "== pack"
# xz packs the programs, which hold much the same code, into a fraction; python3 -m tarfile reads both.
if command -v xz >/dev/null; then
    pack=$out/residual-gpu.tar.xz compress=(xz -T0 -9)
else
    pack=$out/residual-gpu.tar.gz compress=(gzip -9)
fi
tar -C "$out" -cf - residual-gpu | "${compress[@]}" >"$pack"
if [ -n "$data" ]; then
    # Unpacked beside the other, the files lie where prove_gpu.sh looks for them.
    data_pack=$out/residual-gpu-data.${pack##*gpu.}
    tar -C "$data" --transform 's,^,residual-gpu/data/,' -cf - "${cifar10_files[@]}" | "${compress[@]}" >"$data_pack"
fi

mib() { awk -v b="$1" 'BEGIN { printf "%.1f MiB", b / 1048576 }'; }
bytes=$(stat -c %s "$pack")
say "$staged: $(mib "$(du -sb "$staged" | cut -f1)"), of it programs $(mib "$(du -sb "$staged/bin" | cut -f1)")," \
    "libraries $(mib "$(du -sb "$staged/lib" | cut -f1)")"
say "$pack: $(mib "$bytes")"
if [ -n "$data" ]; then say "$data_pack: $(mib "$(stat -c %s "$data_pack")")"; fi
if [ "$bytes" -gt $((limit * 1048576)) ]; then
    find "$staged" -type f -printf '%s %P\n' | sort -rn | head -n 10 |
        while read -r size path; do say "  $(mib "$size")  $path"; done
    die "the pack has $(mib "$bytes"), more than $limit MiB: the largest files stand above"
fi
say "there: tar -xf ${pack##*/} && bash residual-gpu/tools/prove_gpu.sh"
