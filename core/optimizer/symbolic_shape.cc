// SPDX-License-Identifier: Apache-2.0
#include "core/optimizer/symbolic_shape.h"

#include <algorithm>

namespace ortrun {

ShapeAnalysis::ShapeAnalysis(const Graph& graph, DimensionNames* names) {
  AddGraph(graph);
  if (names == nullptr || names->repeated().empty()) return;
  names->Begin();
  for (size_t view = 0; view < names->views(); ++view)
    views_.push_back(std::unique_ptr<ShapeAnalysis>(new ShapeAnalysis(graph, *names, view)));
  names_ = names;
}

ShapeAnalysis::ShapeAnalysis(const Graph& graph, const DimensionNames& names, size_t view) : apart_(true) {
  if (const std::string* only = names.Only(view)) only_ = *only;
  AddGraph(graph);
}

void ShapeAnalysis::AddGraph(const Graph& graph) {
  for (const ValueInfo* input : graph.inputs()) AddValue(input);
  for (const auto& node : graph.nodes()) AddNode(*node);
}

std::vector<Dim> ShapeAnalysis::Views(const ValueInfo* value, size_t axis, bool element) const {
  std::vector<Dim> dims;
  for (const auto& view : views_) {
    const auto& facts = element ? view->elements_ : view->shapes_;
    const auto found = facts.find(value);
    if (found != facts.end() && axis < found->second.size()) {
      dims.push_back(found->second[axis]);
    } else {  // like nothing but itself
      const auto [place, added] = strangers_.try_emplace(value, -1 - static_cast<int>(strangers_.size()));
      dims.push_back({static_cast<int64_t>(2 * axis + element), place->second});
    }
  }
  return dims;
}

const SymbolicShape* ShapeAnalysis::FindShape(const ValueInfo* value) const {
  const auto found = shapes_.find(value);
  return found == shapes_.end() ? nullptr : &found->second;
}

const Dim* ShapeAnalysis::FindDim(const ValueInfo* value, int64_t axis) const {
  const SymbolicShape* shape = FindShape(value);
  if (shape == nullptr) return nullptr;
  if (axis < 0) axis += static_cast<int64_t>(shape->size());
  return axis >= 0 && axis < static_cast<int64_t>(shape->size()) ? &(*shape)[static_cast<size_t>(axis)] : nullptr;
}

int64_t ShapeAnalysis::Rank(const ValueInfo* value) const {
  const SymbolicShape* shape = FindShape(value);
  return shape == nullptr ? -1 : static_cast<int64_t>(shape->size());
}

const SymbolicShape* ShapeAnalysis::ShapeOf(const ValueInfo* value) const {
  const SymbolicShape* shape = FindShape(value);
  if (shape == nullptr || names_ == nullptr) return shape;
  for (size_t axis = 0; axis < shape->size(); ++axis) names_->Look((*shape)[axis], Views(value, axis));
  return shape;
}

const std::vector<Dim>* ShapeAnalysis::ElementsOf(const ValueInfo* value) const {
  const auto found = elements_.find(value);
  if (found == elements_.end()) return nullptr;
  if (names_ != nullptr)
    for (size_t i = 0; i < found->second.size(); ++i) names_->Look(found->second[i], Views(value, i, true));
  return &found->second;
}

bool ShapeAnalysis::SameShape(const ValueInfo* a, const ValueInfo* b) const {
  const SymbolicShape* left = FindShape(a);
  const SymbolicShape* right = FindShape(b);
  if (left == nullptr || right == nullptr || *left != *right) return false;
  if (names_ != nullptr)
    for (size_t axis = 0; axis < left->size(); ++axis) names_->Equal(Views(a, axis), Views(b, axis));
  return true;
}

const Dim* ShapeAnalysis::DimAt(const ValueInfo* value, int64_t axis) const {
  const Dim* dim = FindDim(value, axis);
  if (dim != nullptr && names_ != nullptr)
    names_->Look(*dim, Views(value, static_cast<size_t>(dim - FindShape(value)->data())));
  return dim;
}

int64_t ShapeAnalysis::NumberOf(const ValueInfo* value, int64_t axis) const {
  const Dim* dim = FindDim(value, axis);
  if (dim == nullptr || !dim->known()) return -1;
  return DimAt(value, axis)->value;
}

bool ShapeAnalysis::SameDim(const ValueInfo* a, int64_t a_axis, const ValueInfo* b, int64_t b_axis) const {
  const Dim* left = FindDim(a, a_axis);
  const Dim* right = FindDim(b, b_axis);
  if (left == nullptr || right == nullptr || *left != *right) return false;
  if (names_ != nullptr)
    names_->Equal(Views(a, static_cast<size_t>(left - FindShape(a)->data())),
                  Views(b, static_cast<size_t>(right - FindShape(b)->data())));
  return true;
}

std::optional<SymbolicShape> ShapeAnalysis::Broadcast(const SymbolicShape& a, const SymbolicShape& b) const {
  SymbolicShape result(std::max(a.size(), b.size()));
  for (size_t back = 1; back <= result.size(); ++back) {
    const Dim left = back <= a.size() ? a[a.size() - back] : Dim{1, 0};
    const Dim right = back <= b.size() ? b[b.size() - back] : Dim{1, 0};
    Dim& out = result[result.size() - back];
    if (left == right || right.Is(1)) {
      out = left;
    } else if (left.Is(1)) {
      out = right;
    } else if (left.known()) {
      out = left;  // a number other than 1: the symbol is that number or 1
    } else if (right.known()) {
      out = right;
    } else {
      return std::nullopt;
    }
  }
  return result;
}

Dim ShapeAnalysis::Named(const std::string& name, const ValueInfo& value, size_t axis) {
  // Apart, every place has a name of its own.
  const bool counts = !apart_ || name == only_;
  const auto [place, added] = symbols_.try_emplace(counts ? name : Concat(value.name, " ", axis, " ", name));
  if (added) place->second = forms_.Fresh();
  return place->second;
}

SymbolicShape ShapeAnalysis::Declared(const ValueInfo& value) {
  // Sizes are compared with names where a run begins. What a file calls the dimensions of other values nobody compares.
  const bool named = value.is_input && value.graph != nullptr && value.graph->parent() == nullptr;
  const TensorType& tensor = value.type.tensor;
  SymbolicShape shape;
  for (size_t i = 0; i < tensor.dims.size(); ++i) {
    if (tensor.dims[i] >= 0) {
      shape.push_back({tensor.dims[i], 0});
    } else if (named && i < tensor.symbols.size() && !tensor.symbols[i].empty()) {
      shape.push_back(Named(tensor.symbols[i], value, i));
    } else {
      shape.push_back(forms_.Fresh());
    }
  }
  return shape;
}

/// A value without a maker in this graph: an input, a constant, a value of an outer graph.
void ShapeAnalysis::AddValue(const ValueInfo* value) {
  if (value == nullptr || shapes_.count(value) != 0) return;
  if (const Value* constant = ConstantOf(value); constant != nullptr && constant->IsTensor()) {
    const OrtrunTensor& tensor = constant->tensor();
    SymbolicShape shape;
    for (size_t i = 0; i < tensor.rank; ++i) shape.push_back({tensor.shape[i], 0});
    shapes_.emplace(value, std::move(shape));
    if (tensor.rank <= 1 && tensor.count <= kMostShapeElements) {
      if (const auto ints = IntsOf(value)) {
        std::vector<Dim> elements;
        for (int64_t number : *ints) elements.push_back({number, 0});
        elements_.emplace(value, std::move(elements));
      }
    }
    return;
  }
  const ValueInfo* source = value;
  while (source->outer != nullptr) source = source->outer;
  if (RankOf(source) >= 0) shapes_.emplace(value, Declared(*source));
}

void ShapeAnalysis::AddNode(const Node& node) {
  for (const ValueInfo* input : node.inputs) {
    if (input != nullptr && input->producer == nullptr) AddValue(input);
  }
  for (size_t i = 0; i < node.outputs.size(); ++i) {
    const ValueInfo* output = node.outputs[i];
    if (output == nullptr || shapes_.count(output) != 0) continue;
    std::optional<SymbolicShape> inferred = Infer(node, i);
    if (RankOf(output) >= 0) {
      // A declared number is the best knowledge, then what follows from the inputs.
      const SymbolicShape declared = Declared(*output);
      if (!inferred || inferred->size() != declared.size()) {
        inferred = declared;
      } else {
        for (size_t axis = 0; axis < declared.size(); ++axis) {
          if (declared[axis].known()) (*inferred)[axis] = declared[axis];
        }
      }
    }
    if (inferred) shapes_.emplace(output, std::move(*inferred));
  }
  if (node.outputs.size() == 1 && node.outputs[0] != nullptr && node.domain.empty()) {
    if (auto elements = Elements(node); elements && elements->size() <= kMostShapeElements) {
      elements_.emplace(node.outputs[0], std::move(*elements));
    }
  }
}

std::optional<std::vector<int64_t>> ReshapeTarget(const SymbolicShape& from, const SymbolicShape& to) {
  std::vector<int64_t> target;
  int open = 0;
  for (size_t i = 0; i < to.size(); ++i) {
    if (to[i].known()) {
      if (to[i].value == 0) return std::nullopt;
      target.push_back(to[i].value);
    } else if (i < from.size() && from[i] == to[i]) {
      target.push_back(0);
    } else {
      target.push_back(-1);
      ++open;
    }
  }
  if (open > 1) return std::nullopt;
  return target;
}

}  // namespace ortrun
