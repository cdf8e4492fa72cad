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

size_t Run(Rewriter& rewriter) {
  const ShapeAnalysis shapes(rewriter.graph());
  return rewriter.ForEach([&](Node& node) {
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
    ValueInfo* constant = rewriter.Constant("shape", MakeInts(*target));
    Node* reshape = rewriter.Add(node, "Reshape", "", 0, {start, constant}, {&node});
    rewriter.Replace({&node}, reshape, output);
    return true;
  });
}

}  // namespace

std::unique_ptr<Pass> MakeReshapeMerging() {
  return MakePass("reshape_merging", PassStage::kPortable, ORT_ENABLE_BASIC, Run);
}

}  // namespace ortrun
