// SPDX-License-Identifier: Apache-2.0
// Nodes that answer their input: Identity, and Dropout outside training.
#include "core/optimizer/passes.h"

namespace ortrun {

namespace {

bool IsInferenceDropout(const Node& node) {
  if (!node.Is("Dropout") || OutputCount(&node) != 1) return false;
  if (node.since_version < 7) return node.Int("is_test", 0) != 0;
  const ValueInfo* training = Input(&node, 2);
  if (training == nullptr) return true;
  const Value* constant = ConstantOf(training);
  return constant != nullptr && constant->type() == ONNX_TENSOR_ELEMENT_DATA_TYPE_BOOL &&
         constant->tensor().count == 1 && !*static_cast<const bool*>(constant->tensor().data);
}

void Run(Rewriter& rewriter) {
  rewriter.ForEach([&](Node& node) {
    if (!node.Is("Identity") && !IsInferenceDropout(node)) return false;
    ValueInfo* input = Input(&node, 0);
    ValueInfo* output = Output(&node, 0);
    if (input == nullptr || output == nullptr) return false;
    if (!output->is_output && input->IsConstant()) {
      // A second name of a constant: shares its data, so subgraphs that read the name keep reading it.
      Patch patch = rewriter.Start(node);
      patch.Take(&node);
      patch.Become(output, input->initializer, input->external);
      return rewriter.Apply(patch);
    }
    return rewriter.Bypass(&node, input);
  });
}

}  // namespace

std::unique_ptr<Pass> MakeIdentityRemoval() {
  return MakePass("identity_removal", PassStage::kPortable, ORT_ENABLE_BASIC, Run);
}

}  // namespace ortrun
