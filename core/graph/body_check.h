// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/graph/graph.h"

namespace ortrun {

/// Compares the bodies of an If, Loop or Scan with the node: how many values they take and give, and of which types, as
/// far as they are known. Other nodes pass. Throws Error(ORT_INVALID_GRAPH), Error(ORT_FAIL) where types differ.
void CheckBodies(const Node& node);

}  // namespace ortrun
