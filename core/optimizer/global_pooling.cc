// SPDX-License-Identifier: Apache-2.0
// The mean over all spatial axes of a [N,C,H,W] tensor is GlobalAveragePool.
#include <algorithm>

#include "core/optimizer/passes.h"

namespace ortrun {

namespace {

size_t Run(Rewriter& rewriter) {
  return rewriter.ForEach([&](Node& node) {
    if (!node.Is("ReduceMean") || node.Int("keepdims", 1) == 0 || !IsFloating(TypeOf(Input(&node, 0)))) return false;
    ValueInfo* input = node.inputs[0];
    const int64_t rank = RankOf(input);
    if (rank != 4) return false;
    auto axes = AxesOf(&node, rank);
    if (!axes) return false;
    std::sort(axes->begin(), axes->end());
    if (*axes != std::vector<int64_t>{2, 3}) return false;
    Node* pool = rewriter.Add(node, "GlobalAveragePool", "", 0, {input}, {&node});
    rewriter.Replace({&node}, pool, node.outputs[0]);
    return true;
  });
}

}  // namespace

std::unique_ptr<Pass> MakeGlobalPooling() {
  return MakePass("global_pooling", PassStage::kPortable, ORT_ENABLE_EXTENDED, Run);
}

}  // namespace ortrun
