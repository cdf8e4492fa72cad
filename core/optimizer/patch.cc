// SPDX-License-Identifier: Apache-2.0
#include "core/optimizer/patch.h"

#include <algorithm>

#include "core/graph/node_check.h"
#include "core/graph/schema.h"

namespace ortrun {

namespace {

void AppendOrigins(const Node& from, std::vector<std::string>& to) {
  if (from.origins.empty()) {
    to.push_back(from.name);
  } else {
    to.insert(to.end(), from.origins.begin(), from.origins.end());
  }
}

bool IsCaptured(const ValueInfo& value) {
  return std::any_of(value.uses.begin(), value.uses.end(), [](const Use& use) { return use.index < 0; });
}

/// Whether somebody makes the value, or will have made it before the graph runs.
bool IsAlive(const ValueInfo& value) {
  return value.producer != nullptr || value.is_input || value.initializer != nullptr || value.outer != nullptr;
}

}  // namespace

int StandardVersion(const Model& model, const std::string& op) {
  const int opset = model.Opset("");
  const OperatorSchema* schema = FindSchema("", op, opset);
  return schema != nullptr ? schema->since_version : opset;
}

void Patch::Take(Node* node) {
  if (node != nullptr && taken_set_.insert(node).second) taken_.push_back(node);
}

void Patch::Take(const std::vector<Node*>& nodes) {
  for (Node* node : nodes) Take(node);
}

Node* Patch::Add(const std::string& op, const std::string& domain, int since_version, std::vector<ValueInfo*> inputs,
                 const std::vector<const Node*>& origins) {
  Node* node = made_.emplace_back(std::make_unique<Node>()).get();
  node->name = like_->name;
  node->op_type = op;
  node->domain = domain;
  node->since_version = since_version != 0 ? since_version : StandardVersion(context_->model, op);
  node->provider = like_->provider;
  node->inputs = std::move(inputs);
  for (const Node* origin : origins) AppendOrigins(*origin, node->origins);
  if (origins.empty()) for_all_.insert(node);
  return node;
}

ValueInfo* Patch::Make(const std::string& op, const std::string& domain, int since_version,
                       std::vector<ValueInfo*> inputs, TypeInfo type, const std::vector<const Node*>& origins) {
  Node* node = Add(op, domain, since_version, std::move(inputs), origins);
  ValueInfo* output = Fresh(like_->name.empty() ? op : like_->name, std::move(type));
  SetOutput(node, 0, output);
  return output;
}

Node* Patch::Copy(const Node& node) {
  Node* copy = Add(node.op_type, node.domain, node.since_version, node.inputs, {&node});
  copy->name = node.name;
  copy->provider = node.provider;
  copy->attributes = node.attributes;
  copy->origins = node.origins;
  return copy;
}

Node* Patch::Move(const Node& node) {
  Node* copy = Copy(node);
  moved_.insert(copy);
  return copy;
}

ValueInfo* Patch::Fresh(const std::string& prefix, TypeInfo type) {
  ValueInfo* value = values_.emplace_back(std::make_unique<ValueInfo>()).get();
  value->name = prefix;
  value->type = std::move(type);
  fresh_.insert(value);
  return value;
}

ValueInfo* Patch::Constant(const std::string& prefix, Value tensor) {
  ValueInfo* value = Fresh(prefix, tensor.TypeOf());
  value->initializer = std::make_shared<const Value>(std::move(tensor));
  return value;
}

void Patch::SetInput(Node* made, size_t index, ValueInfo* value) {
  if (made->inputs.size() <= index) made->inputs.resize(index + 1, nullptr);
  made->inputs[index] = value;
}

void Patch::SetOutput(Node* made, size_t index, ValueInfo* value) {
  if (made->outputs.size() <= index) made->outputs.resize(index + 1, nullptr);
  if (ValueInfo* former = made->outputs[index]; former != nullptr && former->producer == made) {
    former->producer = nullptr;  // a new value that is not needed after all
  }
  made->outputs[index] = value;
  if (value == nullptr) return;
  if (fresh_.count(value) == 0) {
    kept_[value] = made;
  } else {
    value->producer = made;
    value->producer_output = index;
  }
}

void Patch::Become(ValueInfo* value, std::shared_ptr<const Value> constant,
                   std::shared_ptr<const ExternalInitializerInfo> external) {
  constants_.push_back({value, std::move(constant), std::move(external)});
}

std::string Patch::Refusal() const {
  for (const Node* node : taken_) {
    if (node->provider != taken_[0]->provider) {
      return Concat(node->Describe(), " is on provider '", node->provider, "', ", taken_[0]->Describe(), " on '",
                    taken_[0]->provider, "'");
    }
  }
  for (const auto& [value, maker] : kept_) {
    if (value->producer == nullptr || !Takes(value->producer)) return Concat("another node makes '", value->name, "'");
  }
  for (const auto& [from, to] : redirected_) {
    if (std::string why = RedirectRefusal(*from, *to); !why.empty()) return why;
  }
  for (const Node* node : taken_) {
    for (const ValueInfo* output : node->outputs) {
      if (output == nullptr) continue;
      if (std::string why = OpenResult(*output); !why.empty()) return why;
    }
  }
  for (const auto& node : made_) {
    if (std::string why = InputRefusal(*node); !why.empty()) return why;
    const OperatorSchema* schema = FindSchema(node->domain, node->op_type, node->since_version);
    if (schema == nullptr || moved_.count(node.get()) != 0) continue;
    try {
      CheckNode(*node, *schema);
    } catch (const Error& error) {
      return error.what();
    }
  }
  if (std::string why = KernelRefusal(); !why.empty()) return why;
  return NeedsItself() ? "a node would need its own result" : "";
}

std::string Patch::OpenResult(const ValueInfo& value) const {
  if (kept_.count(&value) != 0) return "";
  const bool redirected = std::any_of(redirected_.begin(), redirected_.end(),
                                      [&](const auto& redirect) { return redirect.first == &value; });
  if (redirected) return "";
  if (value.is_output) return Concat("'", value.name, "' is an output of the graph");
  if (std::any_of(constants_.begin(), constants_.end(), [&](const auto& one) { return one.value == &value; }))
    return "";
  for (const Use& use : value.uses) {
    if (!Takes(use.node)) return Concat("'", value.name, "' is read by ", use.node->Describe());
  }
  return "";
}

std::string Patch::RedirectRefusal(const ValueInfo& from, const ValueInfo& to) const {
  if (&from == &to || from.producer == nullptr || !Takes(from.producer)) {
    return Concat("another node makes '", from.name, "'");
  }
  if (IsCaptured(from)) return Concat("a subgraph reads '", from.name, "'");
  const bool made = fresh_.count(&to) != 0 || kept_.count(&to) != 0;
  if (!made && (!IsAlive(to) || (to.producer != nullptr && Takes(to.producer)))) {
    return Concat("nobody makes '", to.name, "'");
  }
  // A graph output keeps its name: the maker of `to` makes it instead.
  if (from.is_output && (to.producer == nullptr || to.is_output || to.outer != nullptr || IsCaptured(to))) {
    return Concat("'", from.name, "' is an output of the graph and cannot be another name of '", to.name, "'");
  }
  return "";
}

std::string Patch::InputRefusal(const Node& made) const {
  for (const ValueInfo* input : made.inputs) {
    if (input == nullptr || kept_.count(input) != 0) continue;
    const bool fresh = fresh_.count(input) != 0;
    if (fresh ? input->producer != nullptr || input->initializer != nullptr
              : IsAlive(*input) && (input->producer == nullptr || !Takes(input->producer))) {
      continue;
    }
    return Concat("nobody makes '", input->name, "', which ", made.Describe(), " reads");
  }
  return "";
}

std::string Patch::KernelRefusal() const {
  const KernelLookup& kernels = context_->kernels;
  const auto refuse = [](const std::string& provider, const Node& node) {
    return Concat("provider '", provider, "' has no kernel for ", node.Describe(), " in these types");
  };
  if (!like_->provider.empty()) {
    for (const auto& node : made_) {
      if (!kernels.Serves(node->provider, *node)) return refuse(node->provider, *node);
    }
    return "";
  }
  std::vector<const Node*> asked;
  for (const auto& node : made_) {
    if (moved_.count(node.get()) == 0) asked.push_back(node.get());
  }
  if (asked.empty()) return "";
  bool one_serves_all = false, one_serves_some = false;
  for (const std::string& provider : kernels.Providers()) {
    const auto serves = [&](const Node* node) { return kernels.Serves(provider, *node); };
    one_serves_some = one_serves_some || std::any_of(taken_.begin(), taken_.end(), serves);
    if (!std::all_of(taken_.begin(), taken_.end(), serves)) continue;
    one_serves_all = true;
    for (const Node* node : asked) {
      if (!serves(node)) return refuse(provider, *node);
    }
  }
  if (one_serves_all || !one_serves_some) return "";
  // The old nodes are spread over providers: the new ones need some provider each.
  for (const Node* node : asked) {
    const std::vector<std::string> all = kernels.Providers();
    if (std::none_of(all.begin(), all.end(), [&](const auto& provider) { return kernels.Serves(provider, *node); })) {
      return refuse("of any kind", *node);
    }
  }
  return "";
}

bool Patch::NeedsItself() const {
  // With one result, everything that is read was needed for it before.
  if (made_.empty() || kept_.size() + redirected_.size() < 2) return false;
  const auto maker_of = [this](const ValueInfo* value) -> const Node* {
    for (const auto& [from, to] : redirected_) {
      if (from == value) value = to;
    }
    const auto kept = kept_.find(value);
    return kept != kept_.end() ? kept->second : value->producer;
  };
  enum class State { kOpen, kDone };
  std::unordered_map<const Node*, State> states;
  struct Visit {
    const Node* node;
    size_t next;
  };
  std::vector<Visit> path;
  for (const auto& start : made_) {
    if (states.count(start.get()) != 0) continue;
    path.push_back({start.get(), 0});
    states[start.get()] = State::kOpen;
    while (!path.empty()) {
      Visit& visit = path.back();
      const size_t explicit_inputs = visit.node->inputs.size();
      if (visit.next == explicit_inputs + visit.node->implicit_inputs.size()) {
        states[visit.node] = State::kDone;
        path.pop_back();
        continue;
      }
      const size_t at = visit.next++;
      const ValueInfo* value =
          at < explicit_inputs ? visit.node->inputs[at] : visit.node->implicit_inputs[at - explicit_inputs];
      const Node* maker = value == nullptr ? nullptr : maker_of(value);
      if (maker == nullptr) continue;
      const auto [place, added] = states.emplace(maker, State::kOpen);
      if (added) {
        path.push_back({maker, 0});
      } else if (place->second == State::kOpen) {
        return true;
      }
    }
  }
  return false;
}

}  // namespace ortrun
