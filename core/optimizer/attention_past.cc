// SPDX-License-Identifier: Apache-2.0
#include "core/optimizer/attention_past.h"

namespace ortrun {

namespace {

/// The Concat(past, fresh) that makes [B,G,T,D], or nullptr.
Node* Join(const ValueInfo* value, const Node& softmax, const ShapeAnalysis& shapes) {
  Node* join = value == nullptr ? nullptr : MadeBy(value, "Concat");
  if (join == nullptr || join->provider != softmax.provider || join->inputs.size() != 2) return nullptr;
  const int64_t axis = join->Int("axis", 0);
  if (axis != 2 && axis != -2) return nullptr;
  for (const ValueInfo* part : join->inputs) {
    if (shapes.Rank(part) != 4) return nullptr;
  }
  for (int64_t same : {0, 1, 3}) {
    if (!shapes.SameDim(join->inputs[0], same, join->inputs[1], same)) return nullptr;
  }
  return join;
}

}  // namespace

std::optional<AttentionPast> PastOf(const AttentionMatch& match, const ShapeAnalysis& shapes) {
  const Node& softmax = *match.nodes[1];
  const AttentionPast past = {Join(match.key, softmax, shapes), Join(match.value, softmax, shapes)};
  if (past.keys == nullptr || past.values == nullptr || past.keys == past.values) return std::nullopt;
  for (size_t part : {size_t{0}, size_t{1}}) {
    if (!shapes.SameDim(past.keys->inputs[part], 2, past.values->inputs[part], 2)) return std::nullopt;
  }
  return past;
}

}  // namespace ortrun
