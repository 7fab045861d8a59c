# The Debian packages `residual` and `libresidual-dev`, made of the components `programs` and `development` of a build for
# the CPU:
#     cmake --build build && cpack -G DEB --config build/CPackConfig.cmake
# The maintainer is taken from DEBFULLNAME and DEBEMAIL, as Debian's own tools do.

set(MAINTAINER "The Residual authors <residual@packages.invalid>")
if(DEFINED ENV{DEBFULLNAME} AND DEFINED ENV{DEBEMAIL})
  set(MAINTAINER "$ENV{DEBFULLNAME} <$ENV{DEBEMAIL}>")
endif()
set(REVISION 1)

# More files for /usr/share/doc. EXCLUDE_FROM_ALL: `cmake --install` leaves them out.
string(TIMESTAMP DATE "%a, %d %b %Y %H:%M:%S +0000" UTC)
configure_file(changelog.Debian.in changelog.Debian @ONLY)
configure_file(${PROJECT_SOURCE_DIR}/docs/changelog.md changelog COPYONLY)
execute_process(COMMAND gzip --best --no-name --force --keep changelog changelog.Debian
                WORKING_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR} COMMAND_ERROR_IS_FATAL ANY)
# debian_documents(COMPONENT PACKAGE FILE...)
function(debian_documents component package)
  set(where DESTINATION share/doc/${package} COMPONENT ${component} EXCLUDE_FROM_ALL)
  install(FILES ${PROJECT_SOURCE_DIR}/LICENSE RENAME copyright ${where})
  install(FILES ${CMAKE_CURRENT_BINARY_DIR}/changelog.gz ${CMAKE_CURRENT_BINARY_DIR}/changelog.Debian.gz ${ARGN} ${where})
endfunction()
debian_documents(programs residual)
debian_documents(development libresidual-dev ${CMAKE_CURRENT_BINARY_DIR}/library.md)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/docs/examples DESTINATION share/doc/libresidual-dev COMPONENT development
        EXCLUDE_FROM_ALL PATTERN .clang-format EXCLUDE)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME residual)
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "")  # each package has its own
set(CPACK_PACKAGE_CONTACT ${MAINTAINER})
set(CPACK_COMPONENTS_ALL programs development)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
    OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE ${REVISION})
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)

set(CPACK_DEBIAN_PROGRAMS_PACKAGE_NAME residual)
set(CPACK_DEBIAN_PROGRAMS_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PROGRAMS_PACKAGE_SHLIBDEPS ON)
# get_cifar.sh needs them.
set(CPACK_DEBIAN_PROGRAMS_PACKAGE_RECOMMENDS "ca-certificates, curl")
# For resnet-diagram, and for import_weights.py, which also needs safetensors from PyPI.
set(CPACK_DEBIAN_PROGRAMS_PACKAGE_SUGGESTS "graphviz, python3:any, python3-numpy, python3-venv")
set(CPACK_DEBIAN_PROGRAMS_DESCRIPTION "training and evaluation of deep residual networks
resnet-train builds ResNets, plain networks and Wide ResNets from a JSON file
and trains them on CIFAR-10 and CIFAR-100; resnet-eval evaluates a checkpoint,
resnet-report writes an HTML page about runs, resnet-predict classifies image
files, resnet-export writes an ONNX model, and resnet-diagram draws a network.
/usr/share/residual/tools/get_cifar.sh downloads the data; draw-images makes
synthetic images instead. import_weights.py, also there, converts the weights
of a PyTorch model.
.
The programs of this package compute on the CPU.")

set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME libresidual-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
# What residual-config.cmake and residual.pc look for; oneDNN's own CMake files look for OpenCL.
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS
    "g++, libdnnl-dev, libfmt-dev, zlib1g-dev, ocl-icd-opencl-dev | opencl-dev")
set(CPACK_DEBIAN_DEVELOPMENT_DESCRIPTION "deep-learning engine in C++20 (development files)
Headers and static libraries of Residual: tensors, a reverse-mode autograd
tape, layers, optimizer, data sets, checkpoints and residual networks. For
CMake's find_package(residual) and for pkg-config.")
include(CPack)
