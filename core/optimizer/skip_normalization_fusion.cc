// SPDX-License-Identifier: Apache-2.0
// A residual Add (with a bias Add before it) and the normalisation that reads it
// -> com.microsoft.SkipLayerNormalization, SkipSimplifiedLayerNormalization.
#include "core/optimizer/normalization_match.h"
#include "core/optimizer/passes.h"
#include "core/optimizer/symbolic_shape.h"

namespace ortrun {

namespace {

bool Rewrite(Rewriter& rewriter, const ShapeAnalysis& shapes, Node& norm) {
  const bool simplified = norm.Is("SimplifiedLayerNormalization");
  if ((!simplified && !norm.Is("LayerNormalization")) || OutputCount(&norm) != 1 || !Input(&norm, 0)) return false;
  Node* add = MadeBy(norm.inputs[0], "Add");
  if (add == nullptr || add->inputs.size() != 2) return false;
  ValueInfo* sum = norm.inputs[0];
  const int64_t rank = RankOf(sum);
  const int64_t axis = norm.Int("axis", -1);
  if (rank != 3 || (axis != -1 && axis != 2) || norm.Int("stash_type", 1) != 1) return false;
  if (!shapes.SameShape(add->inputs[0], sum) || !shapes.SameShape(add->inputs[1], sum)) return false;
  if (!IsLastAxisVector(Input(&norm, 1), sum)) return false;
  const char* op = simplified ? "SkipSimplifiedLayerNormalization" : "SkipLayerNormalization";
  std::vector<Node*> nodes = {&norm, add};
  ValueInfo* input = add->inputs[0];
  ValueInfo* skip = add->inputs[1];
  ValueInfo* bias = nullptr;
  for (size_t i : {size_t{0}, size_t{1}}) {
    Node* shift = UsedOnce(add->inputs[i]) ? MadeBy(add->inputs[i], "Add") : nullptr;
    if (shift == nullptr || shift->provider != norm.provider || shift->inputs.size() != 2) continue;
    for (size_t j : {size_t{0}, size_t{1}}) {
      if (!IsLastAxisVector(shift->inputs[j], sum) || !shapes.SameShape(shift->inputs[1 - j], sum)) continue;
      input = shift->inputs[1 - j];
      skip = add->inputs[1 - i];
      bias = shift->inputs[j];
      break;
    }
    if (bias != nullptr) {
      nodes.push_back(shift);
      break;
    }
  }
  std::vector<ValueInfo*> inputs = {input, skip, norm.inputs[1]};
  if (!simplified && (Input(&norm, 2) != nullptr || bias != nullptr)) inputs.push_back(Input(&norm, 2));
  if (bias != nullptr) inputs.push_back(bias);
  Patch patch = rewriter.Start(norm);
  patch.Take(nodes);
  Node* made = patch.Add(op, "com.microsoft", 1, inputs);
  SetAttribute(made, "epsilon", norm.Float("epsilon", 1e-5f));
  patch.SetOutput(made, 0, norm.outputs[0]);
  if (!UsedOnce(sum)) patch.SetOutput(made, 3, sum);
  return rewriter.Apply(patch);
}

void Run(Rewriter& rewriter) {
  const ShapeAnalysis shapes(rewriter.graph(), rewriter.context().names);
  rewriter.ForEach([&](Node& node) { return Rewrite(rewriter, shapes, node); });
}

}  // namespace

std::unique_ptr<Pass> MakeSkipNormalizationFusion() {
  return MakePass("skip_normalization_fusion", PassStage::kProvider, ORT_ENABLE_EXTENDED, Run);
}

}  // namespace ortrun
