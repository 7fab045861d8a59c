# Sets CMAKE_CUDA_ARCHITECTURES: machine code for each of these GPUs that this nvcc knows, and PTX of the newest, which
# the driver compiles for GPUs that come later. Machine code of 8.0 also runs on 8.7, of 10.0 on 10.3, and so on.
# Included only if the user has not set the variable. Requires CMAKE_CUDA_COMPILER.
execute_process(COMMAND ${CMAKE_CUDA_COMPILER} --list-gpu-code OUTPUT_VARIABLE known COMMAND_ERROR_IS_FATAL ANY)
set(architectures "")
foreach(number 80 86 89 90 100 120)
  if(known MATCHES "sm_${number}[^0-9]")
    list(APPEND architectures ${number}-real)
    set(newest ${number}-virtual)
  endif()
endforeach()
list(APPEND architectures ${newest})
message(STATUS "GPU architectures: ${architectures}")
set(CMAKE_CUDA_ARCHITECTURES "${architectures}" CACHE STRING "GPUs to compile for" FORCE)
