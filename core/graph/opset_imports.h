// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/graph/onnx_reader.h"

namespace onnx {
class ModelProto;
}  // namespace onnx

namespace ortrun {

/// Makes the model's imports whole, with one warning for each domain that needed it: of two imports of a domain the
/// later one counts, one of a version below 1 does not count, and a domain that nodes are of but that is not imported
/// is taken in its newest version where the standard has it, in version 1 elsewhere. A model without any imports is one
/// of the first opset. Throws Error(ORT_FAIL) for a version that is newer than this build knows, ORT_INVALID_GRAPH for
/// a node of a domain that neither the model imports nor anybody knows.
void CompleteImports(onnx::ModelProto& model, const ReadOptions& options);

}  // namespace ortrun
