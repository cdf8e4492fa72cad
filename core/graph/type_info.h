// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "onnxruntime_c_api.h"

/// Element type and shape of a dense or sparse tensor. An unknown dimension is -1; it may carry a symbol.
struct OrtTensorTypeAndShapeInfo {
  ONNXTensorElementDataType type = ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
  bool has_shape = false;
  std::vector<int64_t> dims;
  std::vector<std::string> symbols;  ///< one per dimension, empty where the dimension is a number or anonymous

  bool operator==(const OrtTensorTypeAndShapeInfo&) const = default;
};

struct OrtMapTypeInfo;
struct OrtSequenceTypeInfo;
struct OrtOptionalTypeInfo;

/// The type of a value. Children are shared and never changed once made, so that copies are cheap.
struct OrtTypeInfo {
  ONNXType kind = ONNX_TYPE_UNKNOWN;
  OrtTensorTypeAndShapeInfo tensor;  ///< for ONNX_TYPE_TENSOR and ONNX_TYPE_SPARSETENSOR
  std::shared_ptr<const OrtMapTypeInfo> map;
  std::shared_ptr<const OrtSequenceTypeInfo> sequence;
  std::shared_ptr<const OrtOptionalTypeInfo> optional;
  std::string denotation;

  bool IsTensor() const { return kind == ONNX_TYPE_TENSOR; }
  /// Whether the kind and the element type are known, those of what a sequence, map or optional holds included.
  bool IsKnown() const;
  /// Whether both are one type when shapes are left aside.
  bool SameKind(const OrtTypeInfo& other) const;
  static OrtTypeInfo Tensor(ONNXTensorElementDataType type);
  static OrtTypeInfo Tensor(ONNXTensorElementDataType type, std::vector<int64_t> dims);
};

struct OrtMapTypeInfo {
  ONNXTensorElementDataType key = ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
  OrtTypeInfo value;
};

struct OrtSequenceTypeInfo {
  OrtTypeInfo element;
};

struct OrtOptionalTypeInfo {
  OrtTypeInfo contained;
};

namespace ortrun {

using TensorType = ::OrtTensorTypeAndShapeInfo;
using TypeInfo = ::OrtTypeInfo;
using ElementType = ::ONNXTensorElementDataType;

/// Bits of one element in memory (4 and 2 for the packed types), 0 for strings and unknown types.
size_t ElementBits(ElementType type);
/// Bytes of `count` elements; packed types round up. Throws when the product does not fit 63 bits.
size_t TensorBytes(ElementType type, size_t count);
/// Number of elements of a shape without unknown dimensions. Throws on a negative dimension or overflow.
size_t ElementCount(const int64_t* dims, size_t rank);
/// "float", "int64", ... as in "tensor(float)"; "undefined" when unknown.
const char* ElementTypeName(ElementType type);
/// The other way round; undefined for an unknown name.
ElementType ElementTypeNamed(std::string_view name);
/// "tensor(float)", "seq(map(int64,tensor(float)))", ... as NodeArg.type shows it.
std::string TypeName(const TypeInfo& type);
/// "{1,3,N,?}".
std::string ShapeText(const int64_t* dims, size_t rank);

}  // namespace ortrun
