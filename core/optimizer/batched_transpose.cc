// SPDX-License-Identifier: Apache-2.0
// Exporters transpose the last two axes of a 4-D tensor as Reshape to 3-D, Transpose(0,2,1), Reshape to 4-D.
#include "core/optimizer/passes.h"
#include "core/optimizer/symbolic_shape.h"

namespace ortrun {

namespace {

bool Rewrite(Rewriter& rewriter, const ShapeAnalysis& shapes, Node& last) {
  if (!last.Is("Reshape")) return false;
  Node* transpose = MadeBy(Input(&last, 0), "Transpose");
  if (transpose == nullptr) return false;
  Node* first = MadeBy(Input(transpose, 0), "Reshape");
  if (first == nullptr) return false;
  if (PermOf(transpose) != std::vector<int64_t>{0, 2, 1}) return false;
  const SymbolicShape* from = shapes.ShapeOf(first->inputs[0]);
  const SymbolicShape* middle = shapes.ShapeOf(first->outputs[0]);
  const SymbolicShape* to = shapes.ShapeOf(last.outputs[0]);
  if (from == nullptr || middle == nullptr || to == nullptr || from->size() < 3 || to->size() != from->size() ||
      middle->size() != 3) {
    return false;
  }
  const size_t rank = from->size();
  // The trailing two dimensions are those that the transpose exchanges, the leading ones come back as they were.
  if ((*middle)[1] != (*from)[rank - 2] || (*middle)[2] != (*from)[rank - 1]) return false;
  SymbolicShape expected = *from;
  std::swap(expected[rank - 2], expected[rank - 1]);
  if (*to != expected) return false;
  std::vector<int64_t> perm(rank);
  for (size_t i = 0; i < rank; ++i) perm[i] = static_cast<int64_t>(i);
  std::swap(perm[rank - 2], perm[rank - 1]);
  Patch patch = rewriter.Start(*transpose);
  patch.Take({first, transpose, &last});
  Node* made = patch.Add("Transpose", "", 0, {first->inputs[0]});
  SetAttribute(made, "perm", perm);
  patch.SetOutput(made, 0, last.outputs[0]);
  return rewriter.Apply(patch);
}

void Run(Rewriter& rewriter) {
  const ShapeAnalysis shapes(rewriter.graph(), rewriter.context().names);
  rewriter.ForEach([&](Node& node) { return Rewrite(rewriter, shapes, node); });
}

}  // namespace

std::unique_ptr<Pass> MakeBatchedTranspose() {
  return MakePass("batched_transpose", PassStage::kPortable, ORT_ENABLE_BASIC, Run);
}

}  // namespace ortrun
