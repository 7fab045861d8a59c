// What this library was built from and with.
#pragma once

#include <string>

namespace residual {

// One "name value" a line: version, commit ("unknown" outside a Git checkout), compiler, CUDA, cuDNN, oneDNN.
std::string build_info();

// Of the libraries in use, "3.7.1"; each device's folder defines its own.
std::string onednn_version();
std::string cuda_version();   // "none" in a build without CUDA
std::string cudnn_version();  // likewise

}  // namespace residual
