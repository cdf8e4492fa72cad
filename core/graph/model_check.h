// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/graph/onnx_reader.h"

namespace onnx {
class ModelProto;
}  // namespace onnx

namespace ortrun {

/// Bodies of bodies of ... : how deep graphs may nest.
inline constexpr int kMaxGraphDepth = 64;

/// Refuses functions of the model that call themselves, call each other too deep, or would become an absurd number of
/// nodes once inlined. Throws Error(ORT_INVALID_GRAPH) naming the functions. Before inlining.
void CheckFunctions(const onnx::ModelProto& model);

/// Checks what conversion and inference rely on: a version that this build knows (ORT_FAIL), graphs that nest no deeper
/// than kMaxGraphDepth, nodes of operators that exist, with the inputs, outputs and attributes that their operators
/// take (ORT_INVALID_GRAPH). Operators of domains that onnx does not describe are left to the providers. The model's
/// imports are whole.
void CheckModel(const onnx::ModelProto& model, const ReadOptions& options);

}  // namespace ortrun
