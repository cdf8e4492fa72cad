// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>

#include "onnxruntime_c_api.h"

namespace ortrun::cli {

/// What the command line knows of an element type: its name for people and its code in .npy files.
struct ElementType {
  ONNXTensorElementDataType type;
  const char* name;
  const char* npy;  ///< numpy's descriptor, nullptr: numpy has none
  size_t bytes;
};

/// nullptr for a type that neither files nor random inputs can give.
const ElementType* FindType(ONNXTensorElementDataType type);
const ElementType* FindNpyType(const std::string& descriptor);
const char* NameOf(ONNXTensorElementDataType type);

}  // namespace ortrun::cli
