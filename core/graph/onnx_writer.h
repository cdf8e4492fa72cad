// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "core/graph/graph.h"

namespace onnx {
class AttributeProto;
class TensorProto;
class TypeProto;
}  // namespace onnx

namespace ortrun {

/// A type as a message; nothing where it is not known.
void FillType(const TypeInfo& type, onnx::TypeProto& proto);
/// A tensor as a message. Throws Error(ORT_FAIL) when its data is no longer held.
void FillTensor(const Value& value, const std::string& name, onnx::TensorProto& proto);
/// An attribute as a message; a graph, which the node holds, is left out.
void FillAttribute(const OrtOpAttr& attribute, onnx::AttributeProto& proto);

}  // namespace ortrun
