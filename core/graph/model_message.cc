// SPDX-License-Identifier: Apache-2.0
#include "core/graph/model_message.h"

#include <onnx/onnx_pb.h>

#include <algorithm>

#include "core/graph/onnx_writer.h"
#include "core/graph/tensor_reader.h"
#include "ortrun/error.h"

namespace ortrun {
namespace {

/// The oldest version of the format that holds these: initialisers that are no inputs, and the narrow types.
int64_t LeastIrVersion(const Graph& graph) {
  int64_t least = 4;
  const auto need = [&least](const TypeInfo& type) {
    switch (type.tensor.type) {
      case ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT8E4M3FN:
      case ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT8E4M3FNUZ:
      case ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT8E5M2:
      case ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT8E5M2FNUZ:
        return std::max<int64_t>(least, onnx::Version::IR_VERSION_2023_5_5);
      case ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT4:
      case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT4:
        return std::max<int64_t>(least, onnx::Version::IR_VERSION_2024_3_25);
      case ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT4E2M1:
        return std::max<int64_t>(least, onnx::Version::IR_VERSION_2025_05_12);
      case ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT8E8M0:
        return std::max<int64_t>(least, onnx::Version::IR_VERSION_2025_08_26);
      case ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT2:
      case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT2:
        return std::max<int64_t>(least, onnx::Version::IR_VERSION_2025_11_06);
      default:
        return least;
    }
  };
  for (const auto& value : graph.values()) least = need(value->type);
  for (const auto& node : graph.nodes())
    for (const auto& body : node->subgraphs) least = std::max(least, LeastIrVersion(*body.second));
  return least;
}

}  // namespace

void FillNode(const Node& node, onnx::NodeProto& proto) { GraphMessages(nullptr).Fill(node, proto); }

const std::string& GraphMessages::NameOf(const ValueInfo& value) const {
  if (opsets_ == nullptr) return value.name;
  const ValueInfo* holder = &value;
  while (holder->outer != nullptr) holder = holder->outer;
  const auto renamed = names_.find(holder);
  return renamed == names_.end() ? holder->name : renamed->second;
}

/// Names the graph's own values: in memory two values of nested graphs may have one name. Answers the names.
std::unordered_set<std::string> GraphMessages::NameValues(const Graph& graph) {
  std::unordered_set<std::string> own;
  if (opsets_ == nullptr) return own;
  for (const auto& value : graph.values()) {
    if (value->outer != nullptr) continue;
    std::string name = value->name;
    for (int i = 1; visible_.count(name) != 0 || own.count(name) != 0 || (i > 1 && graph.Find(name) != nullptr); ++i)
      name = Concat(value->name, "_", i);
    if (name != value->name) names_[value.get()] = name;
    own.insert(std::move(name));
  }
  visible_.insert(own.begin(), own.end());
  return own;
}

void GraphMessages::Fill(const ValueInfo& value, onnx::ValueInfoProto& proto) const {
  proto.set_name(NameOf(value));
  if (value.type.kind != ONNX_TYPE_UNKNOWN) FillType(value.type, *proto.mutable_type());
}

void GraphMessages::FillInitializer(const ValueInfo& value, onnx::TensorProto& proto) const {
  const Value& data = *value.initializer;
  proto.set_name(NameOf(value));
  if (!elsewhere_ || !elsewhere_(data, proto)) {
    FillTensor(data, NameOf(value), proto);
    return;
  }
  proto.set_data_type(ToOnnxType(data.type()));
  for (size_t i = 0; i < data.tensor().rank; ++i) proto.add_dims(data.tensor().shape[i]);
}

void GraphMessages::Fill(const Graph& graph, onnx::GraphProto& proto) {
  const std::unordered_set<std::string> own = NameValues(graph);
  proto.set_name(graph.name.empty() ? "graph" : graph.name);
  proto.set_doc_string(graph.description);
  for (const ValueInfo* input : graph.inputs()) Fill(*input, *proto.add_input());
  for (const ValueInfo* output : graph.outputs()) Fill(*output, *proto.add_output());
  for (const auto& value : graph.values()) {
    if (value->initializer != nullptr)
      FillInitializer(*value, *proto.add_initializer());
    else if (!value->is_input && !value->is_output && value->outer == nullptr && value->type.IsKnown())
      Fill(*value, *proto.add_value_info());
  }
  for (const auto& node : graph.nodes()) Fill(*node, *proto.add_node());
  for (const std::string& name : own) visible_.erase(name);
}

void GraphMessages::Fill(const Node& node, onnx::NodeProto& proto) {
  proto.set_name(node.name);
  proto.set_op_type(node.op_type);
  proto.set_domain(opsets_ == nullptr ? node.domain : opsets_->DomainOf(node));
  for (const ValueInfo* input : node.inputs) proto.add_input(input == nullptr ? "" : NameOf(*input));
  for (const ValueInfo* output : node.outputs) proto.add_output(output == nullptr ? "" : NameOf(*output));
  for (const OrtOpAttr& attribute : node.attributes)
    if (attribute.type != ORT_OP_ATTR_GRAPH) FillAttribute(attribute, *proto.add_attribute());
  for (const auto& [name, body] : node.subgraphs) {
    auto* attribute = proto.add_attribute();
    attribute->set_name(name);
    attribute->set_type(onnx::AttributeProto::GRAPH);
    Fill(*body, *attribute->mutable_g());
  }
  // In memory the type of an empty optional is that of the output alone.
  const bool empty = std::all_of(node.inputs.begin(), node.inputs.end(), [](const auto* input) { return !input; });
  if (node.Is("Optional") && empty && !node.outputs.empty() && node.outputs[0] != nullptr &&
      node.outputs[0]->type.kind == ONNX_TYPE_OPTIONAL) {
    auto* attribute = proto.add_attribute();
    attribute->set_name("type");
    attribute->set_type(onnx::AttributeProto::TYPE_PROTO);
    FillType(node.outputs[0]->type.optional->contained, *attribute->mutable_tp());
  }
}

onnx::ModelProto ToProto(const Model& model, const OpsetChoice& opsets, const PutElsewhere& elsewhere) {
  onnx::ModelProto proto;
  proto.set_ir_version(std::max(model.ir_version == 0 ? 8 : model.ir_version, LeastIrVersion(*model.graph)));
  proto.set_producer_name(model.producer);
  proto.set_producer_version(model.producer_version);
  proto.set_domain(model.domain);
  proto.set_model_version(model.version);
  proto.set_doc_string(model.description);
  for (const auto& [domain, version] : opsets.imports()) {
    auto* opset = proto.add_opset_import();
    opset->set_domain(domain);
    opset->set_version(version);
  }
  for (const auto& [key, value] : model.metadata) {
    auto* entry = proto.add_metadata_props();
    entry->set_key(key);
    entry->set_value(value);
  }
  GraphMessages(&opsets, elsewhere).Fill(*model.graph, *proto.mutable_graph());
  return proto;
}

}  // namespace ortrun
