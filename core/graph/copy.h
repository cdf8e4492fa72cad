// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/graph/graph.h"

namespace ortrun {

/// A copy of `node` in `graph`: names, attributes, id, provider and bodies, without inputs and outputs. Constants are
/// shared. Values of the bodies that come from outer graphs are linked by LinkOuter once the copy has its inputs.
Node* CopyNode(const Node& node, Graph& graph);

/// Makes the bodies of `node` read `value` (of the node's graph) where they read an outer value of that name.
void LinkOuter(Node& node, const ValueInfo& value);

}  // namespace ortrun
