// SPDX-License-Identifier: Apache-2.0
#include "core/graph/onnx_writer.h"

#include <onnx/onnx_pb.h>

#include <fstream>

#include "core/graph/onnx_reader.h"
#include "core/graph/tensor_reader.h"
#include "ortrun/error.h"

namespace ortrun {
namespace {

constexpr size_t kSmall = 256;  ///< elements of a constant that inference may need to see

void FillShape(const TensorType& tensor, onnx::TensorShapeProto& shape) {
  for (size_t i = 0; i < tensor.dims.size(); ++i) {
    auto* dim = shape.add_dim();
    if (tensor.dims[i] >= 0)
      dim->set_dim_value(tensor.dims[i]);
    else if (!tensor.symbols[i].empty())
      dim->set_dim_param(tensor.symbols[i]);
  }
}

}  // namespace

void FillType(const TypeInfo& type, onnx::TypeProto& proto) {
  switch (type.kind) {
    case ONNX_TYPE_TENSOR:
      proto.mutable_tensor_type()->set_elem_type(ToOnnxType(type.tensor.type));
      if (type.tensor.has_shape) FillShape(type.tensor, *proto.mutable_tensor_type()->mutable_shape());
      break;
    case ONNX_TYPE_SPARSETENSOR:
      proto.mutable_sparse_tensor_type()->set_elem_type(ToOnnxType(type.tensor.type));
      if (type.tensor.has_shape) FillShape(type.tensor, *proto.mutable_sparse_tensor_type()->mutable_shape());
      break;
    case ONNX_TYPE_SEQUENCE:
      FillType(type.sequence->element, *proto.mutable_sequence_type()->mutable_elem_type());
      break;
    case ONNX_TYPE_MAP:
      proto.mutable_map_type()->set_key_type(ToOnnxType(type.map->key));
      FillType(type.map->value, *proto.mutable_map_type()->mutable_value_type());
      break;
    case ONNX_TYPE_OPTIONAL:
      FillType(type.optional->contained, *proto.mutable_optional_type()->mutable_elem_type());
      break;
    default:
      break;
  }
}

void FillTensor(const Value& value, const std::string& name, onnx::TensorProto& proto) {
  proto.set_name(name);
  proto.set_data_type(ToOnnxType(value.type()));
  const OrtrunTensor& tensor = value.tensor();
  for (size_t i = 0; i < tensor.rank; ++i) proto.add_dims(tensor.shape[i]);
  if (value.IsString()) {
    for (size_t i = 0; i < tensor.count; ++i) proto.add_string_data(value.strings()[i]);
    return;
  }
  if (tensor.data == nullptr && tensor.count != 0)
    throw Error(ORT_FAIL, Concat("the data of '", name, "' was packed by a kernel and is no longer held"));
  proto.set_raw_data(tensor.data, value.bytes());
}

namespace {

void FillValueInfo(const ValueInfo& value, onnx::ValueInfoProto& proto) {
  proto.set_name(value.name);
  if (value.type.kind != ONNX_TYPE_UNKNOWN) FillType(value.type, *proto.mutable_type());
}

void FillGraph(const Graph& graph, onnx::GraphProto& proto, bool data) {
  proto.set_name(graph.name.empty() ? "graph" : graph.name);
  proto.set_doc_string(graph.description);
  for (const ValueInfo* input : graph.inputs()) FillValueInfo(*input, *proto.add_input());
  for (const ValueInfo* output : graph.outputs()) FillValueInfo(*output, *proto.add_output());
  for (const auto& value : graph.values()) {
    if (value->initializer != nullptr && (data || value->initializer->tensor().count <= kSmall))
      FillTensor(*value->initializer, value->name, *proto.add_initializer());
    else if (value->initializer != nullptr && !value->is_input)
      FillValueInfo(*value, *proto.add_input());
    else if (value->initializer == nullptr && !value->is_input && !value->is_output && value->outer == nullptr)
      FillValueInfo(*value, *proto.add_value_info());
  }
  for (const auto& node : graph.nodes()) FillNode(*node, *proto.add_node(), data);
}

}  // namespace

void FillAttribute(const OrtOpAttr& attribute, onnx::AttributeProto& proto) {
  proto.set_name(attribute.name);
  switch (attribute.type) {
    case ORT_OP_ATTR_INT:
      proto.set_type(onnx::AttributeProto::INT);
      proto.set_i(attribute.i);
      break;
    case ORT_OP_ATTR_FLOAT:
      proto.set_type(onnx::AttributeProto::FLOAT);
      proto.set_f(attribute.f);
      break;
    case ORT_OP_ATTR_STRING:
      proto.set_type(onnx::AttributeProto::STRING);
      proto.set_s(attribute.s);
      break;
    case ORT_OP_ATTR_INTS:
      proto.set_type(onnx::AttributeProto::INTS);
      for (const int64_t value : attribute.ints) proto.add_ints(value);
      break;
    case ORT_OP_ATTR_FLOATS:
      proto.set_type(onnx::AttributeProto::FLOATS);
      for (const float value : attribute.floats) proto.add_floats(value);
      break;
    case ORT_OP_ATTR_STRINGS:
      proto.set_type(onnx::AttributeProto::STRINGS);
      for (const std::string& value : attribute.strings) proto.add_strings(value);
      break;
    case ORT_OP_ATTR_TENSOR:
      proto.set_type(onnx::AttributeProto::TENSOR);
      if (attribute.tensor != nullptr) FillTensor(*attribute.tensor, "", *proto.mutable_t());
      break;
    default:
      break;
  }
}

void FillNode(const Node& node, onnx::NodeProto& proto, bool data) {
  proto.set_name(node.name);
  proto.set_op_type(node.op_type);
  proto.set_domain(node.domain);
  for (const ValueInfo* input : node.inputs) proto.add_input(input == nullptr ? "" : input->name);
  for (const ValueInfo* output : node.outputs) proto.add_output(output == nullptr ? "" : output->name);
  for (const OrtOpAttr& attribute : node.attributes)
    if (attribute.type != ORT_OP_ATTR_GRAPH) FillAttribute(attribute, *proto.add_attribute());
  if (node.Is("Optional") && node.inputs.empty() && node.outputs[0]->type.kind == ONNX_TYPE_OPTIONAL) {
    auto* attribute = proto.add_attribute();
    attribute->set_name("type");
    attribute->set_type(onnx::AttributeProto::TYPE_PROTO);
    FillType(node.outputs[0]->type.optional->contained, *attribute->mutable_tp());
  }
  for (const auto& [name, body] : node.subgraphs) {
    auto* attribute = proto.add_attribute();
    attribute->set_name(name);
    attribute->set_type(onnx::AttributeProto::GRAPH);
    FillGraph(*body, *attribute->mutable_g(), data);
  }
}

onnx::ModelProto ToProto(const Model& model, bool data) {
  onnx::ModelProto proto;
  proto.set_ir_version(model.ir_version == 0 ? 8 : model.ir_version);
  proto.set_producer_name(model.producer);
  proto.set_producer_version(model.producer_version);
  proto.set_domain(model.domain);
  proto.set_model_version(model.version);
  proto.set_doc_string(model.description);
  for (const auto& [domain, version] : model.opsets) {
    auto* opset = proto.add_opset_import();
    opset->set_domain(domain);
    opset->set_version(version);
  }
  for (const auto& [key, value] : model.metadata) {
    auto* entry = proto.add_metadata_props();
    entry->set_key(key);
    entry->set_value(value);
  }
  FillGraph(*model.graph, *proto.mutable_graph(), data);
  return proto;
}

void WriteModel(const Model& model, const std::filesystem::path& path, const std::string& external_file,
                size_t external_threshold) {
  onnx::ModelProto proto = ToProto(model, true);
  if (!external_file.empty()) {
    if (std::filesystem::path(external_file).has_parent_path())
      throw Error(ORT_INVALID_ARGUMENT, Concat("the external file '", external_file, "' must lie beside the model"));
    std::ofstream external(path.parent_path() / external_file, std::ios::binary);
    uint64_t offset = 0;
    for (auto& tensor : *proto.mutable_graph()->mutable_initializer()) {
      if (!tensor.has_raw_data() || tensor.raw_data().size() <= external_threshold) continue;
      constexpr uint64_t kPage = 4096;
      const uint64_t padding = (kPage - offset % kPage) % kPage;
      external.write(std::string(padding, '\0').data(), static_cast<std::streamsize>(padding));
      offset += padding;
      external.write(tensor.raw_data().data(), static_cast<std::streamsize>(tensor.raw_data().size()));
      const auto add = [&tensor](const char* key, const std::string& value) {
        auto* entry = tensor.add_external_data();
        entry->set_key(key);
        entry->set_value(value);
      };
      add("location", external_file);
      add("offset", std::to_string(offset));
      add("length", std::to_string(tensor.raw_data().size()));
      offset += tensor.raw_data().size();
      tensor.clear_raw_data();
      tensor.set_data_location(onnx::TensorProto::EXTERNAL);
    }
    external.close();
    if (!external)
      throw Error(ORT_FAIL, Concat("'", (path.parent_path() / external_file).string(), "' cannot be written"));
  }
  if (proto.ByteSizeLong() > static_cast<size_t>(INT32_MAX))
    throw Error(ORT_FAIL, Concat("the model is larger than 2 GiB and cannot be written to '", path.string(),
                                 "' as one message; write its weights to an external file"));
  std::ofstream file(path, std::ios::binary);
  if (!proto.SerializeToOstream(&file) || !file.flush())
    throw Error(ORT_FAIL, Concat("'", path.string(), "' cannot be written"));
}

}  // namespace ortrun
