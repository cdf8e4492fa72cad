// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

#include "core/graph/graph.h"
#include "core/graph/schema.h"

namespace ortrun {

/// Refuses a graph in which an operator gets or makes types that it does not have, one type parameter stands for two
/// types, or a body gives another type than its node: kernels rely on it. Unknown types are passed over. Bodies first.
/// Throws Error(ORT_INVALID_GRAPH) naming node, value and types; ORT_FAIL for a body.
void CheckTypes(const Graph& graph, const std::function<const OperatorSchema*(const Node&)>& schema_of);

}  // namespace ortrun
