// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "core/graph/graph.h"

namespace onnx {
class AttributeProto;
class ModelProto;
class NodeProto;
class TensorProto;
class TypeProto;
}  // namespace onnx

namespace ortrun {

/// The model as a message. Without `data`, constants of more than a few elements are left out and their values appear
/// as inputs: enough for inference.
onnx::ModelProto ToProto(const Model& model, bool data);

/// One node as a message, its bodies included.
void FillNode(const Node& node, onnx::NodeProto& proto, bool data);

/// A type as a message; nothing where it is not known.
void FillType(const TypeInfo& type, onnx::TypeProto& proto);
/// A tensor as a message. Throws Error(ORT_FAIL) when its data is no longer held.
void FillTensor(const Value& value, const std::string& name, onnx::TensorProto& proto);
/// An attribute as a message; a graph, which the node holds, is left out.
void FillAttribute(const OrtOpAttr& attribute, onnx::AttributeProto& proto);

}  // namespace ortrun
