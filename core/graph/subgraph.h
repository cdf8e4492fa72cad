// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <vector>

#include "core/graph/graph.h"

namespace ortrun {

/// A new graph with copies of some nodes of `graph`, in the graph's order. Its inputs are the values that the nodes
/// take from elsewhere (in the order of first use), its initialisers the constants that they read (shared, not copied),
/// its outputs the values that other nodes, bodies or the graph's outputs need. Names, node ids and types stay.
std::unique_ptr<Graph> ExtractSubgraph(const Graph& graph, const std::vector<const Node*>& nodes);

}  // namespace ortrun
