// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ortrun/kernel_info.h"
#include "plugins/cpu/kernels/common/types.h"

namespace ortrun::cpu {

/// A tensor attribute with its own copy of the data; strings stand apart.
struct TensorAttribute {
  ElementType type = ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
  std::vector<double> numbers;
  std::vector<int64_t> integers;  ///< filled for int64 only, which double cannot hold exactly
  std::vector<std::string> strings;
};

/// The attribute, or nothing when the node lacks it.
std::optional<TensorAttribute> ReadTensorAttribute(const KernelInfo& info, const char* name);

/// Reads the strings of a tensor of strings.
std::vector<std::string> ReadStrings(const Host& host, const OrtValue* value, size_t count);

}  // namespace ortrun::cpu
