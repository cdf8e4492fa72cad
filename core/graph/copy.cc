// SPDX-License-Identifier: Apache-2.0
#include "core/graph/copy.h"

namespace ortrun {
namespace {

std::unique_ptr<Graph> CopyBody(const Graph& body, Node& parent) {
  auto copy = std::make_unique<Graph>(body.model(), &parent);
  copy->name = body.name;
  copy->description = body.description;
  for (const auto& value : body.values()) {
    ValueInfo* made = copy->FindOrAdd(value->name);
    made->type = value->type;
    made->initializer = value->initializer;
    made->external = value->external;
  }
  for (const ValueInfo* input : body.inputs()) copy->AddInput(copy->Find(input->name));
  const auto mapped = [&](const ValueInfo* value) { return value == nullptr ? nullptr : copy->Find(value->name); };
  for (const auto& node : body.nodes()) {
    Node* made = CopyNode(*node, *copy);
    for (size_t i = 0; i < node->inputs.size(); ++i) copy->SetInput(made, i, mapped(node->inputs[i]));
    for (size_t i = 0; i < node->outputs.size(); ++i) copy->SetOutput(made, i, mapped(node->outputs[i]));
    for (const ValueInfo* value : node->implicit_inputs) copy->AddImplicitInput(made, mapped(value));
    for (const ValueInfo* value : made->implicit_inputs) LinkOuter(*made, *value);
  }
  for (const ValueInfo* output : body.outputs()) copy->AddOutput(copy->Find(output->name));
  return copy;
}

}  // namespace

Node* CopyNode(const Node& node, Graph& graph) {
  Node* copy = graph.AddNode(node.name, node.op_type, node.domain, node.since_version);
  copy->id = node.id;
  copy->attributes = node.attributes;
  copy->provider = node.provider;
  copy->origins = node.origins;
  for (const auto& [attribute, body] : node.subgraphs) copy->subgraphs.emplace_back(attribute, CopyBody(*body, *copy));
  return copy;
}

void LinkOuter(Node& node, const ValueInfo& value) {
  for (const auto& [attribute, body] : node.subgraphs) {
    ValueInfo* inside = body->Find(value.name);
    if (inside == nullptr || inside->producer != nullptr || inside->is_input || inside->initializer != nullptr)
      continue;
    inside->outer = const_cast<ValueInfo*>(&value);  // NOLINT: the graph is the caller's to change
  }
}

}  // namespace ortrun
