// SPDX-License-Identifier: Apache-2.0
#include "core/optimizer/match.h"

#include <cmath>

#include "core/optimizer/half.h"

namespace ortrun {

const Value* ConstantOf(const ValueInfo* value) {
  while (value != nullptr && value->outer != nullptr) value = value->outer;
  return value != nullptr && value->IsConstant() ? value->initializer.get() : nullptr;
}

namespace {

bool OnCpu(const Value* value) {
  return value != nullptr && value->IsTensor() && !value->IsString() &&
         (value->tensor().count == 0 || value->tensor().data != nullptr);
}

/// An integer as double, where that loses nothing.
template <typename T>
std::optional<double> Exact(const void* data) {
  const T number = *static_cast<const T*>(data);
  constexpr double kTwo53 = 9007199254740992.0;  // double holds all integers up to here
  const auto wide = static_cast<double>(number);
  return std::fabs(wide) <= kTwo53 ? std::optional(wide) : std::nullopt;
}

}  // namespace

std::optional<double> ScalarOf(const ValueInfo* value) {
  const Value* constant = ConstantOf(value);
  if (!OnCpu(constant) || constant->tensor().count != 1) return std::nullopt;
  const void* data = constant->tensor().data;
  switch (constant->type()) {
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT:
      return *static_cast<const float*>(data);
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE:
      return *static_cast<const double*>(data);
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16:
      return HalfToFloat(*static_cast<const uint16_t*>(data));
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_BFLOAT16:
      return BfloatToFloat(*static_cast<const uint16_t*>(data));
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT8:
      return Exact<int8_t>(data);
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8:
      return Exact<uint8_t>(data);
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT16:
      return Exact<int16_t>(data);
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT16:
      return Exact<uint16_t>(data);
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32:
      return Exact<int32_t>(data);
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT32:
      return Exact<uint32_t>(data);
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64:
      return Exact<int64_t>(data);
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT64:
      return Exact<uint64_t>(data);
    default:
      return std::nullopt;
  }
}

std::optional<std::vector<int64_t>> IntsOf(const ValueInfo* value) {
  const Value* constant = ConstantOf(value);
  if (!OnCpu(constant) || constant->tensor().rank > 1) return std::nullopt;
  const OrtrunTensor& tensor = constant->tensor();
  std::vector<int64_t> ints;
  if (tensor.type == ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64) {
    const int64_t* data = static_cast<const int64_t*>(tensor.data);
    ints.assign(data, data + tensor.count);
  } else if (tensor.type == ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32) {
    const int32_t* data = static_cast<const int32_t*>(tensor.data);
    ints.assign(data, data + tensor.count);
  } else {
    return std::nullopt;
  }
  return ints;
}

std::optional<std::vector<float>> FloatsOf(const ValueInfo* value, size_t limit) {
  const Value* constant = ConstantOf(value);
  if (!OnCpu(constant) || constant->type() != ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT || constant->tensor().count > limit) {
    return std::nullopt;
  }
  const float* data = static_cast<const float*>(constant->tensor().data);
  return std::vector<float>(data, data + constant->tensor().count);
}

bool IsScalarOf(const ValueInfo* value, double expected) {
  const auto scalar = ScalarOf(value);
  return scalar && *scalar == expected;
}

bool IsNear(ElementType type, double number, double expected) {
  // A few units in the last place, for exporters that compute their constants in the type itself.
  double tolerance = 0;
  switch (type) {
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT:
      tolerance = 1e-5;
      break;
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE:
      tolerance = 1e-14;
      break;
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16:
      tolerance = 1e-3;
      break;
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_BFLOAT16:
      tolerance = 5e-3;
      break;
    default:
      break;
  }
  return std::fabs(number - expected) <= tolerance * std::fabs(expected);
}

bool IsFloatFactor(ElementType type, double number) {
  if (type == ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE) return IsExactFloat(number);
  return number == 0 || std::isnormal(static_cast<float>(number));
}

ElementType TypeOf(const ValueInfo* value) {
  return value != nullptr && value->type.IsTensor() ? value->type.tensor.type : ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
}

bool IsFloating(ElementType type) {
  return type == ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT || type == ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE ||
         type == ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16 || type == ONNX_TENSOR_ELEMENT_DATA_TYPE_BFLOAT16;
}

bool IsInteger(ElementType type) {
  return type == ONNX_TENSOR_ELEMENT_DATA_TYPE_INT8 || type == ONNX_TENSOR_ELEMENT_DATA_TYPE_INT16 ||
         type == ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32 || type == ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64 ||
         type == ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8 || type == ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT16 ||
         type == ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT32 || type == ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT64;
}

int64_t RankOf(const ValueInfo* value) {
  if (value == nullptr || !value->type.IsTensor() || !value->type.tensor.has_shape) return -1;
  return static_cast<int64_t>(value->type.tensor.dims.size());
}

int64_t DimOf(const ValueInfo* value, int64_t axis) {
  const int64_t rank = RankOf(value);
  if (axis < 0) axis += rank;
  if (rank < 0 || axis < 0 || axis >= rank) return -1;
  return value->type.tensor.dims[static_cast<size_t>(axis)];
}

bool StaticShape(const ValueInfo* value, std::vector<int64_t>* dims) {
  if (RankOf(value) < 0) return false;
  for (int64_t dim : value->type.tensor.dims) {
    if (dim < 0) return false;
  }
  *dims = value->type.tensor.dims;
  return true;
}

TypeInfo DenseType(ElementType type, std::vector<int64_t> dims) { return TypeInfo::Tensor(type, std::move(dims)); }

bool UsedOnce(const ValueInfo* value) {
  return value != nullptr && !value->is_output && value->uses.size() == 1 && value->uses[0].index >= 0;
}

Node* OnlyUser(const ValueInfo* value) { return UsedOnce(value) ? value->uses[0].node : nullptr; }

Node* MadeBy(const ValueInfo* value, const char* op, const char* domain) {
  return value != nullptr && value->producer != nullptr && value->producer->Is(op, domain) ? value->producer : nullptr;
}

ValueInfo* Input(const Node* node, size_t index) { return index < node->inputs.size() ? node->inputs[index] : nullptr; }

ValueInfo* Output(const Node* node, size_t index) {
  return index < node->outputs.size() ? node->outputs[index] : nullptr;
}

size_t OutputCount(const Node* node) {
  size_t count = 0;
  for (const ValueInfo* output : node->outputs) count += output != nullptr;
  return count;
}

std::optional<ScalarOperand> WithScalar(const Node* node) {
  if (node->inputs.size() != 2) return std::nullopt;
  for (size_t i : {size_t{1}, size_t{0}}) {
    if (const auto scalar = ScalarOf(node->inputs[i]); scalar && node->inputs[1 - i] != nullptr) {
      return ScalarOperand{node->inputs[1 - i], *scalar, i};
    }
  }
  return std::nullopt;
}

std::optional<std::vector<int64_t>> AxesOf(const Node* node, int64_t rank) {
  std::vector<int64_t> axes = node->Ints("axes");
  if (const ValueInfo* input = Input(node, 1)) {
    const auto ints = IntsOf(input);
    if (!ints) return std::nullopt;
    axes = *ints;
  }
  for (int64_t& axis : axes) {
    if (axis < 0) {
      if (rank < 0) return std::nullopt;
      axis += rank;
    }
    if (axis < 0 || (rank >= 0 && axis >= rank)) return std::nullopt;
  }
  return axes;
}

bool IsIdentityPerm(const std::vector<int64_t>& perm) {
  for (size_t i = 0; i < perm.size(); ++i) {
    if (perm[i] != static_cast<int64_t>(i)) return false;
  }
  return true;
}

std::vector<int64_t> PermOf(const Node* node) {
  std::vector<int64_t> perm = node->Ints("perm");
  const int64_t rank = RankOf(Input(node, 0));
  if (perm.empty()) {
    for (int64_t axis = rank - 1; axis >= 0; --axis) perm.push_back(axis);
    return perm;
  }
  std::vector<bool> seen(perm.size(), false);
  for (int64_t axis : perm) {
    if (axis < 0 || axis >= static_cast<int64_t>(perm.size()) || seen[static_cast<size_t>(axis)]) return {};
    seen[static_cast<size_t>(axis)] = true;
  }
  if (rank >= 0 && rank != static_cast<int64_t>(perm.size())) return {};
  return perm;
}

namespace {

OrtOpAttr& Slot(Node* node, const std::string& name, OrtOpAttrType type) {
  RemoveAttribute(node, name);
  OrtOpAttr& attribute = node->attributes.emplace_back();
  attribute.name = name;
  attribute.type = type;
  return attribute;
}

}  // namespace

void SetAttribute(Node* node, const std::string& name, int64_t value) { Slot(node, name, ORT_OP_ATTR_INT).i = value; }
void SetAttribute(Node* node, const std::string& name, float value) { Slot(node, name, ORT_OP_ATTR_FLOAT).f = value; }
void SetAttribute(Node* node, const std::string& name, const std::string& value) {
  Slot(node, name, ORT_OP_ATTR_STRING).s = value;
}
void SetAttribute(Node* node, const std::string& name, std::vector<int64_t> value) {
  Slot(node, name, ORT_OP_ATTR_INTS).ints = std::move(value);
}
void SetAttribute(Node* node, const std::string& name, std::vector<float> value) {
  Slot(node, name, ORT_OP_ATTR_FLOATS).floats = std::move(value);
}
void SetAttribute(Node* node, const std::string& name, std::vector<std::string> value) {
  Slot(node, name, ORT_OP_ATTR_STRINGS).strings = std::move(value);
}
void RemoveAttribute(Node* node, const std::string& name) {
  std::erase_if(node->attributes, [&](const Attribute& attribute) { return attribute.name == name; });
}

Value MakeInts(const std::vector<int64_t>& elements) {
  return MakeTensor(ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64, {static_cast<int64_t>(elements.size())}, elements);
}

std::optional<Value> MakeScalar(ElementType type, double element) {
  switch (type) {
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT:
      return MakeTensor<float>(type, {}, {static_cast<float>(element)});
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE:
      return MakeTensor<double>(type, {}, {element});
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16:
      return MakeTensor<uint16_t>(type, {}, {FloatToHalf(static_cast<float>(element))});
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_BFLOAT16:
      return MakeTensor<uint16_t>(type, {}, {FloatToBfloat(static_cast<float>(element))});
    default:
      return std::nullopt;
  }
}

Value Reshaped(const Value& value, const std::vector<int64_t>& dims) {
  Value copy = value;
  copy.Retype(value.type(), dims.data(), dims.size());
  return copy;
}

}  // namespace ortrun
