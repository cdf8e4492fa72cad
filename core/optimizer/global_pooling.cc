// SPDX-License-Identifier: Apache-2.0
// The mean over all spatial axes of a [N,C,H,W] tensor is GlobalAveragePool.
#include <algorithm>

#include "core/optimizer/passes.h"

namespace ortrun {

namespace {

void Run(Rewriter& rewriter) {
  rewriter.ForEach([&](Node& node) {
    if (!node.Is("ReduceMean") || node.Int("keepdims", 1) == 0 || !IsFloating(TypeOf(Input(&node, 0)))) return false;
    ValueInfo* input = node.inputs[0];
    const int64_t rank = RankOf(input);
    if (rank != 4) return false;
    auto axes = AxesOf(&node, rank);
    if (!axes) return false;
    std::sort(axes->begin(), axes->end());
    if (*axes != std::vector<int64_t>{2, 3}) return false;
    Patch patch = rewriter.Start(node);
    patch.Take(&node);
    patch.SetOutput(patch.Add("GlobalAveragePool", "", 0, {input}), 0, node.outputs[0]);
    return rewriter.Apply(patch);
  });
}

}  // namespace

std::unique_ptr<Pass> MakeGlobalPooling() {
  return MakePass("global_pooling", PassStage::kPortable, ORT_ENABLE_EXTENDED, Run);
}

}  // namespace ortrun
