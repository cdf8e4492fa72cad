// SPDX-License-Identifier: Apache-2.0
// Gelu as exporters spell it:
//   erf:  x * (1 + Erf(x / sqrt 2)) * 0.5, the factors in any order and grouping
//   tanh: x * (1 + Tanh(sqrt(2/pi) * (x + 0.044715 x^3))) * 0.5, likewise
#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/optimizer/passes.h"

namespace ortrun {

namespace {

/// The factors of a product: nodes that only this product reads are opened.
struct Product {
  double scalar = 1;
  std::vector<ValueInfo*> factors;
  std::vector<Node*> nodes;

  /// Whether the constant factors make up `expected`, as near as the type of the product has it.
  bool Scales(ElementType type, double expected) const { return IsNear(type, scalar, expected); }
};

void Open(ValueInfo* value, Product& product, int depth) {
  if (const auto scalar = ScalarOf(value)) {
    product.scalar *= *scalar;
    return;
  }
  Node* node = value->producer;
  const bool open = depth > 0 && node != nullptr && UsedOnce(value) && node->domain.empty() && node->inputs.size() == 2;
  if (open && node->op_type == "Mul" && node->inputs[0] && node->inputs[1]) {
    product.nodes.push_back(node);
    Open(node->inputs[0], product, depth - 1);
    Open(node->inputs[1], product, depth - 1);
    return;
  }
  if (open && node->op_type == "Div" && node->inputs[0] && ScalarOf(node->inputs[1]).value_or(0) != 0) {
    product.nodes.push_back(node);
    product.scalar /= *ScalarOf(node->inputs[1]);
    Open(node->inputs[0], product, depth - 1);
    return;
  }
  product.factors.push_back(value);
}

/// value = 1 + f(inner): the node f.
Node* OnePlus(ValueInfo* value, const char* f, std::vector<Node*>& nodes) {
  Node* add = UsedOnce(value) ? MadeBy(value, "Add") : nullptr;
  if (add == nullptr) return nullptr;
  const auto operand = WithScalar(add);
  if (!operand || operand->scalar != 1) return nullptr;
  Node* made = UsedOnce(operand->other) ? MadeBy(operand->other, f) : nullptr;
  if (made == nullptr) return nullptr;
  nodes.push_back(add);
  nodes.push_back(made);
  return made;
}

/// Whether value is x^3, as Pow or as products.
bool IsCube(ValueInfo* value, ValueInfo* x, std::vector<Node*>& nodes) {
  if (Node* pow = MadeBy(value, "Pow"); pow != nullptr && UsedOnce(value)) {
    nodes.push_back(pow);
    return pow->inputs[0] == x && IsScalarOf(pow->inputs[1], 3);
  }
  return false;
}

/// Whether the argument of Tanh is sqrt(2/pi) * (x + 0.044715 x^3).
bool IsTanhArgument(ValueInfo* value, ValueInfo* x, std::vector<Node*>& nodes) {
  Product outer;
  Open(value, outer, 3);
  nodes.insert(nodes.end(), outer.nodes.begin(), outer.nodes.end());
  if (!outer.Scales(TypeOf(x), std::sqrt(2 / std::numbers::pi))) return false;
  ValueInfo* sum = nullptr;
  if (outer.factors.size() == 2 && (outer.factors[0] == x || outer.factors[1] == x)) {
    // sqrt(2/pi) * x * (1 + 0.044715 x^2)
    sum = outer.factors[0] == x ? outer.factors[1] : outer.factors[0];
    Node* add = UsedOnce(sum) ? MadeBy(sum, "Add") : nullptr;
    const auto one = add != nullptr ? WithScalar(add) : std::nullopt;
    if (!one || one->scalar != 1) return false;
    Product square;
    Open(one->other, square, 3);
    nodes.push_back(add);
    nodes.insert(nodes.end(), square.nodes.begin(), square.nodes.end());
    return square.Scales(TypeOf(x), 0.044715) && square.factors == std::vector<ValueInfo*>{x, x};
  }
  if (outer.factors.size() != 1) return false;
  sum = outer.factors[0];
  Node* add = UsedOnce(sum) ? MadeBy(sum, "Add") : nullptr;
  if (add == nullptr || add->inputs.size() != 2) return false;
  nodes.push_back(add);
  for (size_t i : {size_t{0}, size_t{1}}) {
    if (add->inputs[i] != x || add->inputs[1 - i] == nullptr) continue;
    Product cubic;
    Open(add->inputs[1 - i], cubic, 4);
    if (!cubic.Scales(TypeOf(x), 0.044715)) continue;
    nodes.insert(nodes.end(), cubic.nodes.begin(), cubic.nodes.end());
    if (cubic.factors == std::vector<ValueInfo*>{x, x, x}) return true;
    return cubic.factors.size() == 1 && IsCube(cubic.factors[0], x, nodes);
  }
  return false;
}

bool Rewrite(Rewriter& rewriter, Node& last) {
  if (!last.Is("Mul") || last.inputs.size() != 2 || !last.inputs[0] || !last.inputs[1]) return false;
  ValueInfo* output = last.outputs[0];
  const ElementType type = TypeOf(output);
  if (!IsFloating(type)) return false;
  Product product;
  product.nodes.push_back(&last);
  Open(last.inputs[0], product, 3);
  Open(last.inputs[1], product, 3);
  if (product.factors.size() != 2 || !product.Scales(type, 0.5)) return false;
  for (size_t i : {size_t{0}, size_t{1}}) {
    ValueInfo* x = product.factors[i];
    std::vector<Node*> nodes = product.nodes;
    const char* op = nullptr;
    if (Node* erf = OnePlus(product.factors[1 - i], "Erf", nodes)) {
      Product argument;
      Open(erf->inputs[0], argument, 2);
      nodes.insert(nodes.end(), argument.nodes.begin(), argument.nodes.end());
      if (argument.factors == std::vector<ValueInfo*>{x} && argument.Scales(type, std::numbers::sqrt2 / 2)) op = "Gelu";
    } else if (Node* tanh = OnePlus(product.factors[1 - i], "Tanh", nodes)) {
      if (IsTanhArgument(tanh->inputs[0], x, nodes)) op = "FastGelu";
    }
    if (op == nullptr) continue;
    Patch patch = rewriter.Start(last);
    patch.Take(nodes);
    patch.SetOutput(patch.Add(op, "com.microsoft", 1, {x}), 0, output);
    if (rewriter.Apply(patch)) return true;
  }
  return false;
}

void Run(Rewriter& rewriter) {
  rewriter.ForEach([&](Node& node) { return Rewrite(rewriter, node); }, true);
}

}  // namespace

std::unique_ptr<Pass> MakeGeluFusion() {
  return MakePass("gelu_fusion", PassStage::kProvider, ORT_ENABLE_EXTENDED, Run);
}

}  // namespace ortrun
