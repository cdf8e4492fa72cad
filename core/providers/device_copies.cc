// SPDX-License-Identifier: Apache-2.0
#include "core/providers/device_copies.h"

#include <map>
#include <utility>

namespace ortrun {
namespace {

constexpr const char* kDomain = "ortrun.core";
constexpr const char* kOperator = "Copy";
constexpr const char* kTarget = "memory";

class Inserter {
 public:
  Inserter(Graph& graph, SessionState& session) : graph_(graph), session_(session) {}

  size_t Run() {
    // Outputs first: bodies of nodes then see where an output is really made.
    for (ValueInfo* output : std::vector<ValueInfo*>(graph_.outputs())) MoveOutput(output);
    std::vector<Node*> nodes;
    for (const auto& node : graph_.nodes()) nodes.push_back(node.get());
    for (Node* node : nodes) {
      for (size_t i = 0; i < node->inputs.size(); ++i) {
        ValueInfo* value = node->inputs[i];
        if (value == nullptr || IsConstant(*value) || IsDeviceCopy(*node) || ReadsShapeOnly(*node)) continue;
        const size_t wanted = session_.InputMemory(*node, i);
        if (MadeIn(*value, session_) != wanted) graph_.SetInput(node, i, CopyOf(*value, wanted));
      }
      for (const auto& body : node->subgraphs) InsertDeviceCopies(*body.second, session_);
    }
    if (copies_ != 0) graph_.Sort();
    return copies_;
  }

 private:
  static bool IsConstant(const ValueInfo& value) {
    const ValueInfo* holder = &value;
    while (holder->outer != nullptr) holder = holder->outer;
    return holder->IsConstant();
  }

  Node* AddCopy(ValueInfo* from, ValueInfo* to, size_t memory) {
    Node* copy = graph_.AddNode(from->name + "_copy", kOperator, kDomain, 1);
    OrtOpAttr attribute;
    attribute.name = kTarget;
    attribute.type = ORT_OP_ATTR_INT;
    attribute.i = static_cast<int64_t>(memory);
    copy->attributes.push_back(std::move(attribute));
    graph_.SetInput(copy, 0, from);
    graph_.SetOutput(copy, 0, to);
    ++copies_;
    return copy;
  }

  ValueInfo* CopyOf(ValueInfo& value, size_t memory) {
    ValueInfo*& copy = copied_[{&value, memory}];
    if (copy == nullptr) {
      copy = graph_.AddValue(value.name + "_copy", value.type);
      AddCopy(&value, copy, memory);
    }
    return copy;
  }

  /// An output made on a device keeps its name on the CPU; the device's value gets a new one.
  void MoveOutput(ValueInfo* output) {
    if (output->producer == nullptr || output->producer->graph != &graph_) return;
    const size_t made = MadeIn(*output, session_);
    if (made == 0) return;
    Node* producer = output->producer;
    const size_t index = output->producer_output;
    const std::vector<OrtUse> uses = output->uses;
    ValueInfo* device = graph_.AddValue(output->name + "_device", output->type);
    graph_.SetOutput(producer, index, device);
    for (const OrtUse& use : uses) {
      if (use.index < 0) continue;
      const auto input = static_cast<size_t>(use.index);
      if (ReadsShapeOnly(*use.node) || session_.InputMemory(*use.node, input) == made)
        graph_.SetInput(use.node, input, device);
    }
    AddCopy(device, output, 0);
  }

  Graph& graph_;
  SessionState& session_;
  std::map<std::pair<const ValueInfo*, size_t>, ValueInfo*> copied_;
  size_t copies_ = 0;
};

}  // namespace

size_t MadeIn(const ValueInfo& value, const SessionState& session) {
  const ValueInfo* holder = &value;
  while (holder->outer != nullptr) holder = holder->outer;
  if (holder->producer == nullptr) return 0;
  return session.OutputMemory(*holder->producer, holder->producer_output);
}

bool ReadsShapeOnly(const Node& node) { return node.Is("Shape") || node.Is("Size"); }

bool IsDeviceCopy(const Node& node) { return node.Is(kOperator, kDomain); }

size_t InsertDeviceCopies(Graph& graph, SessionState& session) { return Inserter(graph, session).Run(); }

}  // namespace ortrun
