// SPDX-License-Identifier: Apache-2.0
#pragma once

// Activations that fused operators take as attributes (`activation`, `activation_params`).

#include <optional>
#include <string>
#include <vector>

#include "core/optimizer/match.h"

namespace ortrun {

struct Activation {
  std::string name;  ///< "Relu", "Clip", "LeakyRelu", "Sigmoid", "Tanh", "HardSigmoid", "HardSwish", "Silu",
                     ///< "Gelu", "GeluTanh"
  std::vector<float>
      params;  ///< Clip: min, max (infinite where there is none); LeakyRelu: alpha; HardSigmoid: alpha, beta
  std::vector<Node*> nodes;     ///< what it consists of in the graph
  ValueInfo* output = nullptr;  ///< its result
};

/// The activation that alone reads `value`, where float parameters hold its numbers exactly.
std::optional<Activation> FollowingActivation(const ValueInfo* value);

/// The activation that one node is; nothing for other nodes.
std::optional<Activation> AsActivation(Node* node);

}  // namespace ortrun
