// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include "core/abi/guard.h"

namespace ortrun::abi {

/// An argument that points to `count` elements: it may be null where there are none, as an empty std::vector gives it.
inline Argument Array(const char* name, const void* pointer, size_t count) {
  static constexpr char kNothing = 0;
  return {name, count == 0 ? &kNothing : pointer};
}

}  // namespace ortrun::abi
