// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "core/graph/graph.h"
#include "core/graph/schema.h"

namespace ortrun {

/// As FindSchema, for an operator as a model names it that imports `opset` of its domain. Models hold some operators
/// from before the opset that brought them into the standard; they are taken for those.
const OperatorSchema* FindModelSchema(const std::string& domain, const std::string& op, int opset);

/// Puts standard operators in the place of the experimental ones that the first opsets had (Affine, Crop, ...), bodies
/// included. The types of all values are known. Throws Error(ORT_INVALID_GRAPH) where a node lacks an attribute.
void ReplaceEarlyOperators(Graph& graph);

}  // namespace ortrun
