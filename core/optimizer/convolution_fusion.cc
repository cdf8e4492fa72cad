// SPDX-License-Identifier: Apache-2.0
// A convolution takes in the activation that follows it, or a residual and then the activation
// -> com.microsoft.FusedConv.
#include "core/optimizer/activation.h"
#include "core/optimizer/passes.h"
#include "core/optimizer/symbolic_shape.h"

namespace ortrun {

namespace {

bool Rewrite(Rewriter& rewriter, const ShapeAnalysis& shapes, Node& conv) {
  if (!conv.Is("Conv") || !Input(&conv, 0) || !Input(&conv, 1)) return false;
  std::vector<Node*> nodes = {&conv};
  ValueInfo* output = conv.outputs[0];
  ValueInfo* residual = nullptr;
  if (Node* add = OnlyUser(output); add != nullptr && add->Is("Add") && add->provider == conv.provider) {
    ValueInfo* other = add->inputs[0] == output ? add->inputs[1] : add->inputs[0];
    if (other != output && ConstantOf(other) == nullptr && shapes.SameShape(other, output)) {
      residual = other;
      nodes.push_back(add);
      output = add->outputs[0];
    }
  }
  const auto activation = FollowingActivation(output);
  if (activation) {
    nodes.insert(nodes.end(), activation->nodes.begin(), activation->nodes.end());
    output = activation->output;
  }
  if (nodes.size() == 1) return false;
  std::vector<ValueInfo*> inputs = {conv.inputs[0], conv.inputs[1]};
  if (Input(&conv, 2) != nullptr || residual != nullptr) inputs.push_back(Input(&conv, 2));
  if (residual != nullptr) inputs.push_back(residual);
  Patch patch = rewriter.Start(conv);
  patch.Take(nodes);
  Node* made = patch.Add("FusedConv", "com.microsoft", 1, inputs);
  made->attributes = conv.attributes;
  if (activation) {
    SetAttribute(made, "activation", activation->name);
    SetAttribute(made, "activation_params", activation->params);
  }
  patch.SetOutput(made, 0, output);
  return rewriter.Apply(patch);
}

void Run(Rewriter& rewriter) {
  const ShapeAnalysis shapes(rewriter.graph(), rewriter.context().names);
  rewriter.ForEach([&](Node& node) { return Rewrite(rewriter, shapes, node); });
}

}  // namespace

std::unique_ptr<Pass> MakeConvolutionFusion() {
  return MakePass("convolution_fusion", PassStage::kProvider, ORT_ENABLE_EXTENDED, Run);
}

}  // namespace ortrun
