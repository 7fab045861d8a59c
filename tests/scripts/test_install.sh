#!/usr/bin/env bash
# tools/install.sh with fakes of dpkg, apt-get, sudo, id, cmake, g++ and python3: what it installs, as which user, and
# which versions it refuses.
# shellcheck disable=SC2016  # the bodies of the fake programs are expanded when they run
set -euo pipefail
# shellcheck source=tests/scripts/checks.sh
. "$(dirname "${BASH_SOURCE[0]}")/checks.sh"

tree=$scratch/tree
mkdir -p "$tree/tools"
cp "$repository"/tools/{install,lib}.sh "$tree/tools/"
cp "$repository/CMakeLists.txt" "$tree/"
# Only these programs are on PATH, so that the sudo of this machine is not found.
programs=$scratch/bin
mkdir "$programs"
for name in bash env dirname awk sed grep nproc stat mktemp mkdir cp rm head readlink sort uname; do
    ln -s "$(command -v "$name")" "$programs/$name"
done
# The file $scratch/installed/PACKAGE marks an installed package; apt-get install makes it.
mkdir "$scratch/installed"
fake_program "$programs" dpkg-query '[ -e "$SCRATCH/installed/${!#}" ] && echo -n installed'
fake_program "$programs" apt-get 'echo "apt-get $*" >>"$SCRATCH/log"
[ -e "$SCRATCH/offline" ] && exit 100
case " $* " in *" install "*) for name in "$@"; do echo >"$SCRATCH/installed/$name"; done ;; esac'
say_version() { printf '%s\n' "$2" >"$scratch/$1-version"; }
fake_program "$programs" cmake 'echo "cmake version $(<"$SCRATCH/cmake-version")"'
fake_program "$programs" g++ 'echo "$(<"$SCRATCH/g++-version")"'
say_version cmake 3.25.1
say_version g++ 12.2.0
say_system() { printf 'ID=%s\nVERSION_ID="%s"\n' "$1" "$2" >"$scratch/os-release"; }
say_system debian 12
fake_program "$programs" id 'echo "$(<"$SCRATCH/user")"'
# The first python3 on PATH has no PyTorch; the second does, and its virtual environments have a fake pip.
environment=$tree/build/python
fake_program "$scratch/other" python3 'exit 1'
fake_program "$scratch" environment-python 'case "$*" in
-c*) [ -e "${0%/*}/safetensors" ] ;;
-m\ pip*) echo "$*" >>"$SCRATCH/log"; [ ! -e "$SCRATCH/offline" ] && echo >"${0%/*}/safetensors" ;;
esac'
fake_program "$programs" python3 'case "$*" in
-c*) [ -e "$SCRATCH/installed/python3-torch" ] ;;
-m\ venv*) echo "$*" >>"$SCRATCH/log"; mkdir -p "${!#}/bin"; cp "$SCRATCH/environment-python" "${!#}/bin/python" ;;
esac'
say_user() { printf '%s\n' "$1" >"$scratch/user"; }
install() {
    : >"$scratch/log"
    run env -i PATH="$scratch/other:$programs" HOME="$scratch" SCRATCH="$scratch" OS_RELEASE="$scratch/os-release" \
        ${CXX:+CXX="$CXX"} bash "$tree/tools/install.sh" "$@"
}
logged() { grep -q -- "$1" "$scratch/log"; }
nothing_logged() { [ ! -s "$scratch/log" ]; }

say_user 1000
install
expect "a user without root or sudo is refused" exits_with 1
expect "the message names the command to run" says "run as root: apt-get install g++ cmake ninja-build"
expect "without root, apt-get does not run" nothing_logged

say_user 0
install
expect "root installs" exits_with 0
expect "the package lists are fetched first" logged "^apt-get .*update"
expect "every package is installed" logged "^apt-get .*install .*g++ cmake .*libdnnl-dev .*zlib1g-dev .* curl"
expect "packages of the tests are not installed" [ ! -e "$scratch/installed/clang-format" ]
expect "no virtual environment is made" absent "$environment"

touch "$scratch/offline"
say_user 1000
install
expect "a second call needs neither root nor a network" exits_with 0
expect "a second call does not run apt-get" nothing_logged
expect "a second call says that every package is installed" says "every package needed is installed"

rm "$scratch/offline" "$scratch/installed/cmake"
fake_program "$programs" sudo 'echo "sudo $*" >>"$SCRATCH/log"; exec "$@"'
install
expect "a user with sudo installs" exits_with 0
expect "apt-get runs through sudo" logged "^sudo .*apt-get .*install"
expect "only missing packages are installed" logged "^apt-get .*--no-install-recommends cmake$"

install tests
expect "the argument tests adds the packages of the tests" logged "recommends catch2 ccache libboost-context-dev clang-format dpkg-dev file graphviz locales shellcheck python3 python3-jsonschema python3-numpy python3-pil python3-torch python3-venv qemu-user$"
expect "the packages of the tests are installed" [ -e "$scratch/installed/python3-jsonschema" ]
expect "the virtual environment is made with the python3 that has PyTorch" logged "^-m venv --system-site-packages .*build/python$"
expect "pip installs packages into it" \
    logged "^-m pip install .*safetensors==[0-9.]* onnx==[0-9.]* onnxruntime==[0-9.]* tensorboard==[0-9.]*$"
install tests
expect "a second call does not change the virtual environment" nothing_logged

rm -r "$environment"
touch "$scratch/offline"
install tests
expect "a failing pip: exit 1" exits_with 1
expect "a failing pip: the package is named" says "pip could not install safetensors"
rm "$scratch/offline"
install tests
expect "the next call makes the environment again" logged "^-m venv"
expect "the next call succeeds" exits_with 0

install stress
expect "the argument stress adds the packages of tools/stress.sh" logged "recommends clang libclang-rt-dev libomp-dev llvm$"

rm "$scratch/installed/zlib1g-dev"
touch "$scratch/offline"
install
expect "a failing apt-get: exit 1" exits_with 1
expect "a failing apt-get: the packages are named" says "apt-get could not install: zlib1g-dev"

rm "$scratch/offline"

# Other systems.
everything_new() { rm -rf "$scratch/installed" "$environment" && mkdir "$scratch/installed"; }
install
expect "Debian 12 gives no warning" silent_about "warning: "
say_system ubuntu 22.04
everything_new
install stress
expect "Ubuntu 22.04 is known" silent_about "warning: "
expect "its clang contains what libclang-rt-dev has elsewhere" logged "recommends .* clang libomp-dev llvm$"
say_system ubuntu 24.04
everything_new
install tests
expect "Ubuntu 24.04 is known" silent_about "warning: "
expect "it has no package of PyTorch" logged "recommends .* python3-numpy python3-pil python3-venv qemu-user$"
expect "which comes from PyPI" logged "^-m pip install .*tensorboard==[0-9.]* numpy torch$"
say_system ubuntu 20.04
install
expect "another release is tried, with a warning" says "this is 'ubuntu 20.04'"
expect "and a success" exits_with 0

# Versions.
say_version g++ 10.5.0
install
expect "an old g++: exit 1" exits_with 1
expect "an old g++: the version, the oldest and the remedy" says "g++ 10.5.0 is too old, 11 or newer is needed: install one"
CXX=g++-12 install
expect "another compiler may be chosen" exits_with 0
say_version g++ 11.2.0
install
expect "the oldest g++ suffices" exits_with 0
say_version cmake 3.9.6
install
expect "an old CMake: exit 1" exits_with 1
expect "an old CMake: the version and the remedy" says "CMake 3.9.6 is too old"
expect "an old CMake: the remedy" says "pip install cmake"
oldest=$(sed -n 's/^cmake_minimum_required(VERSION \(.*\))/\1/p' "$repository/CMakeLists.txt")
say_version cmake "$oldest"
install
expect "the CMake that CMakeLists.txt asks for suffices" exits_with 0

everything_new
for help in --help -h; do
    install "$help"
    expect "$help: exit 0" exits_with 0
    expect "$help: prints the usage" says "usage: bash tools/install.sh [tests|stress]"
    expect "$help: installs nothing" nothing_logged
done
install everything
expect "an unknown argument: exit 2" exits_with 2
install tests stress
expect "two arguments: exit 2" exits_with 2
rm "$programs/apt-get"
install
expect "on another system, the message lists what to install" says "install the equivalents of these packages by hand"

report
