// SPDX-License-Identifier: Apache-2.0
#pragma once

// Attention as exporters spell it: Softmax(scale * Q K^T + masks) V, on 4-D tensors [batch, heads, length, size].

#include "core/optimizer/symbolic_shape.h"

namespace ortrun {

/// A mask on the scores.
struct AttentionMask {
  ValueInfo* added = nullptr;      ///< added to the scores; or nullptr, and
  ValueInfo* condition = nullptr;  ///< where it holds (or does not, when `inverted`) scores stay, elsewhere they are
  ValueInfo* fill = nullptr;       ///< this very negative constant
  bool inverted = false;
};

struct AttentionMatch {
  ValueInfo* query = nullptr;   ///< [B,N,S,D]
  ValueInfo* key = nullptr;     ///< [B,G,T,D], before heads were repeated; nullptr when key_rows is set
  Node* key_rows = nullptr;     ///< the Reshape to [B,T,N,D] when the transpose went straight to [B,N,D,T]
  ValueInfo* value = nullptr;   ///< [B,G,T,Dv], before heads were repeated
  ValueInfo* scores = nullptr;  ///< [B,N,S,T], before scales and masks
  ValueInfo* output = nullptr;  ///< [B,N,S,Dv]
  double scale = 1;
  std::vector<AttentionMask> masks;  ///< the one nearest to the scores first
  std::vector<Node*> nodes;          ///< what the attention operator replaces
  Node* last = nullptr;              ///< the product with the values
};

/// The attention around a Softmax; nothing when it is none, or when its dimensions cannot be proven to fit.
std::optional<AttentionMatch> MatchAttention(Node& softmax, const ShapeAnalysis& shapes);

/// Opens products with a constant that only `value`'s reader sees: value = scale * result.
ValueInfo* Unscaled(ValueInfo* value, double* scale, const Node& like);

}  // namespace ortrun
