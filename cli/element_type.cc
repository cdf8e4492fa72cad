// SPDX-License-Identifier: Apache-2.0
#include "cli/element_type.h"

#include <algorithm>
#include <iterator>

namespace ortrun::cli {
namespace {

constexpr ElementType kTypes[] = {
    {ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT, "float32", "<f4", 4},
    {ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE, "float64", "<f8", 8},
    {ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16, "float16", "<f2", 2},
    {ONNX_TENSOR_ELEMENT_DATA_TYPE_BFLOAT16, "bfloat16", nullptr, 2},
    {ONNX_TENSOR_ELEMENT_DATA_TYPE_INT8, "int8", "|i1", 1},
    {ONNX_TENSOR_ELEMENT_DATA_TYPE_INT16, "int16", "<i2", 2},
    {ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32, "int32", "<i4", 4},
    {ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64, "int64", "<i8", 8},
    {ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8, "uint8", "|u1", 1},
    {ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT16, "uint16", "<u2", 2},
    {ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT32, "uint32", "<u4", 4},
    {ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT64, "uint64", "<u8", 8},
    {ONNX_TENSOR_ELEMENT_DATA_TYPE_BOOL, "bool", "|b1", 1},
    {ONNX_TENSOR_ELEMENT_DATA_TYPE_COMPLEX64, "complex64", "<c8", 8},
    {ONNX_TENSOR_ELEMENT_DATA_TYPE_COMPLEX128, "complex128", "<c16", 16},
    {ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING, "string", nullptr, 0},
};

}  // namespace

const ElementType* FindType(ONNXTensorElementDataType type) {
  const auto* found = std::find_if(std::begin(kTypes), std::end(kTypes), [&](auto& t) { return t.type == type; });
  return found == std::end(kTypes) ? nullptr : found;
}

const ElementType* FindNpyType(const std::string& descriptor) {
  const auto* found = std::find_if(std::begin(kTypes), std::end(kTypes),
                                   [&](auto& t) { return t.npy != nullptr && descriptor == t.npy; });
  return found == std::end(kTypes) ? nullptr : found;
}

const char* NameOf(ONNXTensorElementDataType type) {
  const ElementType* found = FindType(type);
  return found == nullptr ? "other" : found->name;
}

}  // namespace ortrun::cli
