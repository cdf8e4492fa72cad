// SPDX-License-Identifier: Apache-2.0
#include "core/execution/type_check.h"

#include <algorithm>

#include "ortrun/error.h"

namespace ortrun {
namespace {

bool FitsElement(ElementType declared, ElementType given) {
  return declared == ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED || declared == given;
}

}  // namespace

bool FitsType(const TypeInfo& declared, const Value& value) {
  if (declared.kind == ONNX_TYPE_UNKNOWN) return true;
  if (declared.kind == ONNX_TYPE_OPTIONAL)
    return !value.HasValue() || declared.optional == nullptr || FitsType(declared.optional->contained, value);
  if (declared.kind != value.kind()) return false;
  switch (declared.kind) {
    case ONNX_TYPE_TENSOR:
    case ONNX_TYPE_SPARSETENSOR:
      return FitsElement(declared.tensor.type, value.type());
    case ONNX_TYPE_SEQUENCE:
      return declared.sequence == nullptr ||
             std::all_of(value.elements().begin(), value.elements().end(),
                         [&](const Value& element) { return FitsType(declared.sequence->element, element); });
    case ONNX_TYPE_MAP:
      if (declared.map == nullptr) return true;
      if (!FitsElement(declared.map->key, value.elements()[0].type())) return false;
      // The values of a map stand in one tensor; a scalar type of them is that tensor's element type.
      return !declared.map->value.IsTensor() ||
             FitsElement(declared.map->value.tensor.type, value.elements()[1].type());
    default:
      return true;
  }
}

std::string TypeFound(const TypeInfo& declared, const Value& value) {
  if (declared.kind == ONNX_TYPE_OPTIONAL && declared.optional != nullptr && value.HasValue())
    return TypeFound(declared.optional->contained, value);
  if (!value.HasValue()) return "an empty optional";
  if (declared.kind == ONNX_TYPE_SEQUENCE && value.kind() == ONNX_TYPE_SEQUENCE && declared.sequence != nullptr)
    for (size_t i = 0; i < value.elements().size(); ++i)
      if (!FitsType(declared.sequence->element, value.elements()[i]))
        return Concat("a sequence whose element ", i, " is ", TypeName(value.elements()[i].TypeOf()));
  return TypeName(value.TypeOf());
}

}  // namespace ortrun
