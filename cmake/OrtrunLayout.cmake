# SPDX-License-Identifier: Apache-2.0
# Where things lie, the same in the build folder and in the wheel, so that everything is found relative to its own file:
#   onnxruntime/capi/libonnxruntime.so.1.30.0
#   onnxruntime/capi/onnxruntime_pybind11_state.*.so
#   onnxruntime/capi/providers/libonnxruntime_providers_*.so
#   ortrun/bin/ortrun
set(ORTRUN_CAPI_DIR "${CMAKE_BINARY_DIR}/onnxruntime/capi")
set(ORTRUN_PROVIDERS_DIR "${ORTRUN_CAPI_DIR}/providers")
set(ORTRUN_BIN_DIR "${CMAKE_BINARY_DIR}/ortrun/bin")

include(GNUInstallDirs)

# ortrun_place(TARGET FOLDER): the built file lies in FOLDER, in every configuration.
function(ortrun_place target folder)
  set_target_properties(${target} PROPERTIES LIBRARY_OUTPUT_DIRECTORY "${folder}" RUNTIME_OUTPUT_DIRECTORY "${folder}")
endfunction()

# ortrun_find_at(TARGET RPATH...): where the loader looks for what TARGET needs; the same text in the build folder as when installed.
function(ortrun_find_at target)
  set_target_properties(${target} PROPERTIES BUILD_WITH_INSTALL_RPATH ON INSTALL_RPATH "${ARGN}")
endfunction()
