// SPDX-License-Identifier: Apache-2.0
#include "core/optimizer/attention_match.h"

#include <cmath>

namespace ortrun {

namespace {

using Perm = std::vector<int64_t>;

/// Masks fill with numbers that no score can outweigh.
constexpr double kVeryNegative = -1e4;

/// Scores are followed at most this many nodes up.
constexpr int kMostScoreNodes = 8;

std::optional<double> ScaleOf(const Node* node, ValueInfo** other) {
  if (node == nullptr || !node->domain.empty() || (!node->Is("Mul") && !node->Is("Div"))) return std::nullopt;
  const auto operand = WithScalar(node);
  if (!operand || (node->Is("Div") && (operand->index != 1 || operand->scalar == 0))) return std::nullopt;
  *other = operand->other;
  return node->Is("Mul") ? operand->scalar : 1 / operand->scalar;
}

class Matcher {
 public:
  Matcher(const ShapeAnalysis& shapes, Node& softmax) : shapes_(shapes), softmax_(softmax) {}

  std::optional<AttentionMatch> Match() {
    if (!OverLastAxis()) return std::nullopt;
    Node* product = OnlyUser(softmax_.outputs[0]);
    if (product == nullptr || !product->Is("MatMul") || product->inputs[0] != softmax_.outputs[0] || !Ours(product)) {
      return std::nullopt;
    }
    match_.nodes = {product, &softmax_};
    match_.last = product;
    match_.output = product->outputs[0];
    if (!Scores(softmax_.inputs[0], 1, kMostScoreNodes)) return std::nullopt;
    const int64_t heads = shapes_.NumberOf(match_.query, 1);
    int64_t key_repeats = 1, value_repeats = 1;
    if (match_.key != nullptr) match_.key = BeforeRepeat(match_.key, &key_repeats);
    match_.value = BeforeRepeat(product->inputs[1], &value_repeats);
    if (match_.value == nullptr || key_repeats != value_repeats || heads < 1) return std::nullopt;
    if (!Fits(heads, key_repeats)) return std::nullopt;
    return std::move(match_);
  }

 private:
  bool Ours(const Node* node) const { return node->provider == softmax_.provider; }

  bool OverLastAxis() const {
    const ValueInfo* input = Input(&softmax_, 0);
    if (shapes_.Rank(input) != 4 || !IsFloating(TypeOf(input))) return false;
    const int64_t axis = softmax_.Int("axis", softmax_.since_version < 13 ? 1 : -1);
    return axis == -1 || axis == 3;
  }

  /// Walks from the softmax up to the product of queries and keys.
  bool Scores(ValueInfo* value, double scale_below, int depth) {
    if (depth == 0 || !UsedOnce(value) || value->producer == nullptr || !Ours(value->producer)) return false;
    Node* node = value->producer;
    if (node->Is("MatMul")) {
      if (!Keys(node->inputs[1])) return false;
      match_.query = Unscaled(node->inputs[0], &match_.scale, softmax_);
      match_.scores = node->outputs[0];
      match_.nodes.push_back(node);
      return true;
    }
    ValueInfo* other = nullptr;
    if (const auto scale = ScaleOf(node, &other)) {
      if (!Scores(other, scale_below * *scale, depth - 1)) return false;
      match_.scale *= *scale;
      match_.nodes.push_back(node);
      return true;
    }
    if (scale_below != 1) return false;  // a mask that is scaled afterwards
    if (node->Is("Add") && node->inputs.size() == 2) {
      for (size_t i : {size_t{0}, size_t{1}}) {
        const int64_t rank = RankOf(node->inputs[1 - i]);
        if (rank < 2 || rank > 4 || !Tried(node->inputs[i], depth)) continue;
        match_.masks.push_back({node->inputs[1 - i]});
        match_.nodes.push_back(node);
        return true;
      }
      return false;
    }
    if (node->Is("Where") && node->inputs.size() == 3) {
      const int64_t rank = RankOf(node->inputs[0]);
      for (size_t i : {size_t{1}, size_t{2}}) {
        const auto fill = ScalarOf(node->inputs[3 - i]);
        if (!fill || *fill > kVeryNegative || rank < 2 || rank > 4 || !Tried(node->inputs[i], depth)) continue;
        match_.masks.push_back({nullptr, node->inputs[0], node->inputs[3 - i], i == 2});
        match_.nodes.push_back(node);
        return true;
      }
    }
    return false;
  }

  /// As Scores; a failed attempt leaves no trace.
  bool Tried(ValueInfo* value, int depth) {
    const AttentionMatch before = match_;
    if (Scores(value, 1, depth - 1)) return true;
    match_ = before;
    return false;
  }

  /// `transposed` is [B,N,D,T].
  bool Keys(ValueInfo* transposed) {
    Node* transpose = MadeBy(Unscaled(transposed, &match_.scale, softmax_), "Transpose");
    if (transpose == nullptr || !Ours(transpose)) return false;
    const Perm perm = PermOf(transpose);
    if (perm == Perm{0, 1, 3, 2}) {
      match_.key = Unscaled(transpose->inputs[0], &match_.scale, softmax_);
      return true;
    }
    if (perm != Perm{0, 2, 3, 1}) return false;
    match_.key_rows = MadeBy(transpose->inputs[0], "Reshape");
    return match_.key_rows != nullptr && Ours(match_.key_rows);
  }

  /// [B,G,T,D] when `value` repeats its heads: Unsqueeze(2) -> Expand -> Reshape to [B,G*R,T,D].
  ValueInfo* BeforeRepeat(ValueInfo* value, int64_t* repeats) const {
    Node* reshape = MadeBy(value, "Reshape");
    Node* expand = reshape != nullptr ? MadeBy(reshape->inputs[0], "Expand") : nullptr;
    if (expand == nullptr || !Ours(reshape) || !Ours(expand)) return value;
    Node* unsqueeze = expand->inputs[0]->producer;
    if (unsqueeze == nullptr || !Ours(unsqueeze) || (!unsqueeze->Is("Unsqueeze") && !unsqueeze->Is("Reshape"))) {
      return value;
    }
    ValueInfo* few = unsqueeze->inputs[0];
    const SymbolicShape* from = shapes_.ShapeOf(few);
    const SymbolicShape* single = shapes_.ShapeOf(expand->inputs[0]);
    const SymbolicShape* many = shapes_.ShapeOf(expand->outputs[0]);
    const SymbolicShape* to = shapes_.ShapeOf(value);
    if (!from || !single || !many || !to || from->size() != 4 || to->size() != 4 || many->size() != 5) return value;
    const int64_t groups = shapes_.NumberOf(few, 1), count = shapes_.NumberOf(expand->outputs[0], 2);
    const SymbolicShape with_one = {(*from)[0], (*from)[1], {1, 0}, (*from)[2], (*from)[3]};
    SymbolicShape repeated = with_one;
    repeated[2] = {count, 0};
    int64_t heads = 0;
    if (groups < 1 || count < 1 || __builtin_mul_overflow(groups, count, &heads)) return value;
    const SymbolicShape joined = {(*from)[0], {heads, 0}, (*from)[2], (*from)[3]};
    if (*single != with_one || *many != repeated || *to != joined) return value;
    *repeats = count;
    return few;
  }

  /// Batch, heads and lengths agree, so that nothing is broadcast but the masks.
  bool Fits(int64_t heads, int64_t repeats) const {
    const ValueInfo* q = match_.query;
    const ValueInfo* v = match_.value;
    const SymbolicShape* query = shapes_.ShapeOf(q);
    const SymbolicShape* values = shapes_.ShapeOf(v);
    if (!query || !values || query->size() != 4 || values->size() != 4 || heads % repeats != 0) return false;
    if (!shapes_.SameDim(q, 0, v, 0) || shapes_.NumberOf(v, 1) * repeats != heads) return false;
    if (match_.key != nullptr) {
      const SymbolicShape* keys = shapes_.ShapeOf(match_.key);
      if (!keys || keys->size() != 4 || !shapes_.SameDim(q, 0, match_.key, 0) ||
          shapes_.NumberOf(match_.key, 1) != shapes_.NumberOf(v, 1) || !shapes_.SameDim(q, 3, match_.key, 3)) {
        return false;
      }
    } else if (!shapes_.SameDim(q, 0, match_.key_rows->outputs[0], 0) ||
               shapes_.NumberOf(match_.key_rows->outputs[0], 2) != heads || repeats != 1) {
      return false;
    }
    // Masks must not widen the scores.
    const ValueInfo* scores = softmax_.inputs[0];
    return shapes_.SameDim(scores, 0, q, 0) && shapes_.SameDim(scores, 1, q, 1) && shapes_.SameDim(scores, 2, q, 2);
  }

  const ShapeAnalysis& shapes_;
  Node& softmax_;
  AttentionMatch match_;
};

}  // namespace

ValueInfo* Unscaled(ValueInfo* value, double* scale, const Node& like) {
  for (int depth = 0; depth < 4 && UsedOnce(value); ++depth) {
    ValueInfo* other = nullptr;
    const auto found = ScaleOf(value->producer, &other);
    // A constant of higher rank would have broadcast the tensor.
    if (!found || value->producer->provider != like.provider || RankOf(other) != RankOf(value)) break;
    *scale *= *found;
    value = other;
  }
  return value;
}

std::optional<AttentionMatch> MatchAttention(Node& softmax, const ShapeAnalysis& shapes) {
  if (!softmax.Is("Softmax") || Input(&softmax, 0) == nullptr || Output(&softmax, 0) == nullptr) return std::nullopt;
  auto match = Matcher(shapes, softmax).Match();
  if (match && !std::isfinite(match->scale)) return std::nullopt;
  return match;
}

}  // namespace ortrun
