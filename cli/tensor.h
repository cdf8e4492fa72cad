// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cli/runtime.h"

namespace ortrun::cli {

/// A dense tensor in memory of its own.
struct Tensor {
  ONNXTensorElementDataType type = ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
  std::vector<int64_t> shape;
  std::vector<unsigned char> bytes;
  std::vector<std::string> strings;

  size_t count() const;
};

/// A value of the runtime over a tensor's memory; the tensor must outlive it (strings are copied).
Value ToValue(const Runtime& runtime, Tensor& tensor);
/// A copy of a dense tensor value.
Tensor FromValue(const Runtime& runtime, OrtValue* value);

/// Element `index` as a double, for summaries; complex numbers give their real part.
double ElementAsDouble(const Tensor& tensor, size_t index);
/// Stores a number as the tensor's element type. Throws CliError(kBadInput) when the type does not hold it.
void StoreNumber(Tensor& tensor, size_t index, double real, int64_t integer, bool is_integer);

}  // namespace ortrun::cli
