// SPDX-License-Identifier: Apache-2.0
// Reshape, Flatten, Squeeze, Unsqueeze and Expand: those that change nothing go, and a reshape of a reshape is one.
#include "core/optimizer/passes.h"
#include "core/optimizer/symbolic_shape.h"

namespace ortrun {

namespace {

bool IsReshape(const Node* node) {
  return node != nullptr &&
         (node->Is("Reshape") || node->Is("Flatten") || node->Is("Squeeze") || node->Is("Unsqueeze"));
}

void Run(Rewriter& rewriter) {
  const ShapeAnalysis shapes(rewriter.graph(), rewriter.context().names);
  rewriter.ForEach([&](Node& node) {
    ValueInfo* input = Input(&node, 0);
    ValueInfo* output = Output(&node, 0);
    if (input == nullptr || output == nullptr || (!IsReshape(&node) && !node.Is("Expand"))) return false;
    if (shapes.SameShape(input, output)) return rewriter.Bypass(&node, input);
    // A chain of them is one Reshape from its start; what lies between stays only for other readers.
    ValueInfo* start = input;
    bool merged = false;
    while (node.Is("Expand") == false && IsReshape(start->producer) && UsedOnce(start)) {
      start = start->producer->inputs[0];
      merged = true;
    }
    if (!merged || TypeOf(start) == ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED) return false;
    const SymbolicShape* from = shapes.ShapeOf(start);
    const SymbolicShape* to = shapes.ShapeOf(output);
    if (from == nullptr || to == nullptr) return false;
    if (*from == *to) return rewriter.Bypass(&node, start);
    const auto target = ReshapeTarget(*from, *to);
    if (!target) return false;
    Patch patch = rewriter.Start(node);
    patch.Take(&node);
    patch.SetOutput(patch.Add("Reshape", "", 0, {start, patch.Constant("shape", MakeInts(*target))}), 0, output);
    return rewriter.Apply(patch);
  });
}

}  // namespace

std::unique_ptr<Pass> MakeReshapeMerging() {
  return MakePass("reshape_merging", PassStage::kPortable, ORT_ENABLE_BASIC, Run);
}

}  // namespace ortrun
