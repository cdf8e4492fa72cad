// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

#include "core/graph/graph.h"
#include "core/graph/schema.h"

namespace ortrun {

/// Gives the outputs that have no type yet the one that the operator's schema demands: a fixed type, the type of an
/// input with the same type parameter, or the one that an attribute names. Bodies first.
void InferMissingTypes(Graph& graph, const std::function<const OperatorSchema*(const Node&)>& schema_of);

/// "tensor(float)", "seq(tensor(int64))" ... as a type; ONNX_TYPE_UNKNOWN for what is no type text.
TypeInfo ParseTypeText(const std::string& text);

}  // namespace ortrun
