#!/usr/bin/env bash
# Untrusted input: wrong configurations, checkpoints, data and command lines are refused with exit 2, the place and the
# reason, before anything is trained or written.
#     test_bad_input.sh FOLDER_OF_PROGRAMS
set -euo pipefail
bin=$(realpath "$1")
# shellcheck source=tests/scripts/checks.sh
. "$(dirname "${BASH_SOURCE[0]}")/../scripts/checks.sh"
# shellcheck source=tools/lib.sh
. "$repository/tools/lib.sh"
# shellcheck source=tools/cifar.sh
. "$repository/tools/cifar.sh"
cd "$scratch"
unset CIFAR10_DIR CIFAR100_DIR
export XDG_CACHE_HOME=$scratch/empty-cache

# Black images of the first class: six sparse files, which take no space.
mkdir data
for name in "${cifar10_files[@]}"; do truncate -s 30730000 "data/$name"; done
printf '{"model": {"depth": 8}, "train": {"steps": 1, "device": "cpu"}, "schedule": {"boundaries": [], "values": [0.05]}}' >good.json

run_folder=out
train() { timeout 60 "$bin/resnet-train" "$@" --data data --out out; }
evaluate() { timeout 60 "$bin/resnet-eval" "$@" --data data --device cpu; }

# ---- configurations
# config WHAT TEXT MESSAGE: TEXT is a printf format, MESSAGE follows the file name in the error.
config() {
    # shellcheck disable=SC2059  # the texts contain escapes
    printf "$2" >bad.json
    refused "$1" "resnet-train: bad.json$3" train bad.json
}
config "an unknown key" '{"train": {"stesp": 5}}' ": /train/stesp: unknown key; the nearest known key is /train/steps"
config "a duplicate key" '{"train": {"steps": 5, "steps": 6}}' ": /train/steps: this key appears twice"
config "a string instead of a number" '{"train": {"steps": "5"}}' ': /train/steps: expected an integer >= 1, got "5"'
config "an object instead of a number" '{"train": {"steps": {}}}' ': /train/steps: expected an integer >= 1, got {}'
config "a number instead of an object" '{"train": 5}' ': /train: expected an object {...}, got 5'
config "NaN" '{"optimizer": {"momentum": NaN}}' ":1:28: invalid JSON"
config "infinity" '{"optimizer": {"momentum": 1e999}}' ":1:32: invalid JSON: number overflow parsing '1e999'"
config "a negative number" '{"optimizer": {"weight_decay": -1}}' ": /optimizer/weight_decay: expected a number >= 0, got -1"
config "a network of 9223372036854775802 layers" '{"model": {"depth": 9223372036854775802}}' ": /model/depth: expected an integer from 8 to 9998"
config "an empty batch" '{"train": {"batch_size": 0}}' ": /train/batch_size: expected an integer from 1 to 65536, got 0"
config "a batch larger than the data set" '{"train": {"batch_size": 50001}}' ": /train/batch_size: 50001 images, but CIFAR-10 has only 50000 training images; choose at most 50000"
config "a batch size that exceeds 64 bits" '{"train": {"batch_size": 18446744073709551616}}' ": /train/batch_size: expected an integer from 1 to 65536"
config "decreasing boundaries" '{"schedule": {"boundaries": [9, 3], "values": [1, 1, 1]}}' ": /schedule/boundaries: boundaries must be strictly increasing"
config "too few values" '{"schedule": {"boundaries": [3, 9], "values": [1]}}' ": /schedule/values: values has length 1 and boundaries has length 2"
config "an empty file" '' ": empty; the smallest valid configuration is {}"
config "a byte order mark" '\xEF\xBB\xBF{}' ": starts with a byte order mark"
config "invalid UTF-8" '{"data": {"dir": "\xC3("}}' ":1:20: invalid JSON"
config "a truncated file" '{"train": {"steps": 5' ":1:21: invalid JSON"
config "a list" '[]' ": expected an object {...}, got []"
config "1 MB of brackets" "$(printf '{"model":'; head -c 1000000 /dev/zero | tr '\0' '[')" ": /model/0/0"
head -c 10000000 /dev/zero | tr '\0' '[' >bad.json
refused "10 MB of brackets" "bad.json: exceeds 1 MiB" train bad.json
config "a control character in a key" '{"\\u001b[2J": 1}' ': /\x1b[2J: unknown key'
config "a key of 100 kB" "{\"$(head -c 100000 /dev/zero | tr '\0' a)\": 1}" ": /aaaa"
expect "the message is truncated" [ "$(wc -c <output)" -lt 3000 ]

refused "no such configuration" "none.json: cannot be read: No such file" train none.json
refused "a folder as a configuration" "data: cannot be read: Is a directory" train data
mkfifo pipe.json
refused "a pipe as a configuration" "pipe.json: cannot be read: not a regular file" train pipe.json
refused "a device as a configuration" "/dev/zero: cannot be read: not a regular file" train /dev/zero

# File permissions apply to root only after it has dropped its capabilities.
drop=()
[ "$(id -u)" != 0 ] || drop=(setpriv --bounding-set=-all)
unprivileged() { timeout 60 ${drop[@]+"${drop[@]}"} "$@"; }
touch locked
chmod 000 locked
permissions_apply=true
if ! unprivileged test -x "$bin/resnet-train" || unprivileged cat locked >locked.copy 2>/dev/null; then
    permissions_apply=false
fi
if $permissions_apply; then
    refused "an unreadable configuration" "locked: cannot be read: Permission denied" \
        unprivileged "$bin/resnet-train" locked --data data --out out
else
    printf 'skipped: unreadable files: root cannot drop its capabilities here\n'
fi

# ---- checkpoints
/usr/bin/python3 - <<'PYTHON'
import struct


def write(name, header, data=b"", length=None, size=None):
    with open(name + ".safetensors", "wb") as file:
        file.write(struct.pack("<Q", len(header) if length is None else length) + header + data)
        if size is not None:
            file.truncate(8 + len(header) + size)


def tensor(name, dtype="F32", shape="[1]", offsets="[0,4]"):
    return f'"{name}":{{"dtype":"{dtype}","shape":{shape},"data_offsets":{offsets}}}'.encode()


w = tensor("w")
write("no-header", b"", length=0)
write("beyond", b"{}", length=1000)
write("largest", b"{}", length=2**64 - 1)
write("over-limit", b"{}", length=100_000_001, size=100_000_001)
write("no-json", b"{broken", b"")
write("twice", b"{" + w + b"," + w + b"}", bytes(4))
write("overlap", b"{" + w + b"," + tensor("x", offsets="[2,6]") + b"}", bytes(6))
write("hole", b"{" + w + b"," + tensor("x", offsets="[8,12]") + b"}", bytes(12))
write("out-of-range", b"{" + tensor("w", shape="[2]", offsets="[0,8]") + b"}", bytes(4))
write("trailing", b"{" + w + b"}", bytes(5))
write("overflow", b"{" + tensor("w", shape="[4294967296,4294967296]") + b"}", bytes(4))
write("unknown-type", b"{" + tensor("w", dtype="F7") + b"}", bytes(4))
write("nested", b'{"w":' + b"[" * 1_000_000, b"")
write("control", b"{" + tensor("\\u001b[2J", shape="[2]") + b"}", bytes(4))
write("long", b'{"w":"' + b"a" * 1_000_000 + b'"}')
write("sparse", b"{" + tensor("w", dtype="U8", shape="[1099511627776]", offsets="[0,1099511627776]") + b"}", size=2**40)
PYTHON
checkpoint() { refused "a checkpoint: $1" "resnet-eval: $1.safetensors: $2" evaluate "$1.safetensors"; }
checkpoint no-header "not a safetensors file: a header of 0 bytes"
checkpoint beyond "cut short or not a safetensors file: a header of 1000 bytes, but only 2 bytes follow its length"
checkpoint largest "not a safetensors file: a header of 18446744073709551615 bytes"
checkpoint over-limit "not a safetensors file: a header of 100000001 bytes"
checkpoint no-json "not a safetensors file: its header is not valid JSON"
checkpoint twice 'tensor "w": duplicate name'
checkpoint overlap 'tensor "x": data_offsets [2, 6] leave an overlap'
checkpoint hole 'tensor "x": data_offsets [8, 12] leave a gap'
checkpoint out-of-range 'tensor "w": data_offsets [0, 8] exceed the 4 bytes of data in the file'
checkpoint trailing "1 bytes follow the last tensor"
checkpoint overflow 'tensor "w": the size of shape [4294967296, 4294967296] overflows'
checkpoint unknown-type 'tensor "w", field "dtype": unknown dtype "F7"'
checkpoint nested 'tensor "w": unexpected array'
checkpoint control 'tensor "\x1b[2J"'
checkpoint long 'tensor "w": unexpected string "aaaa'
expect "its message is truncated" [ "$(wc -c <output)" -lt 3000 ]
refused "a folder as a checkpoint" "data: this folder holds no checkpoint" evaluate data
refused "a pipe as a checkpoint" "pipe.json: not a regular file" evaluate pipe.json
# Refused before the checkpoint is read.
refused "logits into a folder" "--logits data: this is a folder" evaluate none.safetensors --logits data
refused "logits into a missing folder" "there is no folder nowhere" evaluate none.safetensors --logits nowhere/l
refused "a folder as weights" "data: not a regular file" train good.json --init data
refused "broken weights" "hole.safetensors: tensor" train good.json --init hole.safetensors

run evaluate sparse.safetensors
expect "a checkpoint larger than memory: exit 1" exits_with 1
expect "the memory needed" says "sparse.safetensors: out of memory: its tensors take 1048576.0 MiB;"
expect "the memory available" says "MiB of"

# ---- data
# with_data WHAT MESSAGE: trains with the data in `spoilt`, a modified copy of good data.
with_data() { refused "$1" "$2" timeout 60 "$bin/resnet-train" good.json --data spoilt --out out; }
remedy="get the data with \`bash tools/get_cifar.sh cifar10\`, or name its folder with --data DIR"
spoil() { rm -rf spoilt && cp -r --sparse=always data spoilt; }
spoil && rm spoilt/data_batch_4.bin
with_data "a missing file" "spoilt/data_batch_4.bin: No such file or directory; $remedy"
spoil && truncate -s 30729999 spoilt/test_batch.bin
with_data "a short file" "spoilt/test_batch.bin has 30729999 bytes, but must have 30730000; $remedy"
spoil && truncate -s 30730001 spoilt/data_batch_1.bin
with_data "a long file" "spoilt/data_batch_1.bin has 30730001 bytes, but must have 30730000; $remedy"
spoil && printf '\x0a' | dd of=spoilt/data_batch_2.bin bs=1 seek=3073 conv=notrunc status=none
with_data "an invalid label" "spoilt/data_batch_2.bin: label 10 at byte 3073, but labels are 0 to 9; $remedy"
spoil && rm spoilt/data_batch_5.bin && mkdir spoilt/data_batch_5.bin
with_data "a folder instead of a file" "spoilt/data_batch_5.bin: Is a directory; $remedy"
spoil && ln -sf nowhere spoilt/data_batch_3.bin
with_data "a dangling link" "spoilt/data_batch_3.bin: No such file or directory; $remedy"
spoil && rm spoilt/data_batch_3.bin && mkfifo spoilt/data_batch_3.bin
with_data "a pipe instead of a file" "spoilt/data_batch_3.bin: "
expect "the remedy" says "$remedy"
rm -rf spoilt && ln -s nowhere spoilt
with_data "a dangling link instead of a folder" "no CIFAR-10 found: spoilt (from data.dir); it is a link to nowhere, which does not exist (looked for data_batch_1.bin, ..., test_batch.bin)"
refused "a run folder that is a file" "good.json: the folder cannot be created" \
    timeout 60 "$bin/resnet-train" good.json --data data --out good.json
rm spoilt && touch spoilt
with_data "a file instead of the folder" "no CIFAR-10 found: spoilt (from data.dir); it is a file, not a folder (looked for data_batch_1.bin, ..., test_batch.bin)"
if $permissions_apply; then
    spoil && chmod 000 spoilt/test_batch.bin
    refused "unreadable data" "spoilt/test_batch.bin cannot be read: Permission denied; $remedy" \
        unprivileged "$bin/resnet-train" good.json --data spoilt --out out
    mkdir sealed && chmod 000 sealed
    refused "an unreadable folder" "sealed (from data.dir); it cannot be read: Permission denied (looked for" \
        unprivileged "$bin/resnet-train" good.json --data sealed --out out
    chmod 444 sealed
    refused "a folder that can only be listed" "sealed (from data.dir); it cannot be read: Permission denied" \
        unprivileged "$bin/resnet-train" good.json --data sealed --out out
fi

# CIFAR-100: a record of a black image of the first class is 3074 zeros.
mkdir hundred
truncate -s 153700000 hundred/train.bin
truncate -s 30740000 hundred/test.bin
hundred() { refused "CIFAR-100: $1" "$2" timeout 60 "$bin/resnet-train" good.json --set 'data.format="cifar100"' --data "$3" --out out; }
remedy=${remedy/cifar10/cifar100}
spoil100() { rm -rf spoilt && cp -r --sparse=always hundred spoilt; }
spoil100 && rm spoilt/train.bin
hundred "a missing file" "CIFAR-100 file spoilt/train.bin: No such file or directory; $remedy" spoilt
spoil100 && truncate -s 30739999 spoilt/test.bin
hundred "a short file" "spoilt/test.bin has 30739999 bytes, but must have 30740000; $remedy" spoilt
spoil100 && printf '\x64' | dd of=spoilt/train.bin bs=1 seek=3075 conv=notrunc status=none
hundred "an invalid label" "spoilt/train.bin: label 100 at byte 3075, but labels are 0 to 99; $remedy" spoilt
spoil100 && rm spoilt/test.bin && mkdir spoilt/test.bin
hundred "a folder instead of a file" "spoilt/test.bin: Is a directory; $remedy" spoilt
hundred "the other data set" 'no CIFAR-100 found: data (from data.dir); it holds CIFAR-10: set data.format to "cifar10"; '"$remedy" data
touch cifar-100-binary.tar.gz
hundred "the archive" "cifar-100-binary.tar.gz (from data.dir); it is a file: unpack the archive and give its folder; $remedy" cifar-100-binary.tar.gz
mkdir parent && mv cifar-100-binary.tar.gz parent
hundred "the archive in the folder" "the archive parent/cifar-100-binary.tar.gz has not been unpacked; $remedy" parent
mkdir parent/cifar-100-python && touch parent/cifar-100-python/train
hundred "the Python version" "parent/cifar-100-python holds the Python version of CIFAR-100, but the binary version is needed (cifar-100-binary.tar.gz); $remedy" parent
refused "CIFAR-10: the other data set" 'no CIFAR-10 found: hundred (from data.dir); it holds CIFAR-100: set data.format to "cifar100"; ' \
    timeout 60 "$bin/resnet-train" good.json --data hundred --out out

# ---- command lines
refused "an unknown option" "resnet-train: unexpected arguments: --bogus; see resnet-train --help" train good.json --bogus
refused "no configuration" "resnet-train: config is required; see resnet-train --help" "$bin/resnet-train"
expect "no configuration: one line" [ "$(wc -l <output)" = 1 ]
refused "a second configuration" "resnet-train: unexpected arguments: good.json; see" train good.json good.json
for program in resnet-train resnet-eval; do
    refused "$program: arguments that are not expected" "$program: unexpected arguments: b a --c d; see $program --help" \
        "$bin/$program" good.json b a --c d
done
refused "draw-images: arguments that are not expected" "draw-images: unexpected arguments: b a; see" "$bin/draw-images" out b a
refused "an option without its argument" "--init" "$bin/resnet-train" good.json --init
refused "an option given twice" "--out" train good.json --out elsewhere
for option in --data --out --init --device --set; do
    refused "an empty $option" 'argument 3 is empty: ""' "$bin/resnet-train" good.json "$option" ""
    refused "an empty $option=" "argument 2 is empty: $option=" "$bin/resnet-train" good.json "$option="
done
refused "an empty configuration" 'argument 1 is empty: ""' "$bin/resnet-train" ""
refused "an empty checkpoint" 'argument 1 is empty: ""' "$bin/resnet-eval" ""
refused "an empty path for the logits" 'argument 3 is empty: ""' "$bin/resnet-eval" trailing.safetensors --logits ""
refused "an empty path for the images" 'argument 1 is empty: ""' "$bin/draw-images" ""
refused "an empty path for the results" 'argument 2 is empty: ""' "$bin/kernel-bench" --json ""
refused "a path that is not UTF-8" "argument 3 is not UTF-8" "$bin/resnet-train" good.json --out $'out\xff'
refused "a checkpoint that is not UTF-8" "argument 1 is not UTF-8" "$bin/resnet-eval" $'\xff.safetensors' --json
refused "an override without a value" "--set train.steps: expected key.path=value" train good.json --set train.steps
refused "an override without a key" "--set =5: expected key.path=value" train good.json --set =5
refused "an override of an unknown key" "the nearest known key is /train/steps" train good.json --set train.stesp=5
refused "a key overridden twice" "/train/seed: given twice on the command line" train good.json --set train.seed=1 --set train.seed=2
refused "a key and its option" "/run/dir: given twice on the command line" train good.json --set run.dir=elsewhere
refused "a path of 30000 keys" "nested more than 32 levels" train good.json --set "$(head -c 60000 /dev/zero | sed 's/\x0\x0/a./g')a=1"
refused "a file instead of a folder" "good.json: not a folder" "$bin/draw-images" good.json
refused "a folder instead of a file" "data: a folder" "$bin/kernel-bench" --json data
refused "a seed that is not a number" "--seed" "$bin/draw-images" out --seed many

report
