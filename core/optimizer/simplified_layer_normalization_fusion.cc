// SPDX-License-Identifier: Apache-2.0
// x / sqrt(mean(x^2) + epsilon) * scale -> SimplifiedLayerNormalization (RMS norm). The division may be spelled as Div
// by the root, as a product with Reciprocal or with 1 / root.
#include "core/optimizer/normalization_match.h"
#include "core/optimizer/passes.h"

namespace ortrun {

namespace {

struct RootMean {
  ValueInfo* x = nullptr;
  double epsilon = 0;
};

/// sqrt(mean(x^2) + epsilon).
std::optional<RootMean> Root(const ValueInfo* value, std::vector<Node*>& nodes) {
  Node* root = MadeBy(value, "Sqrt");
  Node* add = root != nullptr ? MadeBy(root->inputs[0], "Add") : nullptr;
  const auto epsilon = add != nullptr ? WithScalar(add) : std::nullopt;
  Node* mean = epsilon ? LastAxisMean(epsilon->other) : nullptr;
  if (mean == nullptr) return std::nullopt;
  nodes.insert(nodes.end(), {root, add, mean});
  ValueInfo* x = SquareRoot(mean->inputs[0], nodes);
  if (x == nullptr) return std::nullopt;
  return RootMean{x, epsilon->scalar};
}

/// The normalised x from its last node.
std::optional<RootMean> Normalised(Node* node, std::vector<Node*>& nodes) {
  nodes.push_back(node);
  if (node->Is("Div")) {
    const auto root = Root(node->inputs[1], nodes);
    return root && root->x == node->inputs[0] ? root : std::nullopt;
  }
  if (!node->Is("Mul")) return std::nullopt;
  for (size_t i : {size_t{0}, size_t{1}}) {
    Node* inverse = node->inputs[i] == nullptr ? nullptr : node->inputs[i]->producer;
    if (inverse == nullptr) continue;
    std::vector<Node*> inner = {inverse};
    std::optional<RootMean> root;
    if (inverse->Is("Reciprocal")) root = Root(inverse->inputs[0], inner);
    if (inverse->Is("Div") && IsScalarOf(inverse->inputs[0], 1)) root = Root(inverse->inputs[1], inner);
    if (!root || root->x != node->inputs[1 - i]) continue;
    nodes.insert(nodes.end(), inner.begin(), inner.end());
    return root;
  }
  return std::nullopt;
}

bool Rewrite(Rewriter& rewriter, Node& last) {
  if (!last.Is("Mul") || last.inputs.size() != 2) return false;
  for (size_t i : {size_t{0}, size_t{1}}) {
    ValueInfo* normalised = last.inputs[i];
    ValueInfo* scale = last.inputs[1 - i];
    if (!UsedOnce(normalised) || normalised->producer == nullptr || normalised->producer->inputs.size() != 2) continue;
    std::vector<Node*> nodes = {&last};
    const auto found = Normalised(normalised->producer, nodes);
    if (!found || !IsLastAxisVector(scale, found->x)) continue;
    ValueInfo* output = last.outputs[0];
    if (!IsExactFloat(found->epsilon)) return false;
    Patch patch = rewriter.Start(last);
    patch.Take(nodes);
    Node* made = patch.Add("SimplifiedLayerNormalization", "", 1, {found->x, scale});
    SetAttribute(made, "axis", int64_t{-1});
    SetAttribute(made, "epsilon", static_cast<float>(found->epsilon));
    patch.SetOutput(made, 0, output);
    return rewriter.Apply(patch);
  }
  return false;
}

void Run(Rewriter& rewriter) {
  rewriter.ForEach([&](Node& node) { return Rewrite(rewriter, node); });
}

}  // namespace

std::unique_ptr<Pass> MakeSimplifiedLayerNormalizationFusion() {
  return MakePass("simplified_layer_normalization_fusion", PassStage::kProvider, ORT_ENABLE_EXTENDED, Run);
}

}  // namespace ortrun
