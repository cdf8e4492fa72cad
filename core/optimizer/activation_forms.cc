// SPDX-License-Identifier: Apache-2.0
// Activations that exporters spell with several nodes: x * Sigmoid(a x) -> QuickGelu, x * HardSigmoid(x, 1/6, 1/2) and
// x * Clip(x + 3, 0, 6) / 6 -> HardSwish, Clip(x + 3, 0, 6) / 6 -> HardSigmoid.
#include "core/optimizer/activation.h"
#include "core/optimizer/passes.h"

namespace ortrun {

namespace {

struct Match {
  ValueInfo* x = nullptr;
  std::vector<Node*> nodes;
  float alpha = 1;
};

/// Mul(x, Sigmoid(x)) or Mul(x, Sigmoid(alpha * x)).
std::optional<Match> QuickGelu(Node& mul) {
  for (size_t i : {size_t{0}, size_t{1}}) {
    Node* sigmoid = UsedOnce(mul.inputs[i]) ? MadeBy(mul.inputs[i], "Sigmoid") : nullptr;
    ValueInfo* x = mul.inputs[1 - i];
    if (sigmoid == nullptr || x == nullptr) continue;
    if (sigmoid->inputs[0] == x) return Match{x, {&mul, sigmoid}, 1};
    Node* scale = UsedOnce(sigmoid->inputs[0]) ? MadeBy(sigmoid->inputs[0], "Mul") : nullptr;
    const auto operand = scale != nullptr ? WithScalar(scale) : std::nullopt;
    if (operand && operand->other == x && IsExactFloat(operand->scalar))
      return Match{x, {&mul, sigmoid, scale}, static_cast<float>(operand->scalar)};
  }
  return std::nullopt;
}

/// Clip(x + 3, 0, 6) of which `value` is the result.
std::optional<Match> ShiftedClip(ValueInfo* value) {
  if (!UsedOnce(value)) return std::nullopt;
  const auto clip = AsActivation(value->producer);
  if (!clip || clip->name != "Clip" || clip->params[0] != 0 || clip->params[1] != 6) return std::nullopt;
  ValueInfo* shifted = clip->nodes[0]->inputs[0];
  Node* add = UsedOnce(shifted) ? MadeBy(shifted, "Add") : nullptr;
  const auto operand = add != nullptr ? WithScalar(add) : std::nullopt;
  if (!operand || operand->scalar != 3) return std::nullopt;
  return Match{operand->other, {clip->nodes[0], add}};
}

/// x / 6 or x * (1/6): the node's other input.
ValueInfo* Sixth(const Node* node) {
  if (node == nullptr) return nullptr;
  const auto operand = WithScalar(node);
  if (!operand) return nullptr;
  if (node->Is("Div") && operand->index == 1 && operand->scalar == 6) return operand->other;
  return node->Is("Mul") && IsNear(TypeOf(operand->other), operand->scalar, 1.0 / 6) ? operand->other : nullptr;
}

std::optional<Match> HardSwish(Node& last) {
  if (ValueInfo* product = Sixth(&last)) {  // (x * Clip(x + 3)) / 6
    Node* mul = UsedOnce(product) ? MadeBy(product, "Mul") : nullptr;
    if (mul == nullptr || mul->inputs.size() != 2) return std::nullopt;
    for (size_t i : {size_t{0}, size_t{1}}) {
      auto match = ShiftedClip(mul->inputs[i]);
      if (!match || match->x != mul->inputs[1 - i]) continue;
      match->nodes.insert(match->nodes.begin(), {&last, mul});
      return match;
    }
  }
  if (!last.Is("Mul") || last.inputs.size() != 2) return std::nullopt;
  for (size_t i : {size_t{0}, size_t{1}}) {
    ValueInfo* gate = last.inputs[i];
    if (!UsedOnce(gate)) continue;
    if (Node* sigmoid = MadeBy(gate, "HardSigmoid")) {
      if (sigmoid->inputs[0] == last.inputs[1 - i] && IsNear(TypeOf(gate), sigmoid->Float("alpha", 0.2f), 1.0 / 6) &&
          sigmoid->Float("beta", 0.5f) == 0.5f) {
        return Match{last.inputs[1 - i], {&last, sigmoid}};
      }
    }
    if (ValueInfo* clipped = Sixth(gate->producer)) {  // x * (Clip(x + 3) / 6)
      auto match = ShiftedClip(clipped);
      if (!match || match->x != last.inputs[1 - i]) continue;
      match->nodes.insert(match->nodes.begin(), {&last, gate->producer});
      return match;
    }
  }
  return std::nullopt;
}

std::optional<Match> HardSigmoid(Node& last) {
  ValueInfo* clipped = Sixth(&last);
  auto match = clipped != nullptr ? ShiftedClip(clipped) : std::nullopt;
  if (match) match->nodes.insert(match->nodes.begin(), &last);
  return match;
}

bool Rewrite(Rewriter& rewriter, Node& last) {
  if ((!last.Is("Mul") && !last.Is("Div")) || last.inputs.size() != 2 || !IsFloating(TypeOf(last.outputs[0])))
    return false;
  const char* op = "HardSwish";
  const char* domain = "";
  int version = 14;
  auto match = HardSwish(last);
  if (!match) {
    op = "HardSigmoid";
    version = 6;
    // In double an attribute of type float cannot say 1/6.
    if (TypeOf(last.outputs[0]) != ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE) match = HardSigmoid(last);
  }
  if (!match && last.Is("Mul")) {
    op = "QuickGelu";
    domain = "com.microsoft";
    version = 1;
    match = QuickGelu(last);
  }
  if (!match) return false;
  Patch patch = rewriter.Start(last);
  patch.Take(match->nodes);
  Node* made = patch.Add(op, domain, version, {match->x});
  if (made->op_type == "QuickGelu") SetAttribute(made, "alpha", match->alpha);
  if (made->op_type == "HardSigmoid") {
    SetAttribute(made, "alpha", 1.0f / 6);
    SetAttribute(made, "beta", 0.5f);
  }
  patch.SetOutput(made, 0, last.outputs[0]);
  return rewriter.Apply(patch);
}

void Run(Rewriter& rewriter) {
  rewriter.ForEach([&](Node& node) { return Rewrite(rewriter, node); }, true);
}

}  // namespace

std::unique_ptr<Pass> MakeActivationForms() {
  return MakePass("activation_forms", PassStage::kProvider, ORT_ENABLE_EXTENDED, Run);
}

}  // namespace ortrun
