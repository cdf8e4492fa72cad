// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

#include "core/graph/graph.h"
#include "core/graph/schema.h"

namespace ortrun {

/// Compares every node, bodies included, with its operator's schema: number of inputs and outputs, their types, one
/// type for all that share a type parameter, and for the standard's operators the attributes; and what the bodies
/// of If, Loop and Scan give with what the node makes. Kernels rely on it.
/// Types that are not known are taken on trust. A node without a schema (`schema_of` answers nullptr) is left out.
/// Throws Error(ORT_INVALID_GRAPH), or Error(ORT_FAIL) where two types contradict each other, as ONNX Runtime does.
void CheckNodes(const Graph& graph, const std::function<const OperatorSchema*(const Node&)>& schema_of);

/// As CheckNodes for one node, which may stand apart from any graph, without its bodies.
void CheckNode(const Node& node, const OperatorSchema& schema);

}  // namespace ortrun
