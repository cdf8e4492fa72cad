// SPDX-License-Identifier: Apache-2.0
#include <onnx/defs/function.h>
#include <onnx/defs/schema.h>
#include <onnx/onnx_pb.h>

#include <unordered_map>

#include "core/graph/element_inference.h"
#include "core/graph/model_converter.h"
#include "core/graph/onnx_writer.h"
#include "core/graph/schema.h"
#include "core/graph/standard_schemas.h"
#include "core/graph/tensor_reader.h"
#include "ortrun/error.h"

namespace ortrun {
namespace {

/// The body for this very node: some depend on its types and attributes.
bool FindBody(const Node& node, const onnx::NodeProto& proto, onnx::FunctionProto& body) {
  const int opset = node.graph->model()->Opset(node.domain);
  const onnx::OpSchema* schema = StandardSchemas::Instance().GetSchema(node.op_type, node.since_version, node.domain);
  if (schema == nullptr) return false;
  if (schema->HasFunction()) {
    const onnx::FunctionProto* fixed = schema->GetFunction(opset, true);
    if (fixed == nullptr) return false;
    body = *fixed;
    return true;
  }
  if (!schema->HasContextDependentFunction()) return false;
  std::vector<onnx::TypeProto> types;
  for (const ValueInfo* input : node.inputs) {
    types.emplace_back();
    // The only body over sequences is SequenceMap's, which ExpandSequenceMap makes; onnx's builder trusts its input.
    if (input != nullptr && input->type.kind == ONNX_TYPE_SEQUENCE) return false;
    if (input != nullptr && input->type.IsTensor())
      types.back().mutable_tensor_type()->set_elem_type(ToOnnxType(input->type.tensor.type));
  }
  onnx::FunctionBodyBuildContextImpl context(proto, types);
  return schema->BuildContextDependentFunction(context, body, opset);
}

/// Names of the body's values in the graph: formal parameters are the node's own, the rest is new.
class Renamer {
 public:
  Renamer(Graph& graph, const onnx::FunctionProto& body, const onnx::NodeProto& call) : graph_(graph) {
    for (int i = 0; i < body.input_size(); ++i) names_[body.input(i)] = i < call.input_size() ? call.input(i) : "";
    for (int i = 0; i < body.output_size(); ++i)
      if (i < call.output_size() && !call.output(i).empty()) names_[body.output(i)] = call.output(i);
  }

  std::string operator()(const std::string& name) {
    if (name.empty()) return name;
    std::string& renamed = names_.try_emplace(name, "").first->second;
    if (renamed.empty() && !formal_empty(name)) renamed = graph_.AddValue(name, {})->name;
    return renamed;
  }
  void MarkEmpty(const std::string& name) { empty_.insert({name, true}); }

 private:
  bool formal_empty(const std::string& name) const { return empty_.count(name) != 0; }
  Graph& graph_;
  std::unordered_map<std::string, std::string> names_;
  std::unordered_map<std::string, bool> empty_;
};

/// Replaces references to the function's attributes by the call's values; drops those that the call does not give.
void BindAttributes(const onnx::NodeProto& call, const onnx::FunctionProto& body, onnx::NodeProto& node) {
  auto* attributes = node.mutable_attribute();
  for (int i = 0; i < attributes->size();) {
    auto* attribute = attributes->Mutable(i);
    if (attribute->ref_attr_name().empty()) {
      ++i;
      continue;
    }
    const auto find = [&](const auto& list) -> const onnx::AttributeProto* {
      for (const auto& candidate : list)
        if (candidate.name() == attribute->ref_attr_name()) return &candidate;
      return nullptr;
    };
    const onnx::AttributeProto* given = find(call.attribute());
    if (given == nullptr) given = find(body.attribute_proto());
    if (given == nullptr) {
      attributes->DeleteSubrange(i, 1);
      continue;
    }
    const std::string name = attribute->name();
    *attribute = *given;
    attribute->set_name(name);
    ++i;
  }
}

}  // namespace

bool ExpandFunction(Node& node) {
  if (node.Is("SequenceMap")) return ExpandSequenceMap(node);
  onnx::NodeProto call;
  FillNode(node, call, true);
  onnx::FunctionProto body;
  if (!FindBody(node, call, body)) return false;
  Graph& graph = *node.graph;
  for (const auto& parts : body.node())
    for (const auto& attribute : parts.attribute())
      if (attribute.has_g()) return false;  // bodies with graphs of their own are left to providers
  Renamer rename(graph, body, call);
  for (int i = 0; i < body.input_size(); ++i)
    if (i >= call.input_size() || call.input(i).empty()) rename.MarkEmpty(body.input(i));
  const std::vector<ValueInfo*> outputs = node.outputs;
  const std::vector<std::string> origins = node.origins.empty() ? std::vector<std::string>{node.name} : node.origins;
  const std::string name = node.name;
  const std::string provider = node.provider;
  graph.RemoveNode(&node);
  for (ValueInfo* output : outputs)
    if (output != nullptr) output->expected = true;
  ExternalFiles files({}, {});
  const TensorReader tensors(nullptr, nullptr, false, files);
  const ReadOptions options;
  ModelConverter converter(*graph.model(), options, tensors);
  for (onnx::NodeProto part : body.node()) {
    BindAttributes(call, body, part);
    for (auto& input : *part.mutable_input()) input = rename(input);
    for (auto& output : *part.mutable_output()) {
      output = rename(output);
      if (!output.empty()) graph.FindOrAdd(output)->expected = true;
    }
    part.set_name(name + "/" + (part.name().empty() ? part.op_type() : part.name()));
    const size_t before = graph.nodes().size();
    converter.AddNode(part, graph);
    for (size_t i = before; i < graph.nodes().size(); ++i) graph.nodes()[i]->origins = origins;
  }
  InferMissingTypes(graph, [](const Node& part) { return FindSchema(part.domain, part.op_type, part.since_version); });
  return true;
}

}  // namespace ortrun
