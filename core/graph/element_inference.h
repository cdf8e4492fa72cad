// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

#include "core/graph/graph.h"
#include "core/graph/schema.h"

namespace ortrun {

/// The type that the operator's schema demands of an output: a fixed type, the type of an input with the same type
/// parameter, or the one that an attribute names; of If, Loop and Scan what their body gives. Without a shape, unless
/// the schema says that it is the first input's. ONNX_TYPE_UNKNOWN where nothing says it; `schema` may be nullptr.
TypeInfo TypeBySchema(const Node& node, const OperatorSchema* schema, size_t output);

/// Gives the outputs that have no type yet their TypeBySchema. Bodies first.
void InferMissingTypes(Graph& graph, const std::function<const OperatorSchema*(const Node&)>& schema_of);

/// "tensor(float)", "seq(tensor(int64))" ... as a type; ONNX_TYPE_UNKNOWN for what is no type text.
TypeInfo ParseTypeText(const std::string& text);

}  // namespace ortrun
