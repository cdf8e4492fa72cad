// SPDX-License-Identifier: Apache-2.0
// The half of the analysis that follows the elements of shape tensors.
#include <algorithm>

#include "core/optimizer/symbolic_shape.h"

namespace ortrun {

std::optional<std::vector<Dim>> ShapeAnalysis::Elements(const Node& node) {
  const std::string& op = node.op_type;
  const ValueInfo* input = Input(&node, 0);
  if (input == nullptr) return std::nullopt;
  if (op == "Shape" || op == "Size") {
    const SymbolicShape* shape = ShapeOf(input);
    if (shape == nullptr) return std::nullopt;
    const int64_t rank = static_cast<int64_t>(shape->size());
    if (op == "Size") {
      int64_t size = 1;
      for (const Dim& dim : *shape) {
        if (!dim.known() || __builtin_mul_overflow(size, dim.value, &size)) return std::nullopt;
      }
      return std::vector<Dim>{{size, 0}};
    }
    int64_t start = node.Int("start", 0), end = node.Int("end", rank);
    if (start < 0) start += rank;
    if (end < 0) end += rank;
    start = std::clamp<int64_t>(start, 0, rank);
    end = std::clamp<int64_t>(end, start, rank);
    return std::vector<Dim>(shape->begin() + start, shape->begin() + end);
  }
  const ElementType type = TypeOf(node.outputs[0]);
  if (type != ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64 && type != ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32 &&
      type != ONNX_TENSOR_ELEMENT_DATA_TYPE_BOOL) {
    return std::nullopt;
  }
  if (op == "ConstantOfShape") {
    const std::vector<Dim>* shape = ElementsOf(input);
    const OrtOpAttr* attribute = node.Attribute("value");
    if (shape == nullptr || shape->size() > 1 || attribute == nullptr || attribute->tensor == nullptr) {
      return std::nullopt;
    }
    if (shape->size() == 1 && (!(*shape)[0].known() || (*shape)[0].value < 0 ||
                               (*shape)[0].value > static_cast<int64_t>(kMostShapeElements))) {
      return std::nullopt;
    }
    const Value& fill = *attribute->tensor;
    if (fill.type() != ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64 || fill.tensor().count != 1) return std::nullopt;
    const Dim element{*static_cast<const int64_t*>(fill.tensor().data), 0};
    return std::vector<Dim>(shape->empty() ? 1 : static_cast<size_t>((*shape)[0].value), element);
  }
  const std::vector<Dim>* elements = ElementsOf(input);
  const int64_t rank = RankOf(node.outputs[0]);
  if (op == "Concat") {
    std::vector<Dim> joined;
    for (const ValueInfo* part : node.inputs) {
      const std::vector<Dim>* more = ElementsOf(part);
      const SymbolicShape* shape = ShapeOf(part);
      if (more == nullptr || shape == nullptr || shape->size() != 1) return std::nullopt;
      joined.insert(joined.end(), more->begin(), more->end());
      if (joined.size() > kMostShapeElements) return std::nullopt;
    }
    return joined;
  }
  if (elements == nullptr) return std::nullopt;
  if (op == "Identity" || (op == "Cast" && type != ONNX_TENSOR_ELEMENT_DATA_TYPE_BOOL)) return *elements;
  if (op == "Squeeze" || op == "Unsqueeze" || op == "Reshape") {
    return rank == 0 || rank == 1 ? std::optional(*elements) : std::nullopt;
  }
  if (op == "Gather") {
    const auto indices = IntsOf(Input(&node, 1));
    const SymbolicShape* shape = ShapeOf(input);
    if (!indices || shape == nullptr || shape->size() != 1) return std::nullopt;
    std::vector<Dim> picked;
    for (int64_t index : *indices) {
      if (index < 0) index += static_cast<int64_t>(elements->size());
      if (index < 0 || index >= static_cast<int64_t>(elements->size())) return std::nullopt;
      picked.push_back((*elements)[static_cast<size_t>(index)]);
    }
    return picked;
  }
  if (op == "Slice") {
    const auto starts = IntsOf(Input(&node, 1)), ends = IntsOf(Input(&node, 2));
    const auto steps = node.inputs.size() > 4 ? IntsOf(node.inputs[4]) : std::optional(std::vector<int64_t>{1});
    if (!starts || !ends || !steps || starts->size() != 1 || ends->size() != 1 || (*steps) != std::vector<int64_t>{1}) {
      return std::nullopt;
    }
    const int64_t count = static_cast<int64_t>(elements->size());
    int64_t start = (*starts)[0], end = (*ends)[0];
    if (start < 0) start += count;
    if (end < 0) end += count;
    start = std::clamp<int64_t>(start, 0, count);
    end = std::clamp<int64_t>(end, start, count);
    return std::vector<Dim>(elements->begin() + start, elements->begin() + end);
  }
  return Arithmetic(node);
}

namespace {

/// Whether both are the same number: in every run, in none, or nothing.
std::optional<bool> Equal(LinearForms& forms, Dim a, Dim b) {
  if (a == b) return true;
  const auto more = forms.Difference(a, b);
  const auto less = forms.Difference(b, a);
  if (!more || !less) return std::nullopt;
  const Dim one{1, 0};
  if (forms.AtMost(one, *more) || forms.AtMost(one, *less)) return false;
  return std::nullopt;
}

std::optional<Dim> Computed(LinearForms& forms, const std::string& op, Dim a, Dim b) {
  if (op == "Add") return forms.Sum(a, b);
  if (op == "Sub") return forms.Difference(a, b);
  if (op == "Mul" && b.known()) return forms.Product(a, b.value);
  if (op == "Mul" && a.known()) return forms.Product(b, a.value);
  if (op != "Div" || !b.known() || b.value <= 0) return std::nullopt;
  if (a.known() && a.value >= 0) return Dim{a.value / b.value, 0};
  return forms.Quotient(a, b.value);
}

}  // namespace

std::optional<std::vector<Dim>> ShapeAnalysis::Arithmetic(const Node& node) {
  const std::string& op = node.op_type;
  if (RankOf(node.outputs[0]) < 0 || RankOf(node.outputs[0]) > 1) return std::nullopt;
  std::vector<const std::vector<Dim>*> inputs;
  size_t count = 1;
  for (const ValueInfo* input : node.inputs) {
    inputs.push_back(ElementsOf(input));
    if (inputs.back() == nullptr) return std::nullopt;
    count = inputs.back()->size() == 1 ? count : inputs.back()->size();
  }
  std::vector<Dim> result;
  for (size_t i = 0; i < count; ++i) {
    std::vector<Dim> at;
    for (const std::vector<Dim>* elements : inputs) {
      if (elements->size() != 1 && elements->size() != count) return std::nullopt;
      at.push_back((*elements)[elements->size() == 1 ? 0 : i]);
    }
    if (op == "Equal" && at.size() == 2) {
      const auto equal = Equal(forms_, at[0], at[1]);
      if (!equal) return std::nullopt;
      result.push_back({*equal ? 1 : 0, 0});
    } else if (op == "Where" && at.size() == 3 && at[0].known()) {
      result.push_back(at[0].value != 0 ? at[1] : at[2]);
    } else {
      const auto number = at.size() == 2 ? Computed(forms_, op, at[0], at[1]) : std::nullopt;
      if (!number) return std::nullopt;
      result.push_back(*number);
    }
  }
  return result;
}

}  // namespace ortrun
