# SPDX-License-Identifier: Apache-2.0
# Two ways to install. A plain `cmake --install` lays out a C and C++ development tree with a CMake package; scikit-build-core installs the
# component `wheel` alone, which follows OrtrunLayout.
include(CMakePackageConfigHelpers)

set(ORTRUN_CMAKE_DIR "${CMAKE_INSTALL_LIBDIR}/cmake/ortrun")

install(TARGETS onnxruntime plugin_api EXPORT ortrun COMPONENT dev LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT dev
        NAMELINK_COMPONENT dev)
install(DIRECTORY "${CMAKE_SOURCE_DIR}/plugin-api/include/" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/ortrun" COMPONENT dev
        FILES_MATCHING PATTERN "*.h")
install(EXPORT ortrun NAMESPACE ortrun:: FILE ortrunTargets.cmake DESTINATION "${ORTRUN_CMAKE_DIR}" COMPONENT dev)
configure_package_config_file("${CMAKE_SOURCE_DIR}/cmake/ortrunConfig.cmake.in" "${CMAKE_BINARY_DIR}/ortrunConfig.cmake"
                              INSTALL_DESTINATION "${ORTRUN_CMAKE_DIR}" NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file("${CMAKE_BINARY_DIR}/ortrunConfigVersion.cmake" COMPATIBILITY SameMajorVersion)
install(FILES "${CMAKE_BINARY_DIR}/ortrunConfig.cmake" "${CMAKE_BINARY_DIR}/ortrunConfigVersion.cmake" DESTINATION "${ORTRUN_CMAKE_DIR}"
        COMPONENT dev)
install(FILES "${CMAKE_SOURCE_DIR}/LICENSE" "${CMAKE_SOURCE_DIR}/NOTICE" DESTINATION "${CMAKE_INSTALL_DOCDIR}" COMPONENT dev)

# The wheel keeps one file of the library, named by its full version: an archive without links would hold it twice.
install(FILES $<TARGET_FILE:onnxruntime> DESTINATION onnxruntime/capi COMPONENT wheel EXCLUDE_FROM_ALL)

# The core looks for providers in the folder `providers` beside its own file.
if(TARGET onnxruntime_providers_cpu)
  install(TARGETS onnxruntime_providers_cpu LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}/providers" COMPONENT dev)
  install(FILES $<TARGET_FILE:onnxruntime_providers_cpu> DESTINATION onnxruntime/capi/providers COMPONENT wheel EXCLUDE_FROM_ALL)
endif()
if(TARGET onnxruntime_pybind11_state)
  install(FILES $<TARGET_FILE:onnxruntime_pybind11_state> DESTINATION onnxruntime/capi COMPONENT wheel EXCLUDE_FROM_ALL)
endif()
if(TARGET ortrun)
  install(TARGETS ortrun RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}" COMPONENT dev)
  install(PROGRAMS $<TARGET_FILE:ortrun> DESTINATION ortrun/bin COMPONENT wheel EXCLUDE_FROM_ALL)
endif()
