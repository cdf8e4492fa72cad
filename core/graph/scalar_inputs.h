// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <string>

#include "core/graph/graph.h"

namespace onnx {
class ModelProto;
}

namespace ortrun {

/// Types that a model declares of inputs and outputs of its main graph, by name.
using DeclaredTypes = std::map<std::string, TypeInfo>;

/// Callers may give an input that is declared as a scalar any rank. Takes the shapes off such inputs, and off every
/// value whose declared shape may be wrong then, so that inference does not build on them. Answers what was declared;
/// of outputs that lose a shape without declaring one, what `infer` says: it infers the types of the main graph's
/// outputs, of the model as it is given.
DeclaredTypes DropScalarShapes(onnx::ModelProto& proto,
                               const std::function<DeclaredTypes(const onnx::ModelProto&)>& infer);

/// Lets the graph show what DropScalarShapes took away.
void KeepDeclared(Graph& graph, const DeclaredTypes& declared);

}  // namespace ortrun
