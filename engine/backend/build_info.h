// The versions of this library, its compiler and the libraries that it uses.
#pragma once

#include <string>

namespace residual {

// "0.1.0 (commit 3ad6c519daf0)".
std::string version_and_commit();

// One name and value per line: version, commit ("unknown" outside a Git checkout), compiler, CUDA, cuDNN, oneDNN.
std::string build_info();

// Versions of the libraries in use, such as "3.7.1". Each function is defined in the folder of its device.
std::string onednn_version();
std::string cuda_version();   // "none" in a build without CUDA
std::string cudnn_version();  // "none" in a build without CUDA

}  // namespace residual
