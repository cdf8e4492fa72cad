// SPDX-License-Identifier: Apache-2.0
#include "core/optimizer/attention_past.h"

#include <unordered_set>

namespace ortrun {

namespace {

/// The Concat(past, fresh) that makes [B,G,T,D], or nullptr.
Node* Join(const ValueInfo* value, const Node& softmax, const ShapeAnalysis& shapes) {
  Node* join = value == nullptr ? nullptr : MadeBy(value, "Concat");
  if (join == nullptr || join->provider != softmax.provider || join->inputs.size() != 2) return nullptr;
  const int64_t axis = join->Int("axis", 0);
  if (axis != 2 && axis != -2) return nullptr;
  for (const ValueInfo* part : join->inputs) {
    const SymbolicShape* shape = shapes.ShapeOf(part);
    if (shape == nullptr || shape->size() != 4) return nullptr;
  }
  for (int64_t same : {0, 1, 3}) {
    if (!shapes.SameDim(join->inputs[0], same, join->inputs[1], same)) return nullptr;
  }
  return join;
}

bool Needs(const std::vector<ValueInfo*>& operands, const AttentionPast& past) {
  std::vector<const ValueInfo*> open(operands.begin(), operands.end());
  std::unordered_set<const Node*> seen;
  while (!open.empty()) {
    const ValueInfo* value = open.back();
    open.pop_back();
    const Node* node = value == nullptr ? nullptr : value->producer;
    if (node == nullptr || !seen.insert(node).second) continue;
    // What a subgraph reads is not followed.
    if (node == past.keys || node == past.values || !node->subgraphs.empty()) return true;
    open.insert(open.end(), node->inputs.begin(), node->inputs.end());
  }
  return false;
}

}  // namespace

std::optional<AttentionPast> PastOf(const AttentionMatch& match, const ShapeAnalysis& shapes) {
  const Node& softmax = *match.nodes[1];
  const AttentionPast past = {Join(match.key, softmax, shapes), Join(match.value, softmax, shapes)};
  if (past.keys == nullptr || past.values == nullptr || past.keys == past.values) return std::nullopt;
  for (size_t part : {size_t{0}, size_t{1}}) {
    if (!shapes.SameDim(past.keys->inputs[part], 2, past.values->inputs[part], 2)) return std::nullopt;
  }
  std::vector<ValueInfo*> operands = {match.query};
  operands.insert(operands.end(), past.keys->inputs.begin(), past.keys->inputs.end());
  operands.insert(operands.end(), past.values->inputs.begin(), past.values->inputs.end());
  for (const AttentionMask& mask : match.masks) operands.push_back(mask.added != nullptr ? mask.added : mask.condition);
  return Needs(operands, past) ? std::nullopt : std::optional(past);
}

}  // namespace ortrun
