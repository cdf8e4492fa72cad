// SPDX-License-Identifier: Apache-2.0
#include "core/graph/subgraph.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "core/graph/copy.h"

namespace ortrun {

std::unique_ptr<Graph> ExtractSubgraph(const Graph& graph, const std::vector<const Node*>& nodes) {
  const std::unordered_set<const Node*> chosen(nodes.begin(), nodes.end());
  auto extracted = std::make_unique<Graph>(graph.model(), nullptr);
  extracted->name = graph.name;
  const auto mapped = [&](const ValueInfo* value) -> ValueInfo* {
    if (value == nullptr) return nullptr;
    if (ValueInfo* known = extracted->Find(value->name)) return known;
    ValueInfo* copy = extracted->FindOrAdd(value->name);
    copy->type = value->type;
    const ValueInfo* holder = value;
    while (holder->outer != nullptr) holder = holder->outer;
    if (holder->IsConstant()) {
      copy->initializer = holder->initializer;
      copy->external = holder->external;
    } else if (value->producer == nullptr || chosen.count(value->producer) == 0) {
      extracted->AddInput(copy);
    }
    return copy;
  };
  for (const auto& node : graph.nodes()) {
    if (chosen.count(node.get()) == 0) continue;
    Node* copy = CopyNode(*node, *extracted);
    for (size_t i = 0; i < node->inputs.size(); ++i) extracted->SetInput(copy, i, mapped(node->inputs[i]));
    for (const ValueInfo* value : node->implicit_inputs) extracted->AddImplicitInput(copy, mapped(value));
    for (size_t i = 0; i < node->outputs.size(); ++i) extracted->SetOutput(copy, i, mapped(node->outputs[i]));
    for (const ValueInfo* value : copy->implicit_inputs) LinkOuter(*copy, *value);
  }
  for (const auto& node : graph.nodes()) {
    if (chosen.count(node.get()) == 0) continue;
    for (const ValueInfo* output : node->outputs) {
      if (output == nullptr) continue;
      const bool outside =
          output->is_output || std::any_of(output->uses.begin(), output->uses.end(),
                                           [&](const Use& use) { return chosen.count(use.node) == 0; });
      if (outside) extracted->AddOutput(extracted->Find(output->name));
    }
  }
  return extracted;
}

}  // namespace ortrun
