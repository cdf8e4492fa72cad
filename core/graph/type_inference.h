// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/graph/onnx_reader.h"

namespace ortrun {

/// Infers the types and shapes of all values of a sorted graph, node by node, bodies when their node's turn comes, and
/// compares them with what the model declares. Every node is compared with its operator's schema before it is asked
/// what it makes, so that an operator's inference sees only what its operator allows; it is not asked where the type of
/// an input is not known. Types come from onnx's functions for the standard's operators, from their own declaration for
/// custom ones, from the schema for the rest. Work and memory follow the size of the model, not what it declares.
/// Throws Error(ORT_FAIL) or Error(ORT_INVALID_GRAPH) where types contradict each other or a node is not what its
/// operator allows. Shapes that do not fit each other are logged: the run tells whether they matter.
void InferGraphTypes(Graph& graph, const ReadOptions& options);

}  // namespace ortrun
