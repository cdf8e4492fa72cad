// SPDX-License-Identifier: Apache-2.0
#include "core/execution/input_check.h"

#include <map>
#include <utility>

#include "core/execution/type_check.h"
#include "ortrun/error.h"

namespace ortrun {
namespace {

std::string DeclaredShape(const TypeInfo& type) {
  if (!type.tensor.has_shape) return "any shape";
  std::string text = "{";
  for (size_t i = 0; i < type.tensor.dims.size(); ++i) {
    if (i != 0) text += ',';
    if (type.tensor.dims[i] >= 0)
      text += std::to_string(type.tensor.dims[i]);
    else
      text += type.tensor.symbols[i].empty() ? "?" : type.tensor.symbols[i];
  }
  return text + "}";
}

}  // namespace

InputCheck::InputCheck(const Program& program, const std::set<std::string>& relied) : program_(program) {
  std::map<std::string, std::vector<Extent>> extents;
  for (size_t i = 0; i < program.inputs().size(); ++i) {
    const TensorType& tensor = InfoOf(i).type.tensor;
    for (size_t axis = 0; axis < tensor.symbols.size(); ++axis)
      if (relied.count(tensor.symbols[axis]) != 0) extents[tensor.symbols[axis]].push_back({i, axis});
  }
  for (auto& [text, places] : extents)
    if (places.size() > 1) names_.push_back({text, std::move(places)});
}

void InputCheck::Check(size_t index, const Value& value) const {
  const ValueInfo& info = InfoOf(index);
  const TypeInfo& expected = info.type;
  if (expected.kind != ONNX_TYPE_OPTIONAL && expected.kind != ONNX_TYPE_UNKNOWN && value.kind() != expected.kind)
    throw Error(ORT_INVALID_ARGUMENT, Concat("Unexpected input type for '", info.name, "': expected ",
                                             TypeName(expected), ", got ", TypeFound(expected, value)));
  if (!FitsType(expected, value))
    throw Error(ORT_INVALID_ARGUMENT,
                Concat("Unexpected input data type. Actual: (", TypeFound(expected, value), ") , expected: (",
                       TypeName(expected), ") for input '", info.name, "'; convert it, in numpy with .astype()"));
  if (!value.IsTensor() || !expected.IsTensor() || !expected.tensor.has_shape) return;
  const OrtrunTensor& tensor = value.tensor();
  const std::vector<int64_t>& dims = expected.tensor.dims;
  if (tensor.rank != dims.size())
    throw Error(ORT_INVALID_ARGUMENT,
                Concat("Invalid rank for input: ", info.name, " Got: ", tensor.rank, " Expected: ", dims.size(),
                       ". It has shape ", ShapeText(tensor.shape, tensor.rank), " and the model declares ",
                       DeclaredShape(expected), ". Please fix either the inputs/outputs or the model."));
  for (size_t axis = 0; axis < dims.size(); ++axis)
    if (dims[axis] >= 0 && dims[axis] != tensor.shape[axis])
      throw Error(ORT_INVALID_ARGUMENT,
                  Concat("Got invalid dimensions for input: ", info.name, " for the following indices\n",
                         " index: ", axis, " Got: ", tensor.shape[axis], " Expected: ", dims[axis], "\n It has shape ",
                         ShapeText(tensor.shape, tensor.rank), " and the model declares ", DeclaredShape(expected),
                         "\n Please fix either the inputs/outputs or the model."));
}

void InputCheck::CheckNames(std::span<const Value* const> inputs) const {
  const auto size_at = [&](const Extent& extent) -> int64_t {
    const Value* value = inputs[extent.input];
    if (value == nullptr || !value->IsTensor() || extent.axis >= value->tensor().rank) return -1;
    return value->tensor().shape[extent.axis];
  };
  for (const Name& name : names_) {
    const Extent* first = nullptr;
    for (const Extent& extent : name.extents) {
      const int64_t size = size_at(extent);
      if (size < 0) continue;
      if (first == nullptr) first = &extent;
      if (size == size_at(*first)) continue;
      throw Error(ORT_INVALID_ARGUMENT,
                  Concat("Got invalid dimensions: the model declares one size '", name.text, "' for dimension ",
                         first->axis, " of input '", InfoOf(first->input).name, "' and dimension ", extent.axis,
                         " of input '", InfoOf(extent.input).name, "', given are ", size_at(*first), " and ", size,
                         ". Give inputs that agree, name the dimensions apart in the model, or switch graph "
                         "optimization off, which takes equal names for equal sizes."));
    }
  }
}

}  // namespace ortrun
