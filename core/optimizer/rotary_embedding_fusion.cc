// SPDX-License-Identifier: Apache-2.0
// x * cos + Concat(-x[half:], x[:half]) * sin -> the standard's RotaryEmbedding (version 23), where x is
// [batch, heads, length, size] and cos and sin, [batch, 1, length, size], hold every angle in both halves.
#include <algorithm>
#include <map>

#include "core/optimizer/passes.h"
#include "core/optimizer/symbolic_shape.h"

namespace ortrun {

namespace {

/// Tables of angles are followed at most this many nodes up.
constexpr int kMostTableNodes = 8;

class RotaryFusion {
 public:
  explicit RotaryFusion(Rewriter& rewriter)
      : rewriter_(rewriter), shapes_(rewriter.graph(), rewriter.context().names) {}

  bool Rewrite(Node& sum) {
    if (sum.inputs.size() != 2) return false;
    for (size_t i : {size_t{0}, size_t{1}}) {
      Node* plain = Product(sum.inputs[i]);
      Node* turned = Product(sum.inputs[1 - i]);
      if (plain == nullptr || turned == nullptr) continue;
      for (size_t j : {size_t{0}, size_t{1}}) {
        for (size_t k : {size_t{0}, size_t{1}}) {
          if (Fuse(sum, *plain, plain->inputs[j], plain->inputs[1 - j], *turned, turned->inputs[k],
                   turned->inputs[1 - k])) {
            return true;
          }
        }
      }
    }
    return false;
  }

 private:
  static Node* Product(const ValueInfo* value) {
    Node* node = UsedOnce(value) ? MadeBy(value, "Mul") : nullptr;
    return node != nullptr && node->inputs.size() == 2 ? node : nullptr;
  }

  /// Whether `value` is the part [start, end) of x's last axis; the node goes to `nodes`.
  bool IsPart(const ValueInfo* value, const ValueInfo* x, int64_t start, int64_t end, std::vector<Node*>& nodes) const {
    Node* slice = UsedOnce(value) ? MadeBy(value, "Slice") : nullptr;
    if (slice == nullptr || slice->inputs.size() < 4 || slice->inputs[0] != x) return false;
    const auto starts = IntsOf(slice->inputs[1]), ends = IntsOf(slice->inputs[2]), axes = IntsOf(slice->inputs[3]);
    if (!starts || !ends || !axes || starts->size() != 1 || ends->size() != 1 || axes->size() != 1) return false;
    if (Input(slice, 4) != nullptr && !IsScalarOf(slice->inputs[4], 1)) return false;
    const int64_t size = shapes_.NumberOf(x, -1);
    const int64_t last = (*ends)[0] < 0 ? (*ends)[0] + size : std::min((*ends)[0], size);
    const int64_t first = (*starts)[0] < 0 ? (*starts)[0] + size : (*starts)[0];
    nodes.push_back(slice);
    return ((*axes)[0] == -1 || (*axes)[0] == 3) && first == start && last == end;
  }

  /// Whether both halves of the last axis are equal.
  static bool Repeats(const ValueInfo* value, int depth) {
    const Node* node = value == nullptr || depth == 0 ? nullptr : value->producer;
    if (node == nullptr || !node->domain.empty() || node->inputs.empty()) return false;
    const int64_t rank = RankOf(value);
    if (node->Is("Concat")) {
      const int64_t axis = node->Int("axis", 0);
      return node->inputs.size() == 2 && node->inputs[0] == node->inputs[1] && (axis == -1 || axis == rank - 1);
    }
    if (node->Is("Unsqueeze")) {
      const auto axes = AxesOf(node, rank);
      if (!axes || std::find(axes->begin(), axes->end(), rank - 1) != axes->end()) return false;
      return Repeats(node->inputs[0], depth - 1);
    }
    if (node->Is("Mul")) {
      const auto operand = WithScalar(node);
      return operand && RankOf(operand->other) == rank && Repeats(operand->other, depth - 1);
    }
    if (!node->Is("Cos") && !node->Is("Sin") && !node->Is("Cast") && !node->Is("Identity")) return false;
    return Repeats(node->inputs[0], depth - 1);
  }

  /// Whether `table` is [batch, 1, length, size] for this x.
  bool IsTable(const ValueInfo* table, const ValueInfo* x) const {
    const SymbolicShape* shape = shapes_.ShapeOf(table);
    return shape != nullptr && shape->size() == 4 && (*shape)[1].Is(1) && shapes_.SameDim(table, 0, x, 0) &&
           shapes_.SameDim(table, 2, x, 2) && shapes_.SameDim(table, 3, x, 3) && TypeOf(table) == TypeOf(x) &&
           Repeats(table, kMostTableNodes);
  }

  /// The first half of a table as [batch, length, size / 2]; made once for all who turn by it.
  ValueInfo* Cache(Patch& patch, std::map<ValueInfo*, ValueInfo*>& caches, ValueInfo* table, int64_t half) const {
    ValueInfo*& made = caches[table];
    if (made != nullptr) return made;
    const int64_t batch = shapes_.NumberOf(table, 0), length = shapes_.NumberOf(table, 2);
    const auto ints = [&patch](int64_t number) { return patch.Constant("rotary", MakeInts({number})); };
    ValueInfo* part = patch.Make("Slice", "", 0, {table, ints(0), ints(half), ints(3), ints(1)},
                                 DenseType(TypeOf(table), {batch, 1, length, half}));
    const bool as_input = rewriter_.Version("Squeeze") >= 13;
    made = patch.Make("Squeeze", "", 0, as_input ? std::vector{part, ints(1)} : std::vector{part},
                      DenseType(TypeOf(table), {batch, length, half}));
    if (!as_input) SetAttribute(made->producer, "axes", std::vector<int64_t>{1});
    return made;
  }

  bool Fuse(Node& sum, Node& plain, ValueInfo* x, ValueInfo* cosines, Node& turned, ValueInfo* halves,
            ValueInfo* sines) {
    Node* join = UsedOnce(halves) ? MadeBy(halves, "Concat") : nullptr;
    const int64_t size = shapes_.NumberOf(x, -1);
    if (join == nullptr || join->inputs.size() != 2 || shapes_.Rank(x) != 4 || size < 2 || size % 2 != 0) {
      return false;
    }
    const int64_t axis = join->Int("axis", 0), half = size / 2;
    Node* negated = UsedOnce(join->inputs[0]) ? MadeBy(join->inputs[0], "Neg") : nullptr;
    if (negated == nullptr || (axis != -1 && axis != 3)) return false;
    std::vector<Node*> nodes = {&sum, &plain, &turned, join, negated};
    if (!IsPart(negated->inputs[0], x, half, size, nodes) || !IsPart(join->inputs[1], x, 0, half, nodes)) return false;
    if (!IsTable(cosines, x) || !IsTable(sines, x) || rewriter_.Version("Slice") < 10) return false;
    Patch patch = rewriter_.Start(sum);
    patch.Take(nodes);
    std::map<ValueInfo*, ValueInfo*> caches = caches_;
    Node* made = patch.Add("RotaryEmbedding", "", 23,
                           {x, Cache(patch, caches, cosines, half), Cache(patch, caches, sines, half)});
    patch.SetOutput(made, 0, sum.outputs[0]);
    if (!rewriter_.Apply(patch)) return false;
    caches_ = std::move(caches);
    return true;
  }

  Rewriter& rewriter_;
  const ShapeAnalysis shapes_;
  std::map<ValueInfo*, ValueInfo*> caches_;
};

void Run(Rewriter& rewriter) {
  RotaryFusion fusion(rewriter);
  rewriter.ForEach([&](Node& node) { return node.Is("Add") && fusion.Rewrite(node); });
}

}  // namespace

std::unique_ptr<Pass> MakeRotaryEmbeddingFusion() {
  return MakePass("rotary_embedding_fusion", PassStage::kProvider, ORT_ENABLE_EXTENDED, Run);
}

}  // namespace ortrun
