// SPDX-License-Identifier: Apache-2.0
#include "core/graph/type_info.h"

#include <unordered_map>
#include <utility>

#include "ortrun/error.h"

OrtTypeInfo OrtTypeInfo::Tensor(ONNXTensorElementDataType type) {
  OrtTypeInfo info;
  info.kind = ONNX_TYPE_TENSOR;
  info.tensor.type = type;
  return info;
}

OrtTypeInfo OrtTypeInfo::Tensor(ONNXTensorElementDataType type, std::vector<int64_t> dims) {
  OrtTypeInfo info = Tensor(type);
  info.tensor.has_shape = true;
  info.tensor.symbols.resize(dims.size());
  info.tensor.dims = std::move(dims);
  return info;
}

bool OrtTypeInfo::IsKnown() const {
  switch (kind) {
    case ONNX_TYPE_UNKNOWN:
      return false;
    case ONNX_TYPE_TENSOR:
    case ONNX_TYPE_SPARSETENSOR:
      return tensor.type != ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
    case ONNX_TYPE_SEQUENCE:
      return sequence->element.IsKnown();
    case ONNX_TYPE_OPTIONAL:
      return optional->contained.IsKnown();
    case ONNX_TYPE_MAP:
      return map->key != ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED && map->value.IsKnown();
    default:
      return true;
  }
}

bool OrtTypeInfo::SameKind(const OrtTypeInfo& other) const {
  if (IsTensor() && other.IsTensor()) return tensor.type == other.tensor.type;
  return kind == other.kind && ortrun::TypeName(*this) == ortrun::TypeName(other);
}

namespace ortrun {
namespace {

struct ElementFacts {
  const char* name;
  size_t bits;
};

// In the order of ONNXTensorElementDataType.
constexpr ElementFacts kElements[] = {
    {"undefined", 0},      {"float", 32},     {"uint8", 8},        {"int8", 8},           {"uint16", 16},
    {"int16", 16},         {"int32", 32},     {"int64", 64},       {"string", 0},         {"bool", 8},
    {"float16", 16},       {"double", 64},    {"uint32", 32},      {"uint64", 64},        {"complex64", 64},
    {"complex128", 128},   {"bfloat16", 16},  {"float8e4m3fn", 8}, {"float8e4m3fnuz", 8}, {"float8e5m2", 8},
    {"float8e5m2fnuz", 8}, {"uint4", 4},      {"int4", 4},         {"float4e2m1", 4},     {"uint2", 2},
    {"int2", 2},           {"float8e8m0", 8},
};

const ElementFacts& Facts(ElementType type) {
  const auto index = static_cast<size_t>(type);
  return index < std::size(kElements) ? kElements[index] : kElements[0];
}

}  // namespace

size_t ElementBits(ElementType type) { return Facts(type).bits; }
const char* ElementTypeName(ElementType type) { return Facts(type).name; }

ElementType ElementTypeNamed(std::string_view name) {
  static const std::unordered_map<std::string_view, ElementType> types = [] {
    std::unordered_map<std::string_view, ElementType> made;
    for (size_t i = 1; i < std::size(kElements); ++i) made.emplace(kElements[i].name, static_cast<ElementType>(i));
    return made;
  }();
  const auto found = types.find(name);
  return found == types.end() ? ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED : found->second;
}

size_t TensorBytes(ElementType type, size_t count) {
  size_t bits = 0;
  if (__builtin_mul_overflow(count, ElementBits(type), &bits) || bits > static_cast<size_t>(INT64_MAX) - 7)
    throw Error(ORT_INVALID_ARGUMENT, Concat("a tensor of ", count, " elements is larger than memory can be"));
  return (bits + 7) / 8;
}

size_t ElementCount(const int64_t* dims, size_t rank) {
  size_t count = 1;
  for (size_t i = 0; i < rank; ++i) {
    if (dims[i] < 0 || __builtin_mul_overflow(count, static_cast<size_t>(dims[i]), &count) ||
        count > static_cast<size_t>(INT64_MAX))
      throw Error(ORT_INVALID_ARGUMENT, Concat("shape ", ShapeText(dims, rank), " has no valid number of elements"));
  }
  return count;
}

std::string TypeName(const TypeInfo& type) {
  switch (type.kind) {
    case ONNX_TYPE_TENSOR:
      return Concat("tensor(", ElementTypeName(type.tensor.type), ")");
    case ONNX_TYPE_SPARSETENSOR:
      return Concat("sparse_tensor(", ElementTypeName(type.tensor.type), ")");
    case ONNX_TYPE_SEQUENCE:
      return Concat("seq(", TypeName(type.sequence->element), ")");
    case ONNX_TYPE_MAP:
      return Concat("map(", ElementTypeName(type.map->key), ",", TypeName(type.map->value), ")");
    case ONNX_TYPE_OPTIONAL:
      return Concat("optional(", TypeName(type.optional->contained), ")");
    case ONNX_TYPE_OPAQUE:
      return "opaque()";
    case ONNX_TYPE_UNKNOWN:
      break;
  }
  return "unknown";
}

std::string ShapeText(const int64_t* dims, size_t rank) {
  std::string text = "{";
  for (size_t i = 0; i < rank; ++i) {
    if (i != 0) text += ',';
    text += dims[i] < 0 ? "?" : std::to_string(dims[i]);
  }
  return text + "}";
}

}  // namespace ortrun
