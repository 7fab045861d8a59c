#!/usr/bin/env bash
# tools/quickstart.sh with stand-ins for the compiler and the programs: which data it takes, what it does not do twice,
# how it ends. The network is one where nothing answers, unless a test says otherwise.
# shellcheck disable=SC2016  # the bodies of the fake programs are expanded when they run
set -euo pipefail
# shellcheck source=tests/scripts/checks.sh
. "$(dirname "${BASH_SOURCE[0]}")/checks.sh"
# shellcheck source=tools/lib.sh
. "$repository/tools/lib.sh"
# shellcheck source=tools/cifar.sh
. "$repository/tools/cifar.sh"

tree=$scratch/tree
programs=$scratch/bin
cache=$scratch/cache/residual
mkdir -p "$tree/tools"
cp "$repository"/tools/*.sh "$tree/tools/"
export LOG=$scratch/log

# Draws nothing but files of the right size.
drawing='mkdir -p "$1"
for name in data_batch_{1..5} test_batch; do truncate -s 30730000 "$1/$name.bin"; done
echo shapes >"$1/batches.meta.txt"'
fake_program "$scratch/made" draw-images 'echo "draw-images $*" >>"$LOG"
'"$drawing"
fake_program "$scratch/made" resnet-train 'echo "resnet-train $*" >>"$LOG"
[ "${TRAIN_EXITS:-0}" = 0 ] || exit "$TRAIN_EXITS"
mkdir -p "$5" && touch "$5/step-00000500.safetensors" "$5/step-00001000.safetensors"'
fake_program "$scratch/made" resnet-eval 'echo "resnet-eval $*" >>"$LOG"
echo "{\"checkpoint\":\"$1\",\"step\":1000,\"test_loss\":0.9,\"test_accuracy\":0.6996}"'
fake_program "$programs" cmake 'echo "cmake $*" >>"$LOG"
if [ "$1" = --preset ]; then mkdir -p "build/$2" && touch "build/$2/build.ninja"; exit; fi
[ -z "${BUILD_FAILS:-}" ] || exit 1
mkdir -p "$2/bin" && cp --no-clobber --preserve "$MADE"/* "$2/bin/"'
fake_program "$programs" dpkg-query 'echo -n installed'
fake_program "$programs" apt-get 'echo "apt-get $*" >>"$LOG"; exit 100'
# A toolkit that is too old stands in front of any that this machine has.
fake_program "$programs" nvcc 'echo "Cuda compilation tools, release 11.8, V11.8.89"'

quickstart() {
    : >"$LOG"
    run env -u CIFAR10_DIR MADE="$scratch/made" PATH="$programs:$PATH" XDG_CACHE_HOME="$scratch/cache" \
        CIFAR10_URL="${url:-http://127.0.0.1:1/x}" ${environment[@]+"${environment[@]}"} \
        bash "$tree/tools/quickstart.sh" "$@"
}
environment=()
logged() { grep -qF -- "$1" "$LOG"; }
not_logged() { ! grep -qF -- "$1" "$LOG"; }
near_the_end() { tail -n 4 "$scratch/output" | grep -qF -- "$1"; }

quickstart
expect "without a network it ends well" exits_with 0
expect "it says that it builds for the CPU alone" says "building for the CPU only: the CUDA toolkit at"
expect "it configures without the tests, whose packages it does not install" \
    logged "cmake --preset cpu -DBUILD_TESTING=OFF"
expect "it builds the programs it needs" logged "--target resnet-train resnet-eval draw-images"
expect "it says loudly what the data are" says "BUILT-IN IMAGES instead"
expect "the pictures are drawn" logged "draw-images $cache/images"
expect "they are complete" [ -z "$(missing_from_cifar10 "$cache/images")" ]
expect "they are not where CIFAR-10 belongs" [ -z "$(find "$cache/cifar10" -name '*.bin')" ]
expect "it trains on them" logged \
    "resnet-train configs/quickstart.json --data $cache/images --out runs/quickstart"
expect "it evaluates the last checkpoint" logged \
    "resnet-eval runs/quickstart/step-00001000.safetensors --data $cache/images --json"
expect "the end says the accuracy" near_the_end "test accuracy  69.96 %"
expect "and on what" near_the_end "BUILT-IN IMAGES, not CIFAR-10"
expect "and where the checkpoint is" near_the_end "/runs/quickstart/step-00001000.safetensors"
expect "and what to run next" near_the_end "/tools/get_cifar.sh cifar10"

quickstart
expect "a second call ends well" exits_with 0
expect "it installs nothing" not_logged "apt-get"
expect "it configures nothing" not_logged "cmake --preset"
expect "it draws nothing" not_logged "draw-images /"
expect "it leaves the first run alone" logged "--out runs/quickstart-2"
expect "and says so" says "this one goes into runs/quickstart-2"

touch -d "+1 minute" "$tree/build/cpu/bin/draw-images"
quickstart
expect "a newer program draws again" logged "draw-images $cache/images"
expect "into a third run" logged "--out runs/quickstart-3"

bash -c "$drawing" drawing "$scratch/own data"
environment=(CIFAR10_DIR="$scratch/nothing here")
quickstart --data "$scratch/own data"
expect "--data comes first" logged "--data $scratch/own data --out"
expect "it is not called built-in" silent_about "BUILT-IN"
expect "the end names the data" near_the_end "(CIFAR-10)"
expect "the next command names them too" near_the_end "resnet20.json --data $scratch/own\\ data"
(cd "$scratch" && quickstart --data "own data" && printf '%s' "$status" >"$scratch/relative")
expect "a relative folder is the caller's" [ "$(cat "$scratch/relative")" = 0 ]
quickstart
expect "a wrong CIFAR10_DIR is refused" exits_with 2
expect "with the file that is missing" says "CIFAR10_DIR is no CIFAR-10 folder: $scratch/nothing here/data_batch_1.bin is missing"
expect "before anything is built" not_logged "cmake"
environment=(CIFAR10_DIR="$scratch/own data")
quickstart
expect "CIFAR10_DIR comes next" logged "--data $scratch/own data --out"
truncate -s 30729999 "$scratch/own data/test_batch.bin"
quickstart --data="$scratch/own data"
expect "a file of a wrong size is refused" says "test_batch.bin has 30729999 bytes instead of 30730000"
environment=()

mkdir -p "$scratch/archive"
bash -c "$drawing" drawing "$scratch/archive/cifar-10-batches-bin"
tar -czf "$scratch/cifar.tar.gz" -C "$scratch/archive" cifar-10-batches-bin
rm -r "$scratch/archive"
url=file://$scratch/cifar.tar.gz
quickstart
expect "an archive with a wrong checksum is not used" says "BUILT-IN IMAGES instead"
environment=(CIFAR10_ARCHIVE_BYTES="$(stat -c %s "$scratch/cifar.tar.gz")"
    CIFAR10_ARCHIVE_SHA256="$(sha256sum <"$scratch/cifar.tar.gz" | cut -d' ' -f1)")
quickstart
expect "a download goes into the cache" [ -z "$(missing_from_cifar10 "$cache/cifar10")" ]
expect "and is used" logged "--data $cache/cifar10 --out"
expect "the end calls it CIFAR-10" near_the_end "(CIFAR-10)"
url="" environment=()
quickstart
expect "the cache is used without a network" says "CIFAR-10 from the cache: $cache/cifar10"
expect "and named in the next command" near_the_end "configs/resnet20.json --data $cache/cifar10"

environment=(TRAIN_EXITS=3)
quickstart
expect "the exit code of the training is kept" exits_with 3
expect "a failed training is not evaluated" not_logged "resnet-eval runs"
environment=(BUILD_FAILS=yes)
quickstart
expect "a failed build is a failure" exits_with 1
expect "after which nothing is trained" not_logged "resnet-train configs"
environment=()
quickstart --epochs 3
expect "an unknown argument is a wrong usage" exits_with 2

toolkit=$scratch/toolkit
fake_program "$toolkit/bin" nvcc 'echo "Cuda compilation tools, release 13.0, V13.0.1"'
mkdir -p "$toolkit/include" "$toolkit/lib64"
printf '#define CUDNN_MAJOR 9\n#define CUDNN_MINOR 1\n' >"$toolkit/include/cudnn_version.h"
touch "$toolkit/lib64/libcudnn.so"
ln -sf "$toolkit/bin/nvcc" "$programs/nvcc"
quickstart
expect "with a toolkit it builds for CUDA" logged "cmake --preset cuda"
expect "and says so" says "building for CUDA and the CPU: CUDA 13.0 at $toolkit with cuDNN 9.1"
expect "and runs what it built" near_the_end "build/cuda/bin/resnet-train"

report
