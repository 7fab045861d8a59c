#!/usr/bin/env bash
# tests/layering/check_includes.sh accepts this repository and rejects each wrong include planted in a small tree.
set -euo pipefail
# shellcheck source=tests/scripts/checks.sh
. "$(dirname "${BASH_SOURCE[0]}")/checks.sh"
checker=$repository/tests/layering/check_includes.sh

run bash "$checker" "$repository"
expect "this repository passes" exits_with 0

tree=$scratch/tree
# plant FILE LINE...: writes a file of the small tree.
plant() {
    local file=$tree/$1
    shift
    mkdir -p "$(dirname "$file")"
    printf '%s\n' "$@" >"$file"
}
fresh_tree() {
    rm -rf "$tree"
    plant kernels/elementwise.h '#pragma once' '#include <cstdint>'
    plant kernels/cuda/elementwise.cu '#include <cuda_runtime.h>' '#include "kernels/elementwise.h"'
    plant engine/core/tensor.h '#include "engine/core/error.h"' '// #include "tools/trainer.h" in a comment does not count'
    plant engine/config/config.h '#include "engine/core/error.h"'
    plant engine/backend/backend.h '#include "engine/config/config.h"' '#include "kernels/elementwise.h"'
    plant engine/backend/cpu/matmul.cpp '#include <oneapi/dnnl/dnnl.hpp>' '#include "engine/backend/backend.h"'
    plant engine/backend/cuda/conv.cpp '#include <cuda_runtime.h>' '#include <cublas_v2.h>' '#  include <cudnn_graph.h>'
    plant engine/train/trainer.h '#include "engine/io/file.h"' '#include "engine/data/cifar10.h"'
    plant engine/io/file.h '#include "engine/nn/module.h"' '#include "engine/io/other.h"'
    plant models/resnet.h '#include "engine/nn/module.h"'
    plant tools/run/session.h '#include "models/resnet.h"' '#include "engine/train/trainer.h"'
    plant tools/train.cpp '#include <CLI/CLI.hpp>' '#include "models/resnet.h"' '#include "tools/run/session.h"'
}

fresh_tree
run bash "$checker" "$tree"
expect "a tree without a wrong include passes" exits_with 0
expect "every include is read" says "22 includes in 12 files read, 0 wrong"

# refuses FILE LINE REASON: adding this file makes the check fail with a message that names the place.
refuses() {
    fresh_tree
    plant "$1" '' "$2"
    run bash "$checker" "$tree"
    expect "$1 with $2 is refused" exits_with 1
    expect "$1 with $2: the place is printed" says "$1:2: "
    expect "$1 with $2: the reason is printed" says "$3"
    expect "$1 with $2: no other include is refused" says ", 1 wrong"
}
refuses kernels/bad.h '#include "engine/core/tensor.h"' "kernels may not include engine/core"
refuses kernels/host/bad.cpp '#include "models/resnet.h"' "kernels may not include models"
refuses engine/core/bad.cpp '#include "models/resnet.h"' "engine/core may not include models"
refuses models/bad.h '#include "tools/run/experiment.h"' "models may not include tools"
refuses models/bad.cpp '#include "tools/run/session.h"' "models may not include tools/run"
refuses tools/run/bad.cpp '#include "tools/programs/program.h"' "tools/run may not include tools"
refuses engine/core/bad.h '#include "engine/config/config.h"' "engine/core may not include engine/config"
refuses engine/config/bad.h '#include "engine/backend/backend.h"' "engine/config may not include engine/backend"
refuses engine/backend/bad.h '#include "engine/autograd/tape.h"' "engine/backend may not include engine/autograd"
refuses engine/backend/cpu/bad.h '#include "engine/ops/conv.h"' "engine/backend may not include engine/ops"
refuses engine/autograd/bad.h '#include "engine/ops/conv.h"' "engine/autograd may not include engine/ops"
refuses engine/ops/bad.h '#  include   "engine/nn/module.h"' "engine/ops may not include engine/nn"
refuses engine/nn/bad.h '	#include "engine/optim/sgd.h"' "engine/nn may not include engine/optim"
refuses engine/data/bad.h '#include "engine/train/trainer.h"' "engine/data may not include engine/train"
refuses engine/optim/bad.h '#include "engine/io/file.h"' "engine/optim and engine/io are siblings"
refuses engine/metrics/bad.h '#include <engine/data/cifar10.h>' "engine/metrics and engine/data are siblings"
refuses engine/nn/bad.cpp '#include "engine/nm/module.h"' "no known layer of engine"
refuses models/bad.cpp '#include "resnet.h"' "no path from the root"
refuses tools/bad.cpp '#include "tests/catch.h"' "no path from the root"
refuses tools/bad.cpp '#include "../models/resnet.h"' "no path from the root"
refuses tools/bad.cpp '#include WHAT' "names no file"
refuses engine/ops/bad.cpp '#include <cudnn.h>' "allowed only in engine/backend/cuda/"
refuses engine/backend/cuda/bad.cpp '#include <cudnn.h>' "declares the legacy API of cuDNN"
refuses engine/backend/cpu/bad.cpp '#include "cublas_v2.h"' "allowed only in engine/backend/cuda/"
refuses engine/backend/cuda/bad.cpp '#include <oneapi/dnnl/dnnl.hpp>' "allowed only in engine/backend/cpu/"
refuses engine/nn/bad.cpp '#include "dnnl.hpp"' "allowed only in engine/backend/cpu/"
refuses kernels/cuda/bad.cu '#include <cudnn_ops.h>' "allowed only in engine/backend/cuda/"
refuses kernels/host/bad.cpp '#include <cuda_runtime.h>' "allowed only in engine/backend/cuda/ kernels/cuda/"
refuses engine/train/bad.cpp '#include <cuda_runtime.h>' "allowed only in engine/backend/cuda/ kernels/cuda/"
refuses tools/run/bad.cpp '#include <onnx/onnx_pb.h>' "allowed only in tools/export/"
refuses tools/bad.cpp '#include <nccl.h>' "allowed only in engine/dist/"

fresh_tree
plant engine/misc/stray.h '#include <string>'
run bash "$checker" "$tree"
expect "a file in no known layer is refused" says "engine/misc/stray.h: in no known layer"
rm -r "$tree/models"
run bash "$checker" "$tree"
expect "a missing folder: exit 1" exits_with 1

report
