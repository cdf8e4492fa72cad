// SPDX-License-Identifier: Apache-2.0
#include "core/optimizer/shape_lifting.h"

#include <algorithm>
#include <numeric>

namespace ortrun {

namespace {

/// Concatenations of more parts than this are asked themselves.
constexpr size_t kMostParts = 4;
/// So are those inside so many others.
constexpr int kMostNested = 2;

/// The elements of a Shape: those of the whole shape at `axes`. What is above has the same rank.
struct Asked {
  ValueInfo* value = nullptr;
  int64_t rank = 0;
  std::vector<int64_t> axes;
};

std::optional<Asked> AskedBy(const Node& node) {
  ValueInfo* value = Input(&node, 0);
  const int64_t rank = RankOf(value);
  if (rank < 1) return std::nullopt;
  const auto place = [&](const char* name, int64_t otherwise) {
    const int64_t number = node.Int(name, otherwise);
    return std::clamp<int64_t>(number < 0 ? number + rank : number, 0, rank);
  };
  const int64_t start = place("start", 0), end = place("end", rank);
  if (start >= end) return std::nullopt;
  std::vector<int64_t> axes(static_cast<size_t>(end - start));
  std::iota(axes.begin(), axes.end(), start);
  return Asked{value, rank, std::move(axes)};
}

/// Goes up while the answer stays the same.
bool Lift(const ShapeAnalysis& shapes, Asked& asked) {
  const ValueInfo* start = asked.value;
  while (asked.value->producer != nullptr) {
    const Node& maker = *asked.value->producer;
    if (maker.Is("Transpose")) {
      const std::vector<int64_t> perm = PermOf(&maker);
      if (perm.empty() || Input(&maker, 0) == nullptr) break;
      for (int64_t& axis : asked.axes) axis = perm[static_cast<size_t>(axis)];
      asked.value = maker.inputs[0];
      continue;
    }
    const auto same = std::find_if(maker.inputs.begin(), maker.inputs.end(), [&](const ValueInfo* input) {
      return input != nullptr && ConstantOf(input) == nullptr && shapes.SameShape(input, asked.value);
    });
    if (same == maker.inputs.end()) break;
    asked.value = *same;
  }
  return asked.value != start;
}

TypeInfo TypeOfShape(size_t elements) {
  return DenseType(ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64, {static_cast<int64_t>(elements)});
}

/// The asked elements, from new nodes.
ValueInfo* Answer(Patch& patch, const ShapeAnalysis& shapes, Asked asked, int depth = 0) {
  Lift(shapes, asked);
  const int64_t rank = asked.rank;
  const Node* join = MadeBy(asked.value, "Concat");
  if (join != nullptr && depth < kMostNested && join->inputs.size() >= 2 && join->inputs.size() <= kMostParts) {
    // The other axes are those of any part.
    const int64_t axis = join->Int("axis", 0) < 0 ? join->Int("axis", 0) + rank : join->Int("axis", 0);
    const TypeInfo type = TypeOfShape(asked.axes.size());
    ValueInfo* sum = Answer(patch, shapes, {join->inputs[0], rank, asked.axes}, depth + 1);
    if (std::find(asked.axes.begin(), asked.axes.end(), axis) == asked.axes.end()) return sum;
    std::vector<int64_t> counted;
    for (int64_t place : asked.axes) counted.push_back(place == axis);
    ValueInfo* along = patch.Constant("along", MakeInts(counted));
    for (size_t i = 1; i < join->inputs.size(); ++i) {
      ValueInfo* part = Answer(patch, shapes, {join->inputs[i], rank, asked.axes}, depth + 1);
      part = patch.Make("Mul", "", 0, {part, along}, type);
      sum = patch.Make("Add", "", 0, {sum, part}, type);
    }
    return sum;
  }
  ValueInfo* whole = patch.Make("Shape", "", 0, {asked.value}, TypeOfShape(static_cast<size_t>(rank)));
  std::vector<int64_t> all(static_cast<size_t>(rank));
  std::iota(all.begin(), all.end(), 0);
  if (asked.axes == all) return whole;
  ValueInfo* axes = patch.Constant("axes", MakeInts(asked.axes));
  return patch.Make("Gather", "", 0, {whole, axes}, TypeOfShape(asked.axes.size()));
}

}  // namespace

bool LiftShape(Rewriter& rewriter, const ShapeAnalysis& shapes, Node& node) {
  auto asked = AskedBy(node);
  if (!asked) return false;
  const Node* maker = asked->value->producer;
  const bool joined = maker != nullptr && maker->Is("Concat") && maker->inputs.size() <= kMostParts;
  Asked lifted = *asked;
  if (!Lift(shapes, lifted) && !joined) return false;
  Patch patch = rewriter.Start(node);
  patch.Take(&node);
  patch.SetOutput(Answer(patch, shapes, *asked)->producer, 0, node.outputs[0]);
  return rewriter.Apply(patch);
}

}  // namespace ortrun
