// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/graph/graph.h"
#include "core/graph/schema.h"

namespace ortrun {

/// Compares a node with its operator's schema: number of inputs and outputs, their types, one type for all that share a
/// type parameter, and for the standard's operators the attributes. Inference and kernels rely on it. Types that are
/// not known yet are taken on trust. Throws Error(ORT_INVALID_GRAPH), or Error(ORT_FAIL) where two types contradict
/// each other, as ONNX Runtime does.
void CheckNode(const Node& node, const OperatorSchema& schema);

}  // namespace ortrun
