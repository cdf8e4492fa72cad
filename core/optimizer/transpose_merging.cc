// SPDX-License-Identifier: Apache-2.0
// Transposes that move nothing go; a transpose of a transpose is one.
#include "core/optimizer/passes.h"

namespace ortrun {

namespace {

bool Rewrite(Rewriter& rewriter, Node& node) {
  ValueInfo* input = Input(&node, 0);
  if (!node.Is("Transpose") || input == nullptr || Output(&node, 0) == nullptr) return false;
  std::vector<int64_t> perm = PermOf(&node);
  if (perm.empty()) return false;
  if (IsIdentityPerm(perm)) return rewriter.Bypass(&node, input);
  Node* first = MadeBy(input, "Transpose");
  if (first == nullptr) return false;
  const std::vector<int64_t> before = PermOf(first);
  if (before.size() != perm.size()) return false;
  for (int64_t& axis : perm) axis = before[static_cast<size_t>(axis)];
  ValueInfo* source = first->inputs[0];
  if (IsIdentityPerm(perm)) return rewriter.Bypass(&node, source);
  Patch patch = rewriter.Start(node);
  patch.Take(&node);
  Node* made = patch.Copy(node);
  patch.SetInput(made, 0, source);
  SetAttribute(made, "perm", perm);
  patch.SetOutput(made, 0, node.outputs[0]);
  return rewriter.Apply(patch);
}

void Run(Rewriter& rewriter) {
  rewriter.ForEach([&](Node& node) { return Rewrite(rewriter, node); });
}

}  // namespace

std::unique_ptr<Pass> MakeTransposeMerging() {
  return MakePass("transpose_merging", PassStage::kPortable, ORT_ENABLE_BASIC, Run);
}

}  // namespace ortrun
