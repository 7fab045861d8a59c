# CIFAR-10 and CIFAR-100 as their authors publish the binary versions; sourced after lib.sh, never run.
# shellcheck shell=bash disable=SC2034  # results are variables that the callers read

cifar10_files=(data_batch_1.bin data_batch_2.bin data_batch_3.bin data_batch_4.bin data_batch_5.bin test_batch.bin)
cifar100_files=(train.bin test.bin)
declare -A cifar_bytes=([train.bin]=153700000 [test.bin]=30740000)
for cifar_file in "${cifar10_files[@]}"; do cifar_bytes[$cifar_file]=30730000; done

# describe_cifar cifar10|cifar100: sets what belongs to one of them; status 1 for any other word.
describe_cifar() {
    case $1 in
        cifar10)
            cifar_title=CIFAR-10 cifar_folder=cifar-10-batches-bin
            cifar_files=("${cifar10_files[@]}") cifar_names=(batches.meta.txt)
            cifar_archive=cifar-10-binary.tar.gz cifar_archive_bytes=170052171
            cifar_archive_sha256=c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd
            ;;
        cifar100)
            cifar_title=CIFAR-100 cifar_folder=cifar-100-binary
            cifar_files=("${cifar100_files[@]}") cifar_names=(coarse_label_names.txt fine_label_names.txt)
            cifar_archive=cifar-100-binary.tar.gz cifar_archive_bytes=168513733
            cifar_archive_sha256=58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec
            ;;
        *) return 1 ;;
    esac
    cifar_url=https://www.cs.toronto.edu/~kriz/$cifar_archive
}

# Prints what DIR lacks of the binary files named; prints nothing when all are there with their right size.
missing_from() {
    local dir=$1 name size
    shift
    for name in "$@"; do
        if [ ! -f "$dir/$name" ]; then
            say "$dir/$name is missing"
            return
        fi
        size=$(stat -L -c %s "$dir/$name")
        if [ "$size" != "${cifar_bytes[$name]}" ]; then
            say "$dir/$name has $size bytes instead of ${cifar_bytes[$name]}"
            return
        fi
    done
}
missing_from_cifar10() { missing_from "$1" "${cifar10_files[@]}"; }
missing_from_cifar100() { missing_from "$1" "${cifar100_files[@]}"; }

# Prints the folder that holds the files of a CIFAR-10 folder: itself, or the one that the archive makes inside it.
cifar10_files_in() {
    local inner=$1/cifar-10-batches-bin
    if [ -n "$(missing_from_cifar10 "$1")" ] && [ -z "$(missing_from_cifar10 "$inner")" ]; then
        say "$inner"
    else
        say "$1"
    fi
}
