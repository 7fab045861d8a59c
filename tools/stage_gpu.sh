#!/usr/bin/env bash
# Packs what tools/prove_gpu.sh needs on a machine with a GPU but without compilers or package registries: programs, the
# libraries that they load (except CUDA's and the C library), configurations and scripts.
# Exit codes: 0 packed; 1 a step failed, or the archive is too large (its largest files are listed); 2 wrong usage, or
# no CUDA toolkit.
set -euo pipefail
called_from=$PWD
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=tools/lib.sh
. tools/lib.sh
# shellcheck source=tools/cifar.sh
. tools/cifar.sh

usage="usage: bash tools/stage_gpu.sh OUT [--data DIR] [--limit MIB]
  OUT           output folder; residual-gpu/ and its archive are created in it
  --data DIR    also packs the six CIFAR-10 binary files, into a second archive
  --limit MIB   largest size allowed for the archive without data (default 40)"

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
            [ -z "$out" ] || die "more than one OUT; $usage" 2
            out=$1
            shift
            ;;
    esac
done
[ -n "$out" ] || die "OUT is missing; $usage" 2
[[ $limit =~ ^[0-9]+$ ]] || die "--limit is '$limit'; it must be a whole number of MiB" 2
out=$(from_caller "$out")
if [ -n "$data" ]; then named_cifar10 "$data" --data; fi
staged=$out/residual-gpu
if [ -e "$staged" ] && [ ! -f "$staged/staged.json" ]; then
    die "$staged exists and is not a staged folder: remove it, or name another OUT" 2
fi

find_cuda || die "$cuda_missing" 2
say "== build: $cuda_found"
# A separate build: its programs load the libraries of ../lib.
# shellcheck disable=SC2016  # $ORIGIN is the loader's
cmake --preset cuda -B build/stage -DBUILD_TESTING=ON '-DCMAKE_BUILD_RPATH=$ORIGIN/../lib' ||
    die "CMake failed (see its messages above)"
cmake --build build/stage --parallel "$(compile_jobs)" || die "the build failed (see its messages above)"

say "== gather"
rm -rf "$staged"
mkdir -p "$staged"/{bin,lib,docs,tests/golden,tools/bench}
programs=(resnet-train resnet-eval step-bench kernel-bench draw-images)
for program in build/stage/bin/tests-*; do
    # The exit status of Catch2 2 is the number of cases.
    listing=$("$program" --list-tests '[gpu]' || true)
    if grep -Eq '^[1-9][0-9]* (matching )?test case' <<<"$listing"; then programs+=("${program##*/}"); fi
done
[[ ${programs[*]} = *tests-* ]] || die "no test program lists a [gpu] case: try build/stage/bin/tests-kernels --list-tests '[gpu]'"
cp "${programs[@]/#/build/stage/bin/}" "$staged/bin/"

# The libraries; the target machine has its own C library, driver and CUDA.
ldd "${programs[@]/#/build/stage/bin/}" | sed -n 's/.* => \(\/[^ ]*\) .*/\1/p' | sort -u |
    grep -Ev '/(ld-linux[^/]*|lib(c|m|pthread|dl|rt|cuda[^/]*|cudnn[^/]*|cublas[^/]*|nv[^/]*))\.so[^/]*$' |
    xargs cp -L -t "$staged/lib/"
strip "$staged"/bin/* "$staged"/lib/*

cp -r configs LICENSE "$staged/"
cp docs/gpu-proof.md "$staged/docs/"
cp tests/golden/*.py tests/golden/*.safetensors "$staged/tests/golden/"
cp tools/lib.sh tools/cifar.sh tools/prove_gpu.sh tools/bench_vs_pytorch.py "$staged/tools/"
cp -r tools/prove "$staged/tools/"
cp -r tools/bench/compare "$staged/tools/bench/"
find "$staged/tools" -name __pycache__ -prune -exec rm -r {} +
revision=$(git describe --always --dirty 2>/dev/null || say unknown)
printf '{"revision": "%s", "built_with": "%s"}\n' "$revision" "$cuda_found" >"$staged/staged.json"

say "== pack"
# The programs share much of their code, which xz compresses best; python3 -m tarfile reads both formats.
if command -v xz >/dev/null; then
    pack=$out/residual-gpu.tar.xz compress=(xz -T0 -9)
else
    pack=$out/residual-gpu.tar.gz compress=(gzip -9)
fi
tar -C "$out" -cf - residual-gpu | "${compress[@]}" >"$pack"
if [ -n "$data" ]; then
    # Unpacked into the same folder, the files are where prove_gpu.sh looks for them.
    data_pack=$out/residual-gpu-data.${pack##*gpu.}
    tar -C "$data" --transform 's,^,residual-gpu/data/,' -cf - "${cifar10_files[@]}" | "${compress[@]}" >"$data_pack"
fi

mib() { awk -v b="$1" 'BEGIN { printf "%.1f MiB", b / 1048576 }'; }
bytes=$(stat -c %s "$pack")
say "$staged: $(mib "$(du -sb "$staged" | cut -f1)"), including programs $(mib "$(du -sb "$staged/bin" | cut -f1)")," \
    "libraries $(mib "$(du -sb "$staged/lib" | cut -f1)")"
say "$pack: $(mib "$bytes")"
if [ -n "$data" ]; then say "$data_pack: $(mib "$(stat -c %s "$data_pack")")"; fi
if [ "$bytes" -gt $((limit * 1048576)) ]; then
    find "$staged" -type f -printf '%s %P\n' | sort -rn | head -n 10 |
        while read -r size path; do say "  $(mib "$size")  $path"; done
    die "the archive has $(mib "$bytes"), more than $limit MiB: its largest files are listed above"
fi
say "on the target machine: tar -xf ${pack##*/} && bash residual-gpu/tools/prove_gpu.sh"
