// SPDX-License-Identifier: Apache-2.0
// (x - mean) / sqrt(mean((x - mean)^2) + epsilon) * scale [+ bias] -> LayerNormalization.
#include "core/optimizer/normalization_match.h"
#include "core/optimizer/passes.h"

namespace ortrun {

namespace {

/// The centred value and its parts, from the value.
bool IsCentred(ValueInfo* value, ValueInfo** x, std::vector<Node*>& nodes) {
  Node* sub = MadeBy(value, "Sub");
  if (sub == nullptr) return false;
  Node* mean = LastAxisMean(sub->inputs[1]);
  if (mean == nullptr || mean->inputs[0] != sub->inputs[0]) return false;
  nodes.push_back(sub);
  nodes.push_back(mean);
  *x = sub->inputs[0];
  return true;
}

bool Rewrite(Rewriter& rewriter, Node& div) {
  if (!div.Is("Div") || div.inputs.size() != 2 || !div.inputs[0] || !div.inputs[1]) return false;
  std::vector<Node*> nodes = {&div};
  ValueInfo* x = nullptr;
  if (!IsCentred(div.inputs[0], &x, nodes)) return false;
  Node* root = MadeBy(div.inputs[1], "Sqrt");
  Node* add = root != nullptr ? MadeBy(root->inputs[0], "Add") : nullptr;
  const auto epsilon = add != nullptr ? WithScalar(add) : std::nullopt;
  Node* variance = epsilon ? LastAxisMean(epsilon->other) : nullptr;
  if (variance == nullptr) return false;
  nodes.insert(nodes.end(), {root, add, variance});
  ValueInfo* deviation = SquareRoot(variance->inputs[0], nodes);
  if (deviation == nullptr) return false;
  if (deviation != div.inputs[0]) {  // some exporters subtract twice
    ValueInfo* again = nullptr;
    std::vector<Node*> second;
    if (!IsCentred(deviation, &again, second) || again != x) return false;
    nodes.insert(nodes.end(), second.begin(), second.end());
  }
  ValueInfo* scale = nullptr;
  ValueInfo* bias = nullptr;
  Node* mul = FollowedBy(div.outputs[0], "Mul", x, &scale);
  if (mul == nullptr) return false;  // LayerNormalization needs a scale
  nodes.push_back(mul);
  ValueInfo* output = mul->outputs[0];
  if (Node* shift = FollowedBy(output, "Add", x, &bias)) {
    nodes.push_back(shift);
    output = shift->outputs[0];
  } else {
    bias = nullptr;
  }
  if (!IsExactFloat(epsilon->scalar)) return false;
  std::vector<ValueInfo*> inputs = {x, scale};
  if (bias != nullptr) inputs.push_back(bias);
  Patch patch = rewriter.Start(div);
  patch.Take(nodes);
  Node* made = patch.Add("LayerNormalization", "", 17, inputs);
  SetAttribute(made, "axis", int64_t{-1});
  SetAttribute(made, "epsilon", static_cast<float>(epsilon->scalar));
  patch.SetOutput(made, 0, output);
  return rewriter.Apply(patch);
}

void Run(Rewriter& rewriter) {
  rewriter.ForEach([&](Node& node) { return Rewrite(rewriter, node); });
}

}  // namespace

std::unique_ptr<Pass> MakeLayerNormalizationFusion() {
  return MakePass("layer_normalization_fusion", PassStage::kProvider, ORT_ENABLE_EXTENDED, Run);
}

}  // namespace ortrun
