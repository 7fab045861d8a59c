#!/usr/bin/env bash
# tools/stage_gpu.sh with a fake build: what it packs, what it leaves out, and its size limit.
# shellcheck disable=SC2016  # the bodies of the fake programs are expanded when they run
set -euo pipefail
# shellcheck source=tests/scripts/checks.sh
. "$(dirname "${BASH_SOURCE[0]}")/checks.sh"

# A copy of the repository with only the files that are packed.
copy=$scratch/copy
mkdir -p "$copy/docs" "$copy/tests/golden"
cp -r "$repository"/{tools,configs,LICENSE} "$copy/"
cp "$repository/docs/gpu-proof.md" "$copy/docs/"
cp "$repository"/tests/golden/*.py "$copy/tests/golden/"
echo tensors >"$copy/tests/golden/depth8.safetensors"

# cmake makes programs, three of them tests; strip changes nothing; ldd lists four libraries.
programs=$scratch/programs
mkdir -p "$scratch/system"
for name in libdnnl.so.3 libstdc++.so.6 libcudnn.so.9 libc.so.6; do echo "$name" >"$scratch/system/$name"; done
ln -s libdnnl.so.3 "$scratch/system/libdnnl.so"
fake_program "$programs" cmake 'echo "cmake $*"
[ "$1" = --build ] || exit 0
[ ! -e "$SCRATCH/broken" ] || exit 1
mkdir -p build/stage/bin
for name in resnet-train resnet-eval step-bench kernel-bench draw-images config-doc; do
    echo "#!/bin/bash" >"build/stage/bin/$name"
done
for name in tests-kernels:2 tests-golden:11 tests-io:0; do
    printf "#!/bin/bash\necho \"%s matching test cases\"; exit %s\n" "${name#*:}" "${name#*:}" >"build/stage/bin/${name%:*}"
done
chmod +x build/stage/bin/*'
fake_program "$programs" strip 'echo "strip $*" >>"$SCRATCH/stripped"'
fake_program "$programs" ldd 'for name in libdnnl.so.3 libstdc++.so.6 libcudnn.so.9 libc.so.6; do
    echo "	$name => $SCRATCH/system/$name (0x1)"
done
echo "	linux-vdso.so.1 (0x2)"
echo "	/lib64/ld-linux-x86-64.so.2 (0x3)"'
fake_program "$programs" nvcc "if [ \"\$1\" = --version ]; then echo 'release 13.0, V13.0.1'; fi"
mkdir -p "$scratch/include" "$scratch/lib64"
printf '#define CUDNN_MAJOR 9\n#define CUDNN_MINOR 19\n' >"$scratch/include/cudnn_version.h"
touch "$scratch/lib64/libcudnn.so"

stage() { run env PATH="$programs:$PATH" SCRATCH="$scratch" bash "$copy/tools/stage_gpu.sh" "$@"; }
out=$scratch/out
kit=$out/residual-gpu

stage
expect "without OUT: exit 2" exits_with 2
stage "$out" --limit much
expect "a limit that is no number: exit 2" exits_with 2
stage "$out" --data "$scratch/nowhere"
expect "missing data: exit 2" exits_with 2
touch "$scratch/broken"
stage "$out"
expect "a failed build: exit 1" exits_with 1
rm "$scratch/broken"

stage "$out"
expect "it succeeds" exits_with 0
expect "the build is separate" says "cmake --preset cuda -B build/stage"
expect "the build loads libraries of ../lib" says '-DCMAKE_BUILD_RPATH=$ORIGIN/../lib'
expect "sizes are printed" says "residual-gpu.tar."
for name in bin/resnet-train bin/resnet-eval bin/step-bench bin/kernel-bench bin/draw-images bin/tests-kernels bin/tests-golden \
    configs/resnet110.json tests/golden/depth8.safetensors tests/golden/reference_model.py tools/prove_gpu.sh tools/lib.sh tools/cifar.sh \
    tools/prove/main.py tools/bench/compare/torch_train.py tools/bench_vs_pytorch.py docs/gpu-proof.md staged.json; do
    expect "$name is packed" [ -f "$kit/$name" ]
done
expect "programs without [gpu] tests are not packed" absent "$kit/bin/tests-io"
expect "programs that no stage calls are not packed" absent "$kit/bin/config-doc"
expect "libraries are packed under the name that the loader looks for" [ "$(<"$kit/lib/libdnnl.so.3")" = libdnnl.so.3 ]
expect "the C++ library is packed" [ -f "$kit/lib/libstdc++.so.6" ]
expect "CUDA's libraries are not packed" absent "$kit/lib/libcudnn.so.9"
expect "the C library is not packed" absent "$kit/lib/libc.so.6"
expect "programs and libraries are stripped" grep -q "bin/tests-kernels .*lib/libdnnl.so.3" "$scratch/stripped"
expect "staged.json names the toolkit" grep -q '"built_with": "CUDA 13.0' "$kit/staged.json"
mkdir "$scratch/unpacked"
tar -C "$scratch/unpacked" -xf "$out"/residual-gpu.tar.*
expect "the archive holds the folder" diff -r "$kit" "$scratch/unpacked/residual-gpu"
run python3 -m compileall -q "$scratch/unpacked/residual-gpu/tools"
expect "its Python scripts compile" exits_with 0

mkdir "$scratch/cifar10"
for name in data_batch_{1..5} test_batch; do truncate -s 30730000 "$scratch/cifar10/$name.bin"; done
stage "$out" --data "$scratch/cifar10"
expect "a second call, with data, replaces the first" exits_with 0
expect "the size of the data archive is printed" says "residual-gpu-data.tar."
tar -tf "$out"/residual-gpu-data.tar.* >"$scratch/output"
expect "the data unpack to where prove_gpu.sh looks" says "residual-gpu/data/test_batch.bin"

head -c 1500000 /dev/urandom >"$copy/tests/golden/huge.safetensors"
stage "$out" --limit 1
expect "an archive that is too large: exit 1" exits_with 1
expect "an archive that is too large: the largest file is listed" says "1.4 MiB  tests/golden/huge.safetensors"
expect "an archive that is too large: the limit is printed" says "more than 1 MiB"

rm "$kit/staged.json"
stage "$out"
expect "a folder that it did not make: exit 2" exits_with 2
expect "a folder that it did not make is kept" [ -f "$kit/bin/resnet-train" ]

report
