// SPDX-License-Identifier: Apache-2.0
#include "core/optimizer/symbolic_shape.h"

#include <algorithm>
#include <set>

namespace ortrun {

namespace {

/// Operators whose first output has the shape of their first input.
const std::set<std::string>& SameShapeOperators() {
  static const std::set<std::string> names = {"Abs",
                                              "Acos",
                                              "Acosh",
                                              "Asin",
                                              "Asinh",
                                              "Atan",
                                              "Atanh",
                                              "BatchNormalization",
                                              "BitwiseNot",
                                              "Cast",
                                              "Ceil",
                                              "Celu",
                                              "Clip",
                                              "Cos",
                                              "Cosh",
                                              "CumSum",
                                              "Dropout",
                                              "Elu",
                                              "Erf",
                                              "Exp",
                                              "FastGelu",
                                              "Floor",
                                              "Gelu",
                                              "GroupNormalization",
                                              "HardSigmoid",
                                              "HardSwish",
                                              "Hardmax",
                                              "Identity",
                                              "LeakyRelu",
                                              "IsInf",
                                              "IsNaN",
                                              "InstanceNormalization",
                                              "Log",
                                              "Mish",
                                              "LogSoftmax",
                                              "LayerNormalization",
                                              "Neg",
                                              "Not",
                                              "QuickGelu",
                                              "RMSNormalization",
                                              "Reciprocal",
                                              "Relu",
                                              "Round",
                                              "SimplifiedLayerNormalization",
                                              "Selu",
                                              "Shrink",
                                              "Sigmoid",
                                              "DequantizeLinear",
                                              "Sign",
                                              "Sin",
                                              "Sinh",
                                              "QuantizeLinear",
                                              "Softmax",
                                              "Softplus",
                                              "Softsign",
                                              "SkipLayerNormalization",
                                              "Sqrt",
                                              "Swish",
                                              "Tan",
                                              "SkipSimplifiedLayerNormalization",
                                              "Tanh",
                                              "Trilu",
                                              "RotaryEmbedding",
                                              "ThresholdedRelu",
                                              "BiasGelu",
                                              "LpNormalization"};
  return names;
}

const std::set<std::string>& BroadcastOperators() {
  static const std::set<std::string> names = {"Add",
                                              "Sub",
                                              "Mul",
                                              "Div",
                                              "Pow",
                                              "Max",
                                              "Min",
                                              "And",
                                              "Or",
                                              "Xor",
                                              "Equal",
                                              "Greater",
                                              "Less",
                                              "GreaterOrEqual",
                                              "Sum",
                                              "Where",
                                              "Mean",
                                              "Mod",
                                              "PRelu",
                                              "LessOrEqual",
                                              "BitShift",
                                              "BitwiseAnd",
                                              "ElementwiseChain",
                                              "BitwiseOr"};
  return names;
}

}  // namespace

ShapeAnalysis::ShapeAnalysis(const Graph& graph) {
  for (const ValueInfo* input : graph.inputs()) AddValue(input);
  for (const auto& node : graph.nodes()) AddNode(*node);
}

const SymbolicShape* ShapeAnalysis::ShapeOf(const ValueInfo* value) const {
  const auto found = shapes_.find(value);
  return found == shapes_.end() ? nullptr : &found->second;
}

const std::vector<Dim>* ShapeAnalysis::ElementsOf(const ValueInfo* value) const {
  const auto found = elements_.find(value);
  return found == elements_.end() ? nullptr : &found->second;
}

bool ShapeAnalysis::SameShape(const ValueInfo* a, const ValueInfo* b) const {
  const SymbolicShape* left = ShapeOf(a);
  const SymbolicShape* right = ShapeOf(b);
  return left != nullptr && right != nullptr && *left == *right;
}

const Dim* ShapeAnalysis::DimAt(const ValueInfo* value, int64_t axis) const {
  const SymbolicShape* shape = ShapeOf(value);
  if (shape == nullptr) return nullptr;
  if (axis < 0) axis += static_cast<int64_t>(shape->size());
  return axis >= 0 && axis < static_cast<int64_t>(shape->size()) ? &(*shape)[static_cast<size_t>(axis)] : nullptr;
}

int64_t ShapeAnalysis::NumberOf(const ValueInfo* value, int64_t axis) const {
  const Dim* dim = DimAt(value, axis);
  return dim != nullptr && dim->known() ? dim->value : -1;
}

bool ShapeAnalysis::SameDim(const ValueInfo* a, int64_t a_axis, const ValueInfo* b, int64_t b_axis) const {
  const Dim* left = DimAt(a, a_axis);
  const Dim* right = DimAt(b, b_axis);
  return left != nullptr && right != nullptr && *left == *right;
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

Dim ShapeAnalysis::Named(const std::string& name) {
  const auto [place, added] = names_.emplace(name, symbols_ + 1);
  if (added) ++symbols_;
  return {0, place->second};
}

SymbolicShape ShapeAnalysis::Declared(const ValueInfo& value) {
  const TensorType& tensor = value.type.tensor;
  SymbolicShape shape;
  for (size_t i = 0; i < tensor.dims.size(); ++i) {
    if (tensor.dims[i] >= 0) {
      shape.push_back({tensor.dims[i], 0});
    } else if (i < tensor.symbols.size() && !tensor.symbols[i].empty()) {
      shape.push_back(Named(tensor.symbols[i]));
    } else {
      shape.push_back(Fresh());
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
      // A declared number is the best knowledge, then what follows from the inputs, then a declared name.
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

std::optional<SymbolicShape> ShapeAnalysis::InferBroadcast(const Node& node) {
  std::optional<SymbolicShape> result;
  for (const ValueInfo* input : node.inputs) {
    const SymbolicShape* shape = ShapeOf(input);
    if (shape == nullptr) return std::nullopt;
    if (!result) {
      result = *shape;
      continue;
    }
    // Two different names: one of them may be 1 in some run, so the result is a number of its own.
    SymbolicShape joined(std::max(result->size(), shape->size()));
    for (size_t back = 1; back <= joined.size(); ++back) {
      const SymbolicShape left = {back <= result->size() ? (*result)[result->size() - back] : Dim{1, 0}};
      const SymbolicShape right = {back <= shape->size() ? (*shape)[shape->size() - back] : Dim{1, 0}};
      const auto one = Broadcast(left, right);
      joined[joined.size() - back] = one ? (*one)[0] : Fresh();
    }
    result = std::move(joined);
  }
  return result;
}

std::optional<SymbolicShape> ShapeAnalysis::Infer(const Node& node, size_t output) {
  const std::string& op = node.op_type;
  const SymbolicShape* first = ShapeOf(Input(&node, 0));
  if (SameShapeOperators().count(op) != 0) {
    if (output != 0 || first == nullptr) return std::nullopt;
    return *first;
  }
  if (BroadcastOperators().count(op) != 0) return InferBroadcast(node);
  if (first == nullptr) return std::nullopt;
  if (op == "MatMul" || op == "FusedMatMul") {
    const SymbolicShape* second = ShapeOf(Input(&node, 1));
    if (second == nullptr || first->size() < 2 || second->size() < 2) return std::nullopt;
    const bool trans_a = node.Int("transA", 0) != 0, trans_b = node.Int("transB", 0) != 0;
    auto result =
        Broadcast(SymbolicShape(first->begin(), first->end() - 2), SymbolicShape(second->begin(), second->end() - 2));
    if (!result) return std::nullopt;
    result->push_back((*first)[first->size() - (trans_a ? 1 : 2)]);
    result->push_back((*second)[second->size() - (trans_b ? 2 : 1)]);
    return result;
  }
  if (op == "Gemm") {
    const SymbolicShape* second = ShapeOf(Input(&node, 1));
    if (second == nullptr || first->size() != 2 || second->size() != 2) return std::nullopt;
    return SymbolicShape{(*first)[node.Int("transA", 0) != 0 ? 1 : 0], (*second)[node.Int("transB", 0) != 0 ? 0 : 1]};
  }
  if (op == "Gather") {
    const SymbolicShape* indices = ShapeOf(Input(&node, 1));
    const int64_t rank = static_cast<int64_t>(first->size());
    int64_t axis = node.Int("axis", 0);
    if (axis < 0) axis += rank;
    if (indices == nullptr || axis < 0 || axis >= rank) return std::nullopt;
    SymbolicShape result(first->begin(), first->begin() + axis);
    result.insert(result.end(), indices->begin(), indices->end());
    result.insert(result.end(), first->begin() + axis + 1, first->end());
    return result;
  }
  if (op == "Shape") return std::nullopt;
  if (op == "Reshape" || op == "Expand") return InferReshape(node);
  if (op == "Conv" || op == "FusedConv") {
    SymbolicShape result = RankOf(node.outputs[output]) >= 0 ? Declared(*node.outputs[output]) : SymbolicShape();
    if (result.size() != first->size() || result.empty()) return std::nullopt;
    result[0] = (*first)[0];
    return result;
  }
  return InferMoved(node, output);
}

std::optional<SymbolicShape> ShapeAnalysis::InferReshape(const Node& node) {
  const SymbolicShape& input = *ShapeOf(node.inputs[0]);
  const std::vector<Dim>* target = ElementsOf(Input(&node, 1));
  if (target == nullptr) return std::nullopt;
  if (node.op_type == "Expand") {
    for (const Dim& dim : *target) {
      if (dim.known() && dim.value < 0) return std::nullopt;
    }
    return Broadcast(input, *target);
  }
  SymbolicShape result = *target;
  size_t open = result.size();
  for (size_t i = 0; i < result.size(); ++i) {
    if (result[i].Is(0) && node.Int("allowzero", 0) == 0) {
      if (i >= input.size()) return std::nullopt;
      result[i] = input[i];
    } else if (result[i].Is(-1)) {
      if (open != result.size()) return std::nullopt;
      open = i;
    } else if (result[i].known() && result[i].value < 0) {
      return std::nullopt;
    }
  }
  if (open == result.size()) return result;
  // The open dimension takes what is left once equal factors on both sides are cancelled.
  std::vector<int> symbols;
  int64_t number = 1, divisor = 1;
  for (const Dim& dim : input) {
    if (!dim.known()) {
      symbols.push_back(dim.symbol);
    } else if (dim.value == 0 || __builtin_mul_overflow(number, dim.value, &number)) {
      number = 0;
      break;
    }
  }
  bool cancelled = number != 0;
  for (size_t i = 0; i < result.size() && cancelled; ++i) {
    if (i == open) continue;
    if (result[i].known()) {
      cancelled = result[i].value > 0 && !__builtin_mul_overflow(divisor, result[i].value, &divisor);
    } else {
      const auto found = std::find(symbols.begin(), symbols.end(), result[i].symbol);
      cancelled = found != symbols.end();
      if (cancelled) symbols.erase(found);
    }
  }
  if (cancelled && symbols.empty() && number % divisor == 0) {
    result[open] = {number / divisor, 0};
  } else if (cancelled && symbols.size() == 1 && number == divisor) {
    result[open] = {0, symbols[0]};
  } else {
    result[open] = Fresh();
  }
  return result;
}

std::optional<SymbolicShape> ShapeAnalysis::InferMoved(const Node& node, size_t output) {
  const std::string& op = node.op_type;
  const SymbolicShape& input = *ShapeOf(node.inputs[0]);
  const int64_t rank = static_cast<int64_t>(input.size());
  if (op == "Transpose") {
    const std::vector<int64_t> perm = PermOf(&node);
    if (perm.size() != input.size()) return std::nullopt;
    SymbolicShape result;
    for (int64_t axis : perm) result.push_back(input[static_cast<size_t>(axis)]);
    return result;
  }
  if (op == "Squeeze") {
    const auto axes = AxesOf(&node, rank);
    if (!axes || axes->empty()) return std::nullopt;
    SymbolicShape result;
    for (int64_t i = 0; i < rank; ++i) {
      if (std::find(axes->begin(), axes->end(), i) == axes->end()) result.push_back(input[static_cast<size_t>(i)]);
    }
    return result;
  }
  if (op == "Unsqueeze") {
    auto axes = AxesOf(&node, -1);
    if (!axes) {  // negative axes count in the result
      const auto raw = node.inputs.size() > 1 ? IntsOf(node.inputs[1]) : std::optional(node.Ints("axes"));
      if (!raw) return std::nullopt;
      axes = AxesOf(&node, rank + static_cast<int64_t>(raw->size()));
      if (!axes) return std::nullopt;
    }
    const size_t total = input.size() + axes->size();
    SymbolicShape result;
    auto next = input.begin();
    for (size_t i = 0; i < total; ++i) {
      if (std::find(axes->begin(), axes->end(), static_cast<int64_t>(i)) != axes->end()) {
        result.push_back({1, 0});
      } else if (next != input.end()) {
        result.push_back(*next++);
      }
    }
    if (result.size() != total) return std::nullopt;
    return result;
  }
  if (op == "Split" || op == "Slice" || op == "Concat" || op.starts_with("Reduce")) {
    // All dimensions but the named ones stay.
    if (RankOf(node.outputs[output]) != rank && op.starts_with("Reduce")) return std::nullopt;
    SymbolicShape result = input;
    std::vector<int64_t> changed;
    if (op == "Slice") {
      const auto axes = IntsOf(Input(&node, 3));
      const auto starts = IntsOf(Input(&node, 1));
      if (axes) {
        changed = *axes;
      } else if (node.inputs.size() <= 3 && starts) {
        for (size_t i = 0; i < starts->size(); ++i) changed.push_back(static_cast<int64_t>(i));
      } else {
        return std::nullopt;
      }
    } else if (op.starts_with("Reduce")) {
      const auto axes = AxesOf(&node, rank);
      if (!axes || axes->empty() || node.Int("keepdims", 1) == 0) return std::nullopt;
      changed = *axes;
    } else {
      changed = {node.Int("axis", 0)};
    }
    for (int64_t axis : changed) {
      if (axis < 0) axis += rank;
      if (axis < 0 || axis >= rank) return std::nullopt;
      const int64_t declared = DimOf(node.outputs[output], axis);
      Dim& dim = result[static_cast<size_t>(axis)];
      dim = op.starts_with("Reduce") ? Dim{1, 0} : declared >= 0 ? Dim{declared, 0} : Fresh();
    }
    if (op == "Split" && changed.size() == 1) {
      const auto sizes = node.inputs.size() > 1 ? IntsOf(node.inputs[1]) : std::optional(node.Ints("split"));
      const int64_t axis = changed[0] < 0 ? changed[0] + rank : changed[0];
      if (sizes && output < sizes->size()) result[static_cast<size_t>(axis)] = {(*sizes)[output], 0};
    }
    if (op == "Concat") {
      const int64_t axis = changed[0] < 0 ? changed[0] + rank : changed[0];
      int64_t sum = 0;
      for (const ValueInfo* part : node.inputs) {
        const int64_t number = NumberOf(part, axis);
        if (number < 0) return result;
        sum += number;
      }
      result[static_cast<size_t>(axis)] = {sum, 0};
    }
    return result;
  }
  return std::nullopt;
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
