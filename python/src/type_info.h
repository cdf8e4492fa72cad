// SPDX-License-Identifier: Apache-2.0
#pragma once

// Types of model inputs and outputs as the C interface tells them, in the form that Python shows.

#include <pybind11/pybind11.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "python/src/element_types.h"

namespace ortrun::python {

struct ValueType {
  ONNXType kind = ONNX_TYPE_UNKNOWN;  ///< of what an optional contains
  bool optional = false;
  ElementType element = ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;  ///< of a tensor; the key of a map
  bool has_shape = false;
  std::vector<int64_t> shape;        ///< -1 where a dimension is free
  std::vector<std::string> names;    ///< names of free dimensions, "" for none; as long as shape
  std::shared_ptr<ValueType> inner;  ///< element of a sequence, value of a map

  bool is_tensor() const { return kind == ONNX_TYPE_TENSOR && !optional; }

  /// "tensor(float)", "seq(map(int64,tensor(float)))", "optional(tensor(float))".
  std::string Text() const;

  /// [1, 'N', None]; empty where there is no shape. Needs the GIL.
  pybind11::list Shape() const;
};

ValueType ReadType(const OrtTypeInfo* info);

/// What Python calls NodeArg: an input, an output or an overridable initializer.
struct NodeArg {
  std::string name;
  ValueType type;
};

void DefineNodeArg(pybind11::module_& m);

}  // namespace ortrun::python
