# Defines CUDNN::cudnn, since cuDNN ships no CMake package. Requires find_package(CUDAToolkit).

find_path(CUDNN_INCLUDE_DIR cudnn.h
    HINTS ${CUDNN_ROOT} $ENV{CUDNN_ROOT} ${CUDAToolkit_ROOT} ${CUDAToolkit_INCLUDE_DIRS}
    PATH_SUFFIXES include
    DOC "Folder of cudnn.h")
find_library(CUDNN_LIBRARY cudnn
    HINTS ${CUDNN_ROOT} $ENV{CUDNN_ROOT} ${CUDAToolkit_ROOT} ${CUDAToolkit_LIBRARY_DIR}
    PATH_SUFFIXES lib64 lib lib/x64
    DOC "libcudnn.so")
if(NOT CUDNN_INCLUDE_DIR OR NOT CUDNN_LIBRARY)
    message(FATAL_ERROR
        "cuDNN was not found (cudnn.h, libcudnn.so). Install cuDNN 9 for CUDA ${CUDAToolkit_VERSION_MAJOR}, "
        "or set its folder with -DCUDNN_ROOT=..., or build for the CPU only with -DRESIDUAL_CUDA=OFF.")
endif()

set(cudnn_version "")
foreach(part MAJOR MINOR PATCHLEVEL)
    file(STRINGS "${CUDNN_INCLUDE_DIR}/cudnn_version.h" line REGEX "^#define CUDNN_${part} [0-9]+")
    string(REGEX MATCH "[0-9]+$" number "${line}")
    list(APPEND cudnn_version ${number})
endforeach()
list(JOIN cudnn_version "." cudnn_version)
if(cudnn_version VERSION_LESS 9 OR NOT cudnn_version VERSION_LESS 10)
    message(FATAL_ERROR
        "cuDNN ${cudnn_version} in ${CUDNN_INCLUDE_DIR} cannot be used: version 9 is required. Install it, "
        "set its folder with -DCUDNN_ROOT=..., or build for the CPU only with -DRESIDUAL_CUDA=OFF.")
endif()
message(STATUS "cuDNN ${cudnn_version}: ${CUDNN_LIBRARY}")

add_library(CUDNN::cudnn UNKNOWN IMPORTED GLOBAL)
set_target_properties(CUDNN::cudnn PROPERTIES
    IMPORTED_LOCATION "${CUDNN_LIBRARY}"
    INTERFACE_INCLUDE_DIRECTORIES "${CUDNN_INCLUDE_DIR}"
    CUDNN_VERSION "${cudnn_version}")
