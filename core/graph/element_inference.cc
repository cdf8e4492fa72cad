// SPDX-License-Identifier: Apache-2.0
#include "core/graph/element_inference.h"

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <memory>
#include <utility>

#include "core/graph/tensor_reader.h"

namespace ortrun {
namespace {

bool Strip(std::string& text, const std::string& prefix) {
  if (text.size() < prefix.size() + 1 || text.compare(0, prefix.size(), prefix) != 0 || text.back() != ')')
    return false;
  text = text.substr(prefix.size(), text.size() - prefix.size() - 1);
  return true;
}

TypeInfo WithoutShape(TypeInfo type) {
  type.tensor.has_shape = false;
  type.tensor.dims.clear();
  type.tensor.symbols.clear();
  return type;
}

/// The element type that an attribute of the node names, for operators that choose it so.
ElementType NamedType(const Node& node) {
  for (const char* attribute : {"to", "dtype", "output_dtype", "stash_type"}) {
    const OrtOpAttr* found = node.Attribute(attribute);
    if (found == nullptr) continue;
    if (found->type == ORT_OP_ATTR_INT && found->i >= 0 && found->i < INT32_MAX)
      return FromOnnxType(static_cast<int>(found->i));
    if (found->type == ORT_OP_ATTR_STRING) {  // as the first Cast names it: "INT64"
      std::string name = found->s;
      std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
      return ElementTypeNamed(name);
    }
  }
  return ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
}

/// What a body gives in that place: If's branches in order, Loop's and Scan's after what is not handed out.
TypeInfo TypeByBody(const Node& node, size_t index) {
  const Graph& body = *node.subgraphs.front().second;
  const size_t place = index + (node.Is("Loop") ? 1 : 0);
  return place < body.outputs().size() ? WithoutShape(body.outputs()[place]->type) : TypeInfo();
}

TypeInfo TypeByParameter(const Node& node, const OperatorSchema& schema, const SchemaParameter& output) {
  if (TypeInfo fixed = ParseTypeText(output.type); fixed.kind != ONNX_TYPE_UNKNOWN) return fixed;
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    const SchemaParameter* input = schema.Input(i);
    if (input != nullptr && node.inputs[i] != nullptr && input->homogeneous && input->type == output.type &&
        node.inputs[i]->type.kind != ONNX_TYPE_UNKNOWN)
      return WithoutShape(node.inputs[i]->type);
  }
  if (const ElementType named = NamedType(node); named != ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED)
    return TypeInfo::Tensor(named);
  for (const SchemaTypeConstraint& constraint : schema.constraints)
    if (constraint.name == output.type && constraint.allowed.size() == 1) return ParseTypeText(constraint.allowed[0]);
  return {};
}

}  // namespace

TypeInfo TypeBySchema(const Node& node, const OperatorSchema* schema, size_t index) {
  const bool control_flow = node.Is("If") || node.Is("Loop") || node.Is("Scan");
  if (control_flow && !node.subgraphs.empty()) return TypeByBody(node, index);
  const SchemaParameter* output = schema == nullptr ? nullptr : schema->Output(index);
  if (output == nullptr) return {};
  TypeInfo type = TypeByParameter(node, *schema, *output);
  const ValueInfo* first = node.inputs.empty() ? nullptr : node.inputs[0];
  if (output->shape_of_first && type.IsTensor() && first != nullptr && first->type.IsTensor()) {
    const ElementType element = type.tensor.type;
    type.tensor = first->type.tensor;
    type.tensor.type = element;
  }
  return type;
}

TypeInfo ParseTypeText(const std::string& text) {
  std::string inner = text;
  if (Strip(inner, "tensor(")) {
    const ElementType element = ElementTypeNamed(inner);
    return element == ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED ? TypeInfo() : TypeInfo::Tensor(element);
  }
  TypeInfo type;
  if (Strip(inner, "seq(")) {
    auto sequence = std::make_shared<OrtSequenceTypeInfo>();
    sequence->element = ParseTypeText(inner);
    if (sequence->element.kind == ONNX_TYPE_UNKNOWN) return {};
    type.kind = ONNX_TYPE_SEQUENCE;
    type.sequence = std::move(sequence);
  } else if (Strip(inner, "map(")) {
    const size_t comma = inner.find(',');
    if (comma == std::string::npos) return {};
    std::string value = inner.substr(comma + 1);
    while (!value.empty() && value.front() == ' ') value.erase(0, 1);
    auto map = std::make_shared<OrtMapTypeInfo>();
    map->key = ParseTypeText("tensor(" + inner.substr(0, comma) + ")").tensor.type;
    map->value = ParseTypeText(value.find('(') == std::string::npos ? "tensor(" + value + ")" : value);
    type.kind = ONNX_TYPE_MAP;
    type.map = std::move(map);
  } else if (Strip(inner, "optional(")) {
    auto optional = std::make_shared<OrtOptionalTypeInfo>();
    optional->contained = ParseTypeText(inner);
    if (optional->contained.kind == ONNX_TYPE_UNKNOWN) return {};
    type.kind = ONNX_TYPE_OPTIONAL;
    type.optional = std::move(optional);
  }
  return type;
}

void InferMissingTypes(Graph& graph, const std::function<const OperatorSchema*(const Node&)>& schema_of) {
  for (const auto& value : graph.values())
    if (value->outer != nullptr && value->type.kind == ONNX_TYPE_UNKNOWN) value->type = value->outer->type;
  for (const auto& node : graph.nodes()) {
    for (const auto& body : node->subgraphs) InferMissingTypes(*body.second, schema_of);
    const OperatorSchema* schema = schema_of(*node);
    for (size_t i = 0; i < node->outputs.size(); ++i)
      if (ValueInfo* output = node->outputs[i]; output != nullptr && !output->type.IsKnown())
        output->type = TypeBySchema(*node, schema, i);
  }
}

}  // namespace ortrun
