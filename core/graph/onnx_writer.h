// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "core/graph/graph.h"

namespace onnx {
class ModelProto;
class NodeProto;
}  // namespace onnx

namespace ortrun {

/// The model as a message. Without `data`, constants of more than a few elements are left out and their values appear
/// as inputs: enough for inference.
onnx::ModelProto ToProto(const Model& model, bool data);

/// One node as a message, its bodies included.
void FillNode(const Node& node, onnx::NodeProto& proto, bool data);

}  // namespace ortrun
