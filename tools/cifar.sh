# The binary versions of CIFAR-10 and CIFAR-100 as published; sourced after lib.sh.
# shellcheck shell=bash disable=SC2034  # the callers read these variables

cifar10_files=(data_batch_1.bin data_batch_2.bin data_batch_3.bin data_batch_4.bin data_batch_5.bin test_batch.bin)
declare -A cifar_bytes=([train.bin]=153700000 [test.bin]=30740000)
for cifar_file in "${cifar10_files[@]}"; do cifar_bytes[$cifar_file]=30730000; done

# describe_cifar cifar10|cifar100: sets the cifar_* variables of that data set; status 1 for any other name.
describe_cifar() {
    case $1 in
        cifar10)
            cifar_title=CIFAR-10 cifar_folder=cifar-10-batches-bin
            cifar_files=("${cifar10_files[@]}") cifar_names=(batches.meta.txt)
            cifar_archive_bytes=170052171
            cifar_archive_sha256=c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd
            ;;
        cifar100)
            cifar_title=CIFAR-100 cifar_folder=cifar-100-binary
            cifar_files=(train.bin test.bin) cifar_names=(coarse_label_names.txt fine_label_names.txt)
            cifar_archive_bytes=168513733
            cifar_archive_sha256=58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec
            ;;
        *) return 1 ;;
    esac
    cifar_archive=${cifar_title,,}-binary.tar.gz
    cifar_url=https://www.cs.toronto.edu/~kriz/$cifar_archive
}

# missing_from DIR FILE...: prints the first file that is missing or has the wrong size; nothing if all are complete.
missing_from() {
    local dir=$1 name size
    shift
    for name in "$@"; do
        size=$(stat -L -c %s "$dir/$name" 2>/dev/null) || size=""
        if [ -z "$size" ]; then
            say "$dir/$name is missing"
            return
        elif [ "$size" != "${cifar_bytes[$name]}" ]; then
            say "$dir/$name has $size bytes instead of ${cifar_bytes[$name]}"
            return
        fi
    done
}
missing_from_cifar10() { missing_from "$1" "${cifar10_files[@]}"; }

# cifar10_files_in DIR: prints the folder of the files: DIR, or the archive's folder inside it.
cifar10_files_in() {
    local inner=$1/cifar-10-batches-bin
    if [ -n "$(missing_from_cifar10 "$1")" ] && [ -z "$(missing_from_cifar10 "$inner")" ]; then
        say "$inner"
    else
        say "$1"
    fi
}

# named_cifar10 DIR OPTION: sets `data` to the folder DIR that the user named with OPTION; exit 2 if it lacks files.
# Relative paths start in $called_from.
named_cifar10() {
    local problem
    data=$(from_caller "$1")
    data=$(cifar10_files_in "$data")
    problem=$(missing_from_cifar10 "$data")
    [ -z "$problem" ] || die "$2 is no CIFAR-10 folder: $problem; name a folder of the six .bin files" 2
}
from_caller() {
    local path
    expand_home "$1"
    case $path in /*) say "$path" ;; *) say "${called_from:?}/$path" ;; esac
}
