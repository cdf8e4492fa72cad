// SPDX-License-Identifier: Apache-2.0
// Vision transformers project to queries, keys and values at once and take them apart by a 5-D transpose:
//   x [B,S,P*N*D] -> Reshape [B,S,P,N,D] -> Transpose(2,0,3,1,4) -> part i of axis 0 [B,N,S,D]
// Here x is split first, so that every part is the plain Reshape [B,S,N,D] -> Transpose(0,2,1,3) of its own tensor.
#include "core/optimizer/passes.h"
#include "core/optimizer/symbolic_shape.h"

namespace ortrun {

namespace {

struct Part {
  int64_t index = 0;
  ValueInfo* value = nullptr;  ///< [B,N,S,D]
};

/// The squeezed axis 0 of `value`, when that is all that reads it.
ValueInfo* Squeezed(ValueInfo* value, std::vector<Node*>& nodes) {
  Node* squeeze = OnlyUser(value);
  if (squeeze == nullptr || !squeeze->Is("Squeeze")) return nullptr;
  const auto axes = AxesOf(squeeze, 5);
  if (!axes || *axes != std::vector<int64_t>{0}) return nullptr;
  nodes.push_back(squeeze);
  return squeeze->outputs[0];
}

bool CollectPart(Node* reader, int64_t parts, std::vector<Part>& found, std::vector<Node*>& nodes) {
  nodes.push_back(reader);
  if (reader->Is("Gather")) {
    const auto index = ScalarOf(Input(reader, 1));
    if (!index || RankOf(reader->inputs[1]) != 0 || reader->Int("axis", 0) != 0) return false;
    const int64_t at = static_cast<int64_t>(*index);
    found.push_back({at < 0 ? at + parts : at, reader->outputs[0]});
    return true;
  }
  if (reader->Is("Slice")) {
    const auto starts = IntsOf(Input(reader, 1)), ends = IntsOf(Input(reader, 2)), axes = IntsOf(Input(reader, 3));
    if (!starts || !ends || !axes || starts->size() != 1 || ends->size() != 1 || *axes != std::vector<int64_t>{0} ||
        (*starts)[0] < 0 || (*ends)[0] != (*starts)[0] + 1 || (Input(reader, 4) && !IsScalarOf(reader->inputs[4], 1))) {
      return false;
    }
    ValueInfo* value = Squeezed(reader->outputs[0], nodes);
    found.push_back({(*starts)[0], value});
    return value != nullptr;
  }
  if (reader->Is("Split") && reader->Int("axis", 0) == 0 && static_cast<int64_t>(reader->outputs.size()) == parts) {
    for (size_t i = 0; i < reader->outputs.size(); ++i) {
      if (reader->outputs[i] == nullptr || DimOf(reader->outputs[i], 0) != 1) return false;
      ValueInfo* value = Squeezed(reader->outputs[i], nodes);
      found.push_back({static_cast<int64_t>(i), value});
      if (value == nullptr) return false;
    }
    return true;
  }
  return false;
}

bool Rewrite(Rewriter& rewriter, const ShapeAnalysis& shapes, Node& transpose) {
  if (!transpose.Is("Transpose") || PermOf(&transpose) != std::vector<int64_t>{2, 0, 3, 1, 4}) return false;
  Node* reshape = MadeBy(transpose.inputs[0], "Reshape");
  if (reshape == nullptr) return false;
  ValueInfo* x = reshape->inputs[0];
  const int64_t parts = shapes.NumberOf(reshape->outputs[0], 2), heads = shapes.NumberOf(reshape->outputs[0], 3),
                size = shapes.NumberOf(reshape->outputs[0], 4);
  const SymbolicShape* from = shapes.ShapeOf(x);
  if (from == nullptr || from->size() != 3 || parts < 2 || parts > 8 || heads < 1 || size < 1 ||
      !shapes.SameDim(x, 0, reshape->outputs[0], 0) || !shapes.SameDim(x, 1, reshape->outputs[0], 1)) {
    return false;
  }
  int64_t width = 0;
  if (__builtin_mul_overflow(heads, size, &width) || shapes.NumberOf(x, 2) != parts * width) return false;
  std::vector<Part> found;
  std::vector<Node*> nodes;
  for (const Use& use : transpose.outputs[0]->uses) {
    if (use.index != 0 || !CollectPart(use.node, parts, found, nodes)) return false;
  }
  std::vector<ValueInfo*> by_index(static_cast<size_t>(parts), nullptr);
  for (const Part& part : found) {
    if (part.index < 0 || part.index >= parts || by_index[static_cast<size_t>(part.index)] != nullptr) return false;
    by_index[static_cast<size_t>(part.index)] = part.value;
  }

  Patch patch = rewriter.Start(transpose);
  patch.Take(&transpose);
  patch.Take(reshape);
  patch.Take(nodes);
  Node* split = patch.Add("Split", "", 0, {x}, {reshape, &transpose});
  SetAttribute(split, "axis", int64_t{2});
  const std::vector<int64_t> widths(static_cast<size_t>(parts), width);
  if (split->since_version >= 13) {
    patch.SetInput(split, 1, patch.Constant("split", MakeInts(widths)));
  } else {
    SetAttribute(split, "split", widths);
  }
  const ElementType type = TypeOf(x);
  const int64_t batch = shapes.NumberOf(x, 0), length = shapes.NumberOf(x, 1);
  ValueInfo* target = patch.Constant("shape", MakeInts({0, 0, heads, size}));
  for (size_t i = 0; i < by_index.size(); ++i) {
    ValueInfo* part = patch.Fresh(split->name + "_part", DenseType(type, {batch, length, width}));
    patch.SetOutput(split, i, part);
    if (by_index[i] == nullptr) continue;
    ValueInfo* shaped =
        patch.Make("Reshape", "", 0, {part, target}, DenseType(type, {batch, length, heads, size}), {reshape});
    Node* turned = patch.Add("Transpose", "", 0, {shaped}, {&transpose});
    SetAttribute(turned, "perm", std::vector<int64_t>{0, 2, 1, 3});
    patch.SetOutput(turned, 0, by_index[i]);
  }
  return rewriter.Apply(patch);
}

void Run(Rewriter& rewriter) {
  const ShapeAnalysis shapes(rewriter.graph(), rewriter.context().names);
  rewriter.ForEach([&](Node& node) { return Rewrite(rewriter, shapes, node); });
}

}  // namespace

std::unique_ptr<Pass> MakePackedProjectionSplit() {
  return MakePass("packed_projection_split", PassStage::kPortable, ORT_ENABLE_EXTENDED, Run);
}

}  // namespace ortrun
