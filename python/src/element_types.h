// SPDX-License-Identifier: Apache-2.0
#pragma once

// The element types of tensors: their ONNX names, their sizes and their numpy types.

#include <pybind11/pybind11.h>

#include <cstdint>
#include <span>
#include <string>

#include "onnxruntime_c_api.h"

namespace ortrun::python {

using ElementType = ONNXTensorElementDataType;

/// "float" in "tensor(float)"; "undefined" for what ONNX does not know.
const char* ElementName(ElementType type);

/// Bits of one element in a tensor's memory (int4 has 4); 0 for strings and unknown types.
int ElementBits(ElementType type);

/// Bytes of `count` elements, sub-byte elements packed. Throws std::overflow_error.
size_t PackedBytes(ElementType type, size_t count);

/// Product of the dimensions. Throws std::runtime_error for a negative one and for overflow.
size_t ElementCount(std::span<const int64_t> shape);

/// The number that onnx gives a type. The C interface numbers the youngest ones in another order.
int OnnxNumber(ElementType type);

/// Needs the GIL from here on.

/// UNDEFINED where numpy's type has no ONNX type. Arrays of str, bytes and object are STRING.
ElementType FromNumpy(PyObject* descr);

/// From what users give as an element type: numpy's types, their names, and numbers of ONNX.
ElementType FromUserType(pybind11::handle type);

/// A new reference to the dtype. Types that numpy lacks (bfloat16, float8, int4) come from ml_dtypes where that is
/// installed; RuntimeError otherwise.
pybind11::object NumpyDescr(ElementType type);

/// numpy's number for a type that it has itself, otherwise -1.
int NumpyNumber(ElementType type);

}  // namespace ortrun::python
