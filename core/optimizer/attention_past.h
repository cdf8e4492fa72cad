// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/optimizer/attention_match.h"

namespace ortrun {

/// Keys and values joined from what earlier runs left and what this one adds: Concat(past, fresh) along the length.
struct AttentionPast {
  Node* keys = nullptr;
  Node* values = nullptr;
};

/// What joins the keys and values of `match`, where one operator may do that and attend to the result; nothing when
/// they are not joined or when it cannot be proven to fit.
std::optional<AttentionPast> PastOf(const AttentionMatch& match, const ShapeAnalysis& shapes);

}  // namespace ortrun
