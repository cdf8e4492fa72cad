// SPDX-License-Identifier: Apache-2.0
#pragma once

// Pieces that the spelled-out normalisations share.

#include "core/optimizer/match.h"

namespace ortrun {

/// The ReduceMean over the last axis (kept) that makes `value`, or nullptr.
inline Node* LastAxisMean(const ValueInfo* value) {
  Node* mean = MadeBy(value, "ReduceMean");
  if (mean == nullptr || mean->Int("keepdims", 1) == 0) return nullptr;
  const int64_t rank = RankOf(Input(mean, 0));
  const auto axes = AxesOf(mean, rank);
  return axes && rank > 0 && *axes == std::vector<int64_t>{rank - 1} ? mean : nullptr;
}

/// x when `value` is x*x or Pow(x, 2); the node goes to `nodes`.
inline ValueInfo* SquareRoot(const ValueInfo* value, std::vector<Node*>& nodes) {
  Node* square = value == nullptr ? nullptr : value->producer;
  if (square == nullptr || square->inputs.size() != 2) return nullptr;
  const bool is_square = (square->Is("Mul") && square->inputs[0] == square->inputs[1]) ||
                         (square->Is("Pow") && IsScalarOf(square->inputs[1], 2));
  if (!is_square) return nullptr;
  nodes.push_back(square);
  return square->inputs[0];
}

/// Whether `value` is a 1-D tensor with as many elements as the last axis of `x`.
inline bool IsLastAxisVector(const ValueInfo* value, const ValueInfo* x) {
  return RankOf(value) == 1 && DimOf(value, 0) > 0 && DimOf(value, 0) == DimOf(x, -1);
}

/// The vector that multiplies or is added to `input` in the only node that reads it.
inline Node* FollowedBy(const ValueInfo* input, const char* op, const ValueInfo* x, ValueInfo** vector) {
  Node* node = OnlyUser(input);
  if (node == nullptr || !node->Is(op) || node->inputs.size() != 2) return nullptr;
  *vector = node->inputs[0] == input ? node->inputs[1] : node->inputs[0];
  return IsLastAxisVector(*vector, x) ? node : nullptr;
}

}  // namespace ortrun
