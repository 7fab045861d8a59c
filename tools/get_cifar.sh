#!/usr/bin/env bash
# Downloads the binary version of CIFAR-10 or CIFAR-100:
#     bash tools/get_cifar.sh cifar10|cifar100 [DIR]
# DIR defaults to the folder in the cache where resnet-train looks; the last line printed is the path of DIR. A broken
# transfer is resumed; if the script itself is interrupted, the next call resumes the download. Size and SHA-256 are
# checked before unpacking, and a file appears in DIR only once it is complete. CIFAR10_URL and CIFAR100_URL can be set
# to the URL of a mirror.
set -euo pipefail
# shellcheck source=tools/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=tools/cifar.sh
. "$(dirname "${BASH_SOURCE[0]}")/cifar.sh"

usage="usage: bash tools/get_cifar.sh cifar10|cifar100 [DIR]"
help_if_asked "$usage" "$@"
which=${1:-}
if ! describe_cifar "$which" || [[ ${2:-} = -* ]]; then die "$usage" 2; fi
if [ $# -ge 2 ]; then
    expand_home "$2"
    dir=$path
else
    dir=$(cache_folder)/$which
fi
# The tests replace the published archive by a small one.
for fact in URL ARCHIVE_BYTES ARCHIVE_SHA256; do
    override=${which^^}_$fact
    if [ -n "${!override:-}" ]; then declare "cifar_${fact,,}=${!override}"; fi
done
url=$cifar_url archive_bytes=$cifar_archive_bytes archive_sha256=$cifar_archive_sha256

missing() { missing_from "$1" "${cifar_files[@]}"; }

finish() {
    say "$cifar_title is in:"
    say "$dir"
    exit 0
}

if [ -z "$(missing "$dir")" ]; then finish; fi
again="name another folder: bash tools/get_cifar.sh $which DIR"
mkdir -p "$dir" || die "cannot make the folder $dir; $again"
dir=$(cd "$dir" && pwd)
work=$dir/.download part=$dir/.download/$cifar_archive.part

exec 9>"$dir/.lock" || die "cannot write into $dir; $again"
if ! flock --nonblock 9; then
    say "another download into $dir is in progress; waiting for it"
    flock 9
    if [ -z "$(missing "$dir")" ]; then finish; fi
fi
mkdir -p "$work"

bytes_here() { stat -c %s "$part" 2>/dev/null || say 0; }

# Fetches until the archive has its full size. Resumes a broken connection; gives up after five attempts in a row
# without new bytes.
download() {
    local idle=0 before after status quiet=(--silent --show-error)
    if [ -t 2 ]; then quiet=(--progress-bar); fi
    while before=$(bytes_here) && [ "$before" -lt "$archive_bytes" ]; do
        if [ "$before" -gt 0 ]; then say "resuming at byte $before of $archive_bytes"; fi
        status=0
        curl "${quiet[@]}" --fail --location --connect-timeout 20 --speed-limit 1000 --speed-time 30 \
            --max-filesize "$archive_bytes" --continue-at - --output "$part" "$url" 9>&- || status=$?
        after=$(bytes_here)
        case $status in
            0)
                if [ "$after" -lt "$archive_bytes" ]; then
                    rm -f "$part"
                    die "$url sent $after bytes, not the $archive_bytes of the archive: a proxy's page or another file?"
                fi
                ;;
            18 | 28 | 52 | 55 | 56 | 92) ;; # connection lost or stalled
            23) die "cannot write $part: is the disk full? Free some space and call again to resume" ;;
            33)
                say "the server cannot resume; starting over"
                rm -f "$part"
                ;;
            63)
                rm -f "$part"
                die "$url is larger than the $archive_bytes bytes of the archive: another file"
                ;;
            *) die "could not download $url (curl status $status, see its message above)" ;;
        esac
        if [ "$after" -gt "$before" ]; then idle=0; else idle=$((idle + 1)); fi
        if [ "$idle" -ge 5 ]; then die "$url keeps failing at byte $after of $archive_bytes; call again to resume"; fi
    done
}

is_the_archive() { printf '%s  %s\n' "$archive_sha256" "$part" | sha256sum --check --status; }

resumed=$(bytes_here)
say "downloading $url ($archive_bytes bytes) into $dir"
download
if ! is_the_archive && [ "$resumed" -gt 0 ]; then
    say "the data of an earlier call do not match; downloading again from the start"
    rm -f "$part"
    download
fi
if ! is_the_archive; then
    found=$(sha256sum <"$part") size=$(bytes_here)
    rm -f "$part"
    die "$url is not the archive: $size bytes with SHA-256 ${found%% *}, expected $archive_bytes with $archive_sha256"
fi

# Unpacks only the expected names, into a separate folder on the file system of DIR.
rm -rf "$work/unpacked"
mkdir "$work/unpacked"
contents=("${cifar_names[@]}" "${cifar_files[@]}")
wanted=("${contents[@]/#/$cifar_folder/}")
tar --list --gzip --file "$part" "${wanted[@]}" >/dev/null || die "the archive does not hold the files expected of $cifar_title"
if ! tar --extract --gzip --file "$part" --directory "$work/unpacked" --no-same-owner --no-same-permissions "${wanted[@]}"; then
    rm -rf "$work/unpacked"
    die "cannot unpack into $work: is the disk full? Free some space and call again: the archive is kept"
fi
unpacked=$work/unpacked/$cifar_folder
for name in "${contents[@]}"; do
    if [ -L "$unpacked/$name" ] || [ ! -f "$unpacked/$name" ] || [ "$(stat -c %h "$unpacked/$name")" != 1 ]; then
        die "$name in the archive is not a regular file"
    fi
done
problem=$(missing "$unpacked")
if [ -n "$problem" ]; then die "a file of the archive is wrong: $problem"; fi
for name in "${contents[@]}"; do
    mv -fT "$unpacked/$name" "$dir/$name"
done
rm -rf "$work"
finish
