# SPDX-License-Identifier: Apache-2.0
# How every target of the tree is compiled and linked.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_C_STANDARD 11)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Release, Debug or RelWithDebInfo" FORCE)
endif()

if(NOT CMAKE_CXX_COMPILER_LAUNCHER)
  find_program(CCACHE ccache)
  if(CCACHE)
    set(CMAKE_C_COMPILER_LAUNCHER "${CCACHE}")
    set(CMAKE_CXX_COMPILER_LAUNCHER "${CCACHE}")
  endif()
endif()

add_compile_options(-Wall -Wextra $<$<COMPILE_LANGUAGE:CXX>:-Wconversion> -ffunction-sections -fdata-sections)
add_link_options(-Wl,--gc-sections -Wl,--as-needed)
if(ORTRUN_WERROR)
  add_compile_options(-Werror)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # Unique symbols are shared between all copies in a process and pin a library for ever, even hidden behind dlopen.
  add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-fno-gnu-unique>)
endif()
if(CMAKE_BUILD_TYPE STREQUAL "Release" AND NOT ORTRUN_SANITIZE)
  add_link_options(-s)
endif()

if(ORTRUN_SANITIZE)
  add_compile_options(-fsanitize=${ORTRUN_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all -g1)
  add_link_options(-fsanitize=${ORTRUN_SANITIZE})
endif()

# ortrun_export_only(TARGET SYMBOL...): the shared library shows these C symbols, without version nodes, and nothing else, also nothing of the
# static libraries inside it.
function(ortrun_export_only target)
  set(list_file "${CMAKE_CURRENT_BINARY_DIR}/${target}.map")
  string(REPLACE ";" "; " symbols "${ARGN}")
  file(CONFIGURE OUTPUT "${list_file}" CONTENT "{ global: @symbols@; local: *; };\n" @ONLY)
  target_link_options(${target} PRIVATE "LINKER:--version-script=${list_file}" LINKER:--exclude-libs,ALL)
  if(NOT ORTRUN_SANITIZE)
    target_link_options(${target} PRIVATE LINKER:-z,defs)
  endif()
  set_property(TARGET ${target} APPEND PROPERTY LINK_DEPENDS "${list_file}")
endfunction()
