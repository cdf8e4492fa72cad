// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

#include "core/graph/graph.h"

namespace ortrun {

/// What is known of a value before a run, from the shapes of the graph's inputs alone.
struct ShapeKnowledge {
  bool shape = false;  ///< its shape follows from the input shapes
  bool value = false;  ///< its content does too (constants included)
};

/// What follows for the outputs of `node` from what is known of its inputs. Unknown operators and control flow let
/// nothing follow.
ShapeKnowledge KnowledgeOfOutputs(const Node& node, const std::function<ShapeKnowledge(const ValueInfo&)>& of_input);

}  // namespace ortrun
