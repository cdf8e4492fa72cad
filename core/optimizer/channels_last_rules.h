// SPDX-License-Identifier: Apache-2.0
#pragma once

// How a node is changed when its 4-D tensors go from [N,C,H,W] to [N,H,W,C].

#include <functional>

#include "core/optimizer/symbolic_shape.h"

namespace ortrun {

inline constexpr const char* kChannelsLastDomain = "com.ms.internal.nhwc";

/// Where an axis of [N,C,H,W] stands in [N,H,W,C].
inline constexpr int64_t kChannelsLastAxis[4] = {0, 3, 1, 2};
/// The Transposes between both.
inline std::vector<int64_t> ToChannelsLast() { return {0, 2, 3, 1}; }
inline std::vector<int64_t> FromChannelsLast() { return {0, 3, 1, 2}; }

/// What to do with one node.
struct Adaptation {
  std::vector<size_t> tensors;  ///< inputs that must be channels-last; all outputs then are
  /// Changes attributes and constant inputs of the node's copy in the patch; may be empty.
  std::function<void(Patch& patch, Node* made)> apply;
  bool wanted = false;  ///< the provider asked for it, as opposed to: does not mind
};

/// The change for `node`; nothing when it must stay as it is.
std::optional<Adaptation> AdaptChannelsLast(const Rewriter& rewriter, const ShapeAnalysis& shapes, const Node& node);

}  // namespace ortrun
