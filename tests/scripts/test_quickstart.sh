#!/usr/bin/env bash
# tools/quickstart.sh with fakes of the compiler and the programs: its choice of data, what a second call skips, and its
# summary. Downloads fail unless a test sets url.
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
cp "$repository/CMakeLists.txt" "$tree/"
export LOG=$scratch/log

# A fake draw-images: makes empty files of the right size.
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
fake_program "$scratch/made" resnet-report 'echo "resnet-report $*" >>"$LOG"
[ "$4" = --out ] && echo page >"$5"'
fake_program "$programs" cmake 'if [ "$1" = --version ]; then echo "cmake version 3.25.1"; exit; fi
echo "cmake $*" >>"$LOG"
if [ "$1" = --preset ]; then mkdir -p "build/$2" && touch "build/$2/build.ninja"; exit; fi
[ -z "${BUILD_FAILS:-}" ] || exit 1
mkdir -p "$2/bin" && cp --no-clobber --preserve "$MADE"/* "$2/bin/"'
fake_program "$programs" dpkg-query 'echo -n installed'
fake_program "$programs" apt-get 'echo "apt-get $*" >>"$LOG"; exit 100'
# The first nvcc on PATH is too old, whatever toolkit this machine has.
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
near_the_end() { tail -n 5 "$scratch/output" | grep -qF -- "$1"; }

quickstart
expect "without a network it succeeds" exits_with 0
expect "it says that it builds for the CPU only" says "building for the CPU only: the CUDA toolkit at"
expect "it configures without the tests" \
    logged "cmake --preset cpu -DBUILD_TESTING=OFF"
expect "it builds the programs it needs" logged "--target resnet-train resnet-eval resnet-report draw-images"
expect "it warns that the data are not CIFAR-10" says "SYNTHETIC IMAGES instead"
expect "images are drawn" logged "draw-images $cache/images"
expect "the synthetic images are complete" [ -z "$(missing_from_cifar10 "$cache/images")" ]
expect "the synthetic images are not in CIFAR-10's folder" [ -z "$(find "$cache/cifar10" -name '*.bin')" ]
expect "it trains on the synthetic images" logged \
    "resnet-train configs/quickstart.json --data $cache/images --out runs/quickstart"
expect "it evaluates the last checkpoint" logged \
    "resnet-eval runs/quickstart/step-00001000.safetensors --data $cache/images --json"
expect "it writes the report into the run folder" logged \
    "resnet-report runs/quickstart --data $cache/images --out runs/quickstart/report.html"
expect "the summary has the report's path" near_the_end "report         $tree/runs/quickstart/report.html"
expect "the report is there" [ -f "$tree/runs/quickstart/report.html" ]
expect "the summary has the accuracy" near_the_end "test accuracy  69.96 %"
expect "the summary names the data" near_the_end "SYNTHETIC IMAGES, not CIFAR-10"
expect "the summary has the checkpoint's path" near_the_end "/runs/quickstart/step-00001000.safetensors"
expect "the summary says what to run next" near_the_end "/tools/get_cifar.sh cifar10"

quickstart
expect "a second call succeeds" exits_with 0
expect "a second call installs nothing" not_logged "apt-get"
expect "a second call does not configure" not_logged "cmake --preset"
expect "a second call draws nothing" not_logged "draw-images /"
expect "a second call makes another run folder" logged "--out runs/quickstart-2"
expect "a second call names the new run folder" says "this one goes into runs/quickstart-2"

touch -d "+1 minute" "$tree/build/cpu/bin/draw-images"
quickstart
expect "a newer draw-images draws again" logged "draw-images $cache/images"
expect "a third call makes a third run folder" logged "--out runs/quickstart-3"

bash -c "$drawing" drawing "$scratch/own data"
environment=(CIFAR10_DIR="$scratch/nothing here")
quickstart --data "$scratch/own data"
expect "--data comes first" logged "--data $scratch/own data --out"
expect "data of --data are not called synthetic" silent_about "SYNTHETIC"
expect "the summary calls data of --data CIFAR-10" near_the_end "(CIFAR-10)"
expect "the next command has --data, quoted" near_the_end "resnet20.json --data $scratch/own\\ data"
(cd "$scratch" && quickstart --data "own data" && printf '%s' "$status" >"$scratch/relative")
expect "a relative --data starts in the caller's folder" [ "$(cat "$scratch/relative")" = 0 ]
quickstart
expect "a wrong CIFAR10_DIR: exit 2" exits_with 2
expect "a wrong CIFAR10_DIR: the missing file is named" says "CIFAR10_DIR is no CIFAR-10 folder: $scratch/nothing here/data_batch_1.bin is missing"
expect "a wrong CIFAR10_DIR: nothing is built" not_logged "cmake"
environment=(CIFAR10_DIR="$scratch/own data")
quickstart
expect "CIFAR10_DIR is used without --data" logged "--data $scratch/own data --out"
truncate -s 30729999 "$scratch/own data/test_batch.bin"
quickstart --data="$scratch/own data"
expect "a file of the wrong size is refused" says "test_batch.bin has 30729999 bytes instead of 30730000"
environment=()

mkdir -p "$scratch/archive"
bash -c "$drawing" drawing "$scratch/archive/cifar-10-batches-bin"
tar -czf "$scratch/cifar.tar.gz" -C "$scratch/archive" cifar-10-batches-bin
rm -r "$scratch/archive"
url=file://$scratch/cifar.tar.gz
quickstart
expect "an archive with a wrong checksum is not used" says "SYNTHETIC IMAGES instead"
environment=(CIFAR10_ARCHIVE_BYTES="$(stat -c %s "$scratch/cifar.tar.gz")"
    CIFAR10_ARCHIVE_SHA256="$(sha256sum <"$scratch/cifar.tar.gz" | cut -d' ' -f1)")
quickstart
expect "a download goes into the cache" [ -z "$(missing_from_cifar10 "$cache/cifar10")" ]
expect "the download is used" logged "--data $cache/cifar10 --out"
expect "the summary calls the download CIFAR-10" near_the_end "(CIFAR-10)"
url="" environment=()
quickstart
expect "the cache is used without a network" says "CIFAR-10 from the cache: $cache/cifar10"
expect "the next command names the cache" near_the_end "configs/resnet20.json --data $cache/cifar10"

environment=(TRAIN_EXITS=3)
quickstart
expect "the exit code of a failed training is kept" exits_with 3
expect "a failed training is not evaluated" not_logged "resnet-eval runs"
expect "a failed training has no report" not_logged "resnet-report runs"
environment=(BUILD_FAILS=yes)
quickstart
expect "a failed build: exit 1" exits_with 1
expect "a failed build: nothing is trained" not_logged "resnet-train configs"
environment=()
quickstart --epochs 3
expect "an unknown argument: exit 2" exits_with 2

toolkit=$scratch/toolkit
fake_program "$toolkit/bin" nvcc 'echo "Cuda compilation tools, release 13.0, V13.0.1"'
mkdir -p "$toolkit/include" "$toolkit/lib64"
printf '#define CUDNN_MAJOR 9\n#define CUDNN_MINOR 1\n' >"$toolkit/include/cudnn_version.h"
touch "$toolkit/lib64/libcudnn.so"
ln -sf "$toolkit/bin/nvcc" "$programs/nvcc"
quickstart
expect "with a toolkit it builds for CUDA" logged "cmake --preset cuda"
expect "with a toolkit it says so" says "building for CUDA and the CPU: CUDA 13.0 at $toolkit with cuDNN 9.1"
expect "the next command runs the CUDA build" near_the_end "build/cuda/bin/resnet-train"

report
