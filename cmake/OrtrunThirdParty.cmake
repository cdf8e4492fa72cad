# SPDX-License-Identifier: Apache-2.0
# The libraries that packaging/third_party.sh builds, as targets. They are built at configure time where they are missing.

if(NOT EXISTS "${ORTRUN_THIRD_PARTY_DIR}/lib/libre2.a")
  message(STATUS "Building the third-party libraries into ${ORTRUN_THIRD_PARTY_DIR} (once, some minutes)")
  execute_process(COMMAND "${CMAKE_SOURCE_DIR}/packaging/third_party.sh" "${ORTRUN_THIRD_PARTY_DIR}" RESULT_VARIABLE result)
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "packaging/third_party.sh failed; run packaging/setup.sh first, it installs what the build needs")
  endif()
endif()

find_package(Threads REQUIRED)

add_library(ortrun_onnx INTERFACE)
add_library(ortrun::onnx ALIAS ortrun_onnx)
target_include_directories(ortrun_onnx SYSTEM INTERFACE "${ORTRUN_THIRD_PARTY_DIR}/include")
target_compile_definitions(ortrun_onnx INTERFACE ONNX_NAMESPACE=onnx ONNX_ML=1 ONNX_USE_LITE_PROTO=1)
target_link_libraries(ortrun_onnx INTERFACE "${ORTRUN_THIRD_PARTY_DIR}/lib/libonnx.a" "${ORTRUN_THIRD_PARTY_DIR}/lib/libprotobuf-lite.a"
                      Threads::Threads)

add_library(ortrun_openblas INTERFACE)
add_library(ortrun::openblas ALIAS ortrun_openblas)
target_include_directories(ortrun_openblas SYSTEM INTERFACE "${ORTRUN_THIRD_PARTY_DIR}/include/openblas")
target_link_libraries(ortrun_openblas INTERFACE "${ORTRUN_THIRD_PARTY_DIR}/lib/libopenblas.a" Threads::Threads m)

add_library(ortrun_highway INTERFACE)
add_library(ortrun::highway ALIAS ortrun_highway)
target_include_directories(ortrun_highway SYSTEM INTERFACE "${ORTRUN_THIRD_PARTY_DIR}/include/highway")
target_compile_definitions(ortrun_highway INTERFACE HWY_STATIC_DEFINE)
target_link_libraries(ortrun_highway INTERFACE "${ORTRUN_THIRD_PARTY_DIR}/lib/libhwy.a")

add_library(ortrun_re2 INTERFACE)
add_library(ortrun::re2 ALIAS ortrun_re2)
target_include_directories(ortrun_re2 SYSTEM INTERFACE "${ORTRUN_THIRD_PARTY_DIR}/include/re2")
target_link_libraries(ortrun_re2 INTERFACE "${ORTRUN_THIRD_PARTY_DIR}/lib/libre2.a" Threads::Threads)

# Debian's packages, static, so that a wheel carries no library of theirs.
set(Boost_USE_STATIC_LIBS ON)
find_package(Boost 1.74 CONFIG REQUIRED COMPONENTS filesystem program_options)
