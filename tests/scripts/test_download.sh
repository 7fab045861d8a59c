#!/usr/bin/env bash
# tools/get_cifar.sh against a loopback server with faults. The archive holds six files of zeros, of the real size.
set -euo pipefail
# shellcheck source=tests/scripts/checks.sh
. "$(dirname "${BASH_SOURCE[0]}")/checks.sh"
unset http_proxy https_proxy all_proxy ALL_PROXY CIFAR10_URL CIFAR100_URL
# shellcheck source=tools/lib.sh
. "$repository/tools/lib.sh"
# shellcheck source=tools/cifar.sh
. "$repository/tools/cifar.sh"

served=$scratch/served
mkdir -p "$served" "$scratch/content/cifar-10-batches-bin"
for name in "${cifar10_files[@]}"; do truncate -s 30730000 "$scratch/content/cifar-10-batches-bin/$name"; done
printf 'airplane\nautomobile\n' >"$scratch/content/cifar-10-batches-bin/batches.meta.txt"
printf 'readme' >"$scratch/content/cifar-10-batches-bin/readme.html"
tar -czf "$served/good.tar.gz" -C "$scratch/content" cifar-10-batches-bin

python3 "$(dirname "${BASH_SOURCE[0]}")/file_server.py" "$served" "$scratch/requests" "$scratch/port" &
background+=($!)
for _ in {1..100}; do
    [ -f "$scratch/port" ] && break
    sleep 0.1
done
server=http://127.0.0.1:$(cat "$scratch/port")

# full_at KIBIBYTES COMMAND...: simulates a full disk by a limit on the size of a file.
full_at() (
    trap '' XFSZ
    ulimit -f "$1"
    "${@:2}"
)
disk=()

# fetch PATH ARCHIVE DIR: downloads from PATH with the size and checksum of ARCHIVE as the published ones.
fetch() {
    : >"$scratch/requests"
    run "${disk[@]}" env CIFAR10_URL="$server/$1" CIFAR10_ARCHIVE_BYTES="$(stat -c %s "$served/$2")" \
        CIFAR10_ARCHIVE_SHA256="$(sha256sum <"$served/$2" | cut -d' ' -f1)" \
        bash "$repository/tools/get_cifar.sh" cifar10 "$3"
}
complete() { [ -z "$(missing_from_cifar10 "$1")" ] && [ -f "$1/batches.meta.txt" ] && [ ! -e "$1/readme.html" ]; }
empty() { [ -z "$(find "$1" -name '*.bin' -not -path '*/.download/*' 2>/dev/null)" ]; }
requests() { [ "$(wc -l <"$scratch/requests")" = "$1" ]; }
requested() { grep -qF "$1" "$scratch/requests"; }
half_of() { head -c "$(($(stat -c %s "$1") / 2))" "$1"; }
part=.download/cifar-10-binary.tar.gz.part
dir=""
# into NAME: selects the folder of the next download; removes the previous one, as each takes 184 MB.
into() {
    rm -rf ${dir:+"$dir"}
    dir=$scratch/$1
}

into whole/cifar10
fetch plain/good.tar.gz good.tar.gz "$dir"
expect "a whole download succeeds" exits_with 0
expect "every file is there" complete "$dir"
expect "the folder is the last line" last_line_is "$dir"
expect "the archive is removed" absent "$dir/.download"
fetch plain/good.tar.gz good.tar.gz "$dir"
expect "a second call succeeds" exits_with 0
expect "a second call sends no request" requests 0

rm "$dir/data_batch_3.bin"
truncate -s 1000 "$dir/test_batch.bin"
fetch plain/good.tar.gz good.tar.gz "$dir"
expect "missing and short files are replaced" complete "$dir"

into cut
fetch cut/good.tar.gz good.tar.gz "$dir"
expect "a broken connection is resumed" exits_with 0
expect "the broken download is complete" complete "$dir"
expect "only the rest is requested" requested "bytes="

into resumed
mkdir -p "$dir/.download"
half_of "$served/good.tar.gz" >"$dir/$part"
fetch plain/good.tar.gz good.tar.gz "$dir"
expect "a partial download of an earlier call is resumed" requested "bytes=$(($(stat -c %s "$served/good.tar.gz") / 2))-"
expect "one request gets the rest" requests 1
expect "the resumed download is complete" complete "$dir"

into corrupt
mkdir -p "$dir/.download"
head -c 5000 /dev/zero >"$dir/$part"
fetch plain/good.tar.gz good.tar.gz "$dir"
expect "a corrupt partial download is discarded" says "downloading again from the start"
expect "the second attempt is complete" complete "$dir"

into no_ranges
mkdir -p "$dir/.download"
half_of "$served/good.tar.gz" >"$dir/$part"
fetch whole/good.tar.gz good.tar.gz "$dir"
expect "from a server that cannot resume, the whole file is downloaded" complete "$dir"

half_of "$served/good.tar.gz" >"$served/short.tar.gz"
into short
fetch plain/short.tar.gz good.tar.gz "$dir"
expect "a truncated archive is refused" exits_with 1
expect "a truncated archive: the size is printed" says "sent $(stat -c %s "$served/short.tar.gz") bytes"
expect "nothing of it is in place" empty "$dir"
expect "nothing of it is kept to resume" absent "$dir/$part"

for full in 100:"cannot write $scratch/full100/$part" 20000:"cannot unpack into $scratch/full20000/.download"; do
    into "full${full%%:*}"
    disk=(full_at "${full%%:*}")
    fetch plain/good.tar.gz good.tar.gz "$dir"
    expect "a disk full at ${full%%:*} KiB is an error" exits_with 1
    expect "the message says so" says "${full#*:}: is the disk full?"
    expect "a full disk: no incomplete file is in place" empty "$dir"
    expect "a full disk: the unpacked files are removed" absent "$dir/.download/unpacked"
    disk=()
    fetch plain/good.tar.gz good.tar.gz "$dir"
    expect "with room, the next call succeeds" exits_with 0
    expect "and the data are complete" complete "$dir"
    expect "with room, the archive is not downloaded again" [ "$(grep -c None "$scratch/requests" || true)" = 0 ]
done

printf '<!DOCTYPE html><html>Please log in to the network</html>' >"$served/page.html"
into page
fetch plain/page.html good.tar.gz "$dir"
expect "an HTML page instead of the archive is refused" exits_with 1
expect "the message says so" says "a proxy's page or another file"
expect "nothing of the page is in place" empty "$dir"

cp "$served/good.tar.gz" "$served/changed.tar.gz"
printf 'x' | dd of="$served/changed.tar.gz" bs=1 seek=4000 conv=notrunc status=none
into changed
fetch plain/changed.tar.gz good.tar.gz "$dir"
expect "a wrong checksum is refused" exits_with 1
expect "both checksums are named" says "$(sha256sum <"$served/changed.tar.gz" | cut -d' ' -f1)"
expect "nothing of it is unpacked" empty "$dir"
expect "nothing of it is kept to resume" absent "$dir/$part"

cat "$served/good.tar.gz" "$served/good.tar.gz" >"$served/large.tar.gz"
into large
fetch plain/large.tar.gz good.tar.gz "$dir"
expect "a larger file is refused" exits_with 1
expect "nothing of it is in place" empty "$dir"

into nowhere
fetch gone/good.tar.gz good.tar.gz "$dir"
expect "an HTTP error: exit 1" exits_with 1
expect "an HTTP error: the address is printed" says "could not download $server/gone/good.tar.gz"
run env CIFAR10_URL=http://127.0.0.1:1/x bash "$repository/tools/get_cifar.sh" cifar10 "$dir"
expect "no connection: exit 1" exits_with 1

# Archives with the right checksum, but with names outside the folder, a link, a file of the wrong size, or one missing.
python3 - "$scratch/content/cifar-10-batches-bin" "$served" <<'PYTHON'
import io
import os
import sys
import tarfile

source, served = sys.argv[1:]
names = sorted(os.listdir(source))


def archive(name, extra, skip=()):
    with tarfile.open(os.path.join(served, name), "w:gz", compresslevel=1) as tar:
        for member in names:
            if member not in skip:
                tar.add(os.path.join(source, member), "cifar-10-batches-bin/" + member)
        for member, link in extra:
            info = tarfile.TarInfo(member)
            info.type, info.linkname = (tarfile.SYMTYPE, link) if link else (tarfile.REGTYPE, "")
            info.size = 0 if link else 5
            tar.addfile(info, None if link else io.BytesIO(b"owned"))


archive("hostile.tar.gz", [("../outside", None), ("/tmp/../outside", None), ("cifar-10-batches-bin/../../outside", None),
                           ("cifar-10-batches-bin/.bashrc", None), ("elsewhere", "/")])
archive("link.tar.gz", [("cifar-10-batches-bin/test_batch.bin", "data_batch_1.bin")], skip=("test_batch.bin",))
archive("small.tar.gz", [("cifar-10-batches-bin/test_batch.bin", None)], skip=("test_batch.bin",))
archive("lacking.tar.gz", [], skip=("data_batch_5.bin",))
PYTHON
into hostile/in/cifar10
fetch plain/hostile.tar.gz hostile.tar.gz "$dir"
expect "an archive with names outside the folder: the data files are unpacked" complete "$dir"
expect "an archive with names outside the folder: no other file is written" \
    [ "$(find "$scratch/hostile" -type f -o -type l | sed 's|.*/||' | LC_ALL=C sort | tr '\n' ' ')" = \
    ".lock batches.meta.txt data_batch_1.bin data_batch_2.bin data_batch_3.bin data_batch_4.bin data_batch_5.bin test_batch.bin " ]
for wrong in link:"is not a regular file" small:"has 5 bytes instead of 30730000" lacking:"does not hold the files expected"; do
    into "${wrong%%:*}"
    fetch "plain/${wrong%%:*}.tar.gz" "${wrong%%:*}.tar.gz" "$dir"
    expect "an archive with wrong contents is refused" exits_with 1
    expect "the reason is printed" says "${wrong#*:}"
    expect "nothing of it is in place" empty "$dir"
done

mkdir "$scratch/content/cifar-100-binary"
truncate -s 153700000 "$scratch/content/cifar-100-binary/train.bin"
truncate -s 30740000 "$scratch/content/cifar-100-binary/test.bin"
printf 'apple\n' >"$scratch/content/cifar-100-binary/fine_label_names.txt"
printf 'fish\n' >"$scratch/content/cifar-100-binary/coarse_label_names.txt"
tar -czf "$served/hundred.tar.gz" -C "$scratch/content" cifar-100-binary
rm -r "$scratch/content/cifar-100-binary"
into cifar100
hundred() {
    run env CIFAR100_URL="$server/$1" CIFAR100_ARCHIVE_BYTES="$(stat -c %s "$served/$2")" \
        CIFAR100_ARCHIVE_SHA256="$(sha256sum <"$served/$2" | cut -d' ' -f1)" \
        bash "$repository/tools/get_cifar.sh" cifar100 "$dir"
}
hundred plain/good.tar.gz good.tar.gz
expect "CIFAR-10's archive is not taken for CIFAR-100" exits_with 1
expect "the reason is printed" says "does not hold the files expected of CIFAR-100"
rm -r "$dir"
hundred cut/hundred.tar.gz hundred.tar.gz
expect "CIFAR-100 is downloaded over a broken connection" exits_with 0
expect "CIFAR-100 is complete" [ -z "$(missing_from "$dir" train.bin test.bin)" ]
expect "CIFAR-100 has its class names" [ -f "$dir/fine_label_names.txt" ]
expect "the folder is the last line" last_line_is "$dir"
: >"$scratch/requests"
hundred plain/hundred.tar.gz hundred.tar.gz
expect "a second call sends no request" requests 0
rm "$served/hundred.tar.gz"
for words in "" cifar1000 --force "cifar100 --force"; do
    # shellcheck disable=SC2086  # the words are arguments
    run bash "$repository/tools/get_cifar.sh" $words
    expect "get_cifar.sh $words: wrong usage" exits_with 2
    expect "the usage is printed" says "usage: bash tools/get_cifar.sh cifar10|cifar100 [DIR]"
done

into two
: >"$scratch/requests"
export CIFAR10_URL=$server/slow/good.tar.gz
CIFAR10_ARCHIVE_BYTES=$(stat -c %s "$served/good.tar.gz")
CIFAR10_ARCHIVE_SHA256=$(sha256sum <"$served/good.tar.gz" | cut -d' ' -f1)
export CIFAR10_ARCHIVE_BYTES CIFAR10_ARCHIVE_SHA256
bash "$repository/tools/get_cifar.sh" cifar10 "$dir" >"$scratch/first" 2>&1 &
first=$!
sleep 0.7
run bash "$repository/tools/get_cifar.sh" cifar10 "$dir"
expect "of two calls at once, the second waits" says "another download into $dir is in progress"
expect "the second call finds the data" exits_with 0
expect "the first call succeeds" wait "$first"
expect "the two calls need one download" requests 1
expect "the data are complete after two calls at once" complete "$dir"
unset CIFAR10_URL

run env -u HOME -u XDG_CACHE_HOME bash "$repository/tools/get_cifar.sh" cifar10
expect "without a cache folder, the message says so" says "neither XDG_CACHE_HOME nor HOME is set"
touch "$scratch/file"
run env CIFAR10_URL="$server/plain/good.tar.gz" bash "$repository/tools/get_cifar.sh" cifar10 "$scratch/file/cifar10"
expect "a folder that cannot be made: the message says so" says "cannot make the folder"

report
