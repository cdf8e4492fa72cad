// SPDX-License-Identifier: Apache-2.0
#include "core/graph/graph.h"

#include <algorithm>
#include <queue>
#include <unordered_set>
#include <utility>

#include "ortrun/error.h"

using ortrun::Concat;
using ortrun::Error;

OrtGraph::~OrtGraph() = default;
OrtModel::OrtModel() = default;
OrtModel::~OrtModel() = default;

int OrtModel::Opset(const std::string& of_domain) const {
  const auto found = opsets.find(of_domain);
  return found == opsets.end() ? 0 : found->second;
}

std::vector<OrtValueInfo*> OrtGraph::Initializers() const {
  std::vector<OrtValueInfo*> initializers;
  for (const auto& value : values_)
    if (value->initializer != nullptr) initializers.push_back(value.get());
  return initializers;
}

OrtValueInfo* OrtGraph::Find(const std::string& value) const {
  const auto found = by_name_.find(value);
  return found == by_name_.end() ? nullptr : found->second;
}

OrtValueInfo* OrtGraph::FindOrAdd(const std::string& value) {
  OrtValueInfo*& place = by_name_[value];
  if (place != nullptr) return place;
  values_.push_back(std::make_unique<OrtValueInfo>());
  place = values_.back().get();
  place->name = value;
  place->graph = this;
  return place;
}

std::string OrtGraph::FreshName(const std::string& prefix) {
  // Bodies may name values of outer graphs, so a new name must be new in all graphs: the main graph counts.
  OrtGraph* top = this;
  while (top->parent_ != nullptr) top = top->parent_->graph;
  std::string fresh;
  const auto taken = [this](const std::string& candidate) {
    for (const OrtGraph* graph = this; graph != nullptr;
         graph = graph->parent_ == nullptr ? nullptr : graph->parent_->graph)
      if (graph->Find(candidate) != nullptr) return true;
    return false;
  };
  do {
    fresh = Concat(prefix, "_ortrun", top->next_name_++);
  } while (taken(fresh));
  return fresh;
}

OrtValueInfo* OrtGraph::AddValue(const std::string& prefix, OrtTypeInfo type) {
  OrtValueInfo* value = FindOrAdd(FreshName(prefix));
  value->type = std::move(type);
  return value;
}

OrtValueInfo* OrtGraph::Adopt(std::unique_ptr<OrtValueInfo> value) {
  value->name = FreshName(value->name);
  value->graph = this;
  by_name_[value->name] = value.get();
  values_.push_back(std::move(value));
  return values_.back().get();
}

OrtValueInfo* OrtGraph::AddConstant(const std::string& prefix, OrtValue tensor) {
  OrtValueInfo* value = AddValue(prefix, tensor.TypeOf());
  value->initializer = std::make_shared<const OrtValue>(std::move(tensor));
  return value;
}

void OrtGraph::AddInput(OrtValueInfo* value) {
  value->is_input = true;
  inputs_.push_back(value);
}

void OrtGraph::SetInputs(const std::vector<OrtValueInfo*>& inputs) {
  for (OrtValueInfo* input : inputs_) input->is_input = false;
  inputs_.clear();
  for (OrtValueInfo* input : inputs) AddInput(input);
}

void OrtGraph::AddOutput(OrtValueInfo* value) {
  value->is_output = true;
  outputs_.push_back(value);
}

void OrtGraph::SetOutputs(const std::vector<OrtValueInfo*>& outputs) {
  for (OrtValueInfo* output : outputs_) output->is_output = false;
  outputs_.clear();
  for (OrtValueInfo* output : outputs) AddOutput(output);
}

OrtNode* OrtGraph::AddNode(std::string node_name, std::string op, std::string domain, int since_version) {
  nodes_.push_back(std::make_unique<OrtNode>());
  OrtNode* node = nodes_.back().get();
  node->id = next_id_++;
  node->name = std::move(node_name);
  node->op_type = std::move(op);
  node->domain = std::move(domain);
  node->since_version = since_version;
  node->graph = this;
  return node;
}

OrtNode* OrtGraph::Adopt(std::unique_ptr<OrtNode> node) {
  node->id = next_id_++;
  node->graph = this;
  nodes_.push_back(std::move(node));
  OrtNode* adopted = nodes_.back().get();
  for (size_t i = 0; i < adopted->inputs.size(); ++i)
    if (adopted->inputs[i] != nullptr) adopted->inputs[i]->uses.Add({adopted, static_cast<int64_t>(i)});
  for (size_t i = 0; i < adopted->outputs.size(); ++i) SetOutput(adopted, i, adopted->outputs[i]);
  return adopted;
}

void OrtGraph::SetInput(OrtNode* node, size_t index, OrtValueInfo* value) {
  if (node->inputs.size() <= index) node->inputs.resize(index + 1, nullptr);
  const auto position = static_cast<int64_t>(index);
  if (node->inputs[index] != nullptr) node->inputs[index]->uses.Drop(node, position);
  node->inputs[index] = value;
  if (value != nullptr) value->uses.Add({node, position});
}

void OrtGraph::SetOutput(OrtNode* node, size_t index, OrtValueInfo* value) {
  if (node->outputs.size() <= index) node->outputs.resize(index + 1, nullptr);
  OrtValueInfo* former = node->outputs[index];
  if (former != nullptr && former->producer == node && former->producer_output == index) former->producer = nullptr;
  node->outputs[index] = value;
  if (value == nullptr) return;
  if (value->producer != nullptr && (value->producer != node || value->producer_output != index)) {
    auto& outputs = value->producer->outputs;
    std::replace(outputs.begin(), outputs.end(), value, static_cast<OrtValueInfo*>(nullptr));
    node->outputs[index] = value;
  }
  value->producer = node;
  value->producer_output = index;
}

void OrtGraph::AddImplicitInput(OrtNode* node, OrtValueInfo* value) {
  auto& implicit = node->implicit_inputs;
  if (std::find(implicit.begin(), implicit.end(), value) != implicit.end()) return;
  implicit.push_back(value);
  value->uses.Add({node, -1});
}

namespace {

/// Values of bodies below `node` that stand for `from` stand for `to` afterwards.
void RedirectOuter(OrtNode* node, const OrtValueInfo* from, OrtValueInfo* to) {
  for (const auto& body : node->subgraphs)
    for (const auto& value : body.second->values())
      if (value->outer == from) value->outer = to;
}

}  // namespace

void OrtGraph::ReplaceUses(OrtValueInfo* from, OrtValueInfo* to) {
  if (from == to) return;
  const std::vector<OrtUse> uses = from->uses.TakeAll();
  for (const OrtUse& use : uses) {
    if (use.index >= 0) {
      use.node->inputs[static_cast<size_t>(use.index)] = to;
      to->uses.Add(use);
      continue;
    }
    auto& implicit = use.node->implicit_inputs;
    implicit.erase(std::remove(implicit.begin(), implicit.end(), from), implicit.end());
    AddImplicitInput(use.node, to);
    RedirectOuter(use.node, from, to);
  }
  if (!from->is_output) return;
  for (OrtValueInfo*& output : outputs_) {
    if (output != from) continue;
    output = to;
    from->is_output = false;
    to->is_output = true;
  }
}

void OrtGraph::DetachNode(OrtNode* node) {
  for (size_t i = 0; i < node->inputs.size(); ++i)
    if (node->inputs[i] != nullptr) node->inputs[i]->uses.Drop(node, static_cast<int64_t>(i));
  for (OrtValueInfo* value : node->implicit_inputs) value->uses.Drop(node, -1);
  for (OrtValueInfo* value : node->outputs)
    if (value != nullptr && value->producer == node) value->producer = nullptr;
  node->inputs.clear();
  node->implicit_inputs.clear();
  node->outputs.clear();
  detached_.insert(node);
}

void OrtGraph::DropDetached() {
  if (detached_.empty()) return;
  std::erase_if(nodes_, [this](const auto& node) { return detached_.count(node.get()) != 0; });
  detached_.clear();
}

void OrtGraph::RemoveNode(OrtNode* node) {
  DetachNode(node);
  detached_.erase(node);
  const auto found = std::find_if(nodes_.begin(), nodes_.end(), [&](const auto& n) { return n.get() == node; });
  if (found != nodes_.end()) nodes_.erase(found);
}

size_t OrtGraph::RemoveUnused() {
  DropDetached();
  const auto needed = [](const OrtNode& node) {
    return std::any_of(node.outputs.begin(), node.outputs.end(), [](const OrtValueInfo* value) {
      return value != nullptr && (!value->uses.empty() || value->is_output);
    });
  };
  std::vector<OrtNode*> idle;
  for (const auto& node : nodes_)
    if (!needed(*node)) idle.push_back(node.get());
  std::unordered_set<OrtNode*> gone;
  while (!idle.empty()) {
    OrtNode* node = idle.back();
    idle.pop_back();
    if (!gone.insert(node).second) continue;
    std::vector<OrtValueInfo*> read = node->implicit_inputs;
    for (size_t i = 0; i < node->inputs.size(); ++i) {
      if (node->inputs[i] == nullptr) continue;
      node->inputs[i]->uses.Drop(node, static_cast<int64_t>(i));
      read.push_back(node->inputs[i]);
    }
    for (OrtValueInfo* value : node->implicit_inputs) value->uses.Drop(node, -1);
    for (OrtValueInfo* value : node->outputs)
      if (value != nullptr && value->producer == node) value->producer = nullptr;
    for (const OrtValueInfo* value : read)
      if (value->producer != nullptr && value->producer->graph == this && !needed(*value->producer))
        idle.push_back(value->producer);
  }
  std::erase_if(nodes_, [&](const auto& node) { return gone.count(node.get()) != 0; });
  std::erase_if(values_, [&](const auto& value) {
    const bool keep = value->producer != nullptr || !value->uses.empty() || value->is_input || value->is_output;
    if (!keep) by_name_.erase(value->name);
    return !keep;
  });
  return gone.size();
}

void OrtGraph::Sort() {
  DropDetached();
  std::vector<size_t> position(next_id_, 0);  // by id
  for (size_t i = 0; i < nodes_.size(); ++i) position[nodes_[i]->id] = i;
  const auto for_each_producer = [&](const OrtNode& node, const auto& visit) {
    for (const auto* values : {&node.inputs, &node.implicit_inputs})
      for (const OrtValueInfo* value : *values)
        if (value != nullptr && value->producer != nullptr && value->producer->graph == this)
          visit(position[value->producer->id]);
  };
  // Passes mostly leave the order as it is.
  bool sorted_already = true;
  for (size_t i = 0; i < nodes_.size() && sorted_already; ++i)
    for_each_producer(*nodes_[i], [&](size_t producer) { sorted_already = sorted_already && producer < i; });
  if (sorted_already) return;
  std::vector<size_t> waiting(nodes_.size(), 0);
  std::vector<std::vector<size_t>> followers(nodes_.size());
  for (size_t i = 0; i < nodes_.size(); ++i)
    for_each_producer(*nodes_[i], [&](size_t producer) {
      followers[producer].push_back(i);
      ++waiting[i];
    });
  // The earliest ready node goes first, so that an order that is good already stays as it is.
  std::priority_queue<size_t, std::vector<size_t>, std::greater<>> ready;
  for (size_t i = 0; i < nodes_.size(); ++i)
    if (waiting[i] == 0) ready.push(i);
  std::vector<size_t> order;
  while (!ready.empty()) {
    const size_t next = ready.top();
    ready.pop();
    order.push_back(next);
    for (const size_t follower : followers[next])
      if (--waiting[follower] == 0) ready.push(follower);
  }
  if (order.size() != nodes_.size()) {
    std::string names;
    size_t shown = 0;
    for (size_t i = 0; i < nodes_.size() && shown < 8; ++i)
      if (waiting[i] != 0) {
        names += (names.empty() ? "" : ", ") + nodes_[i]->Describe();
        ++shown;
      }
    throw Error(ORT_FAIL, Concat("This is an invalid model. Error: the graph is not acyclic. On or behind a cycle: ",
                                 names, ". Break the cycle: a node may only read values that earlier nodes make"));
  }
  std::vector<std::unique_ptr<OrtNode>> sorted;
  sorted.reserve(nodes_.size());
  for (const size_t i : order) sorted.push_back(std::move(nodes_[i]));
  nodes_ = std::move(sorted);
}
