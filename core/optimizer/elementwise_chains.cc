// SPDX-License-Identifier: Apache-2.0
// Trees of elementwise operators of one floating type and one shape become one ortrun.ElementwiseChain, which runs them
// in one pass over memory. A chain grows from its last node up and takes a node in only when all who read it are
// inside, so the graph stays free of cycles.
#include <algorithm>
#include <map>
#include <queue>
#include <set>

#include "core/optimizer/activation.h"
#include "core/optimizer/passes.h"
#include "core/optimizer/symbolic_shape.h"

namespace ortrun {

namespace {

constexpr size_t kMostOperators = 32;
constexpr size_t kMostInputs = 16;

/// One operator of a chain as the kernel names it. Operators of more than two inputs are folded from the left.
struct Step {
  std::string op;
  size_t operands = 1;
  float p0 = 0, p1 = 0;
};

std::optional<Step> StepOf(Node* node) {
  static const std::set<std::string> unary = {"Neg",   "Abs",  "Sqrt",     "Reciprocal", "Exp",  "Log", "Erf",
                                              "Floor", "Ceil", "Softplus", "Round",      "Sign", "Sin", "Cos"};
  static const std::set<std::string> binary = {"Add", "Sub", "Mul", "Div", "Pow"};
  static const std::set<std::string> variadic = {"Max", "Min", "Sum"};
  if (node->outputs.size() != 1 || node->outputs[0] == nullptr || node->inputs.empty()) return std::nullopt;
  if (node->domain.empty()) {
    const size_t inputs = node->inputs.size();
    if (unary.count(node->op_type) != 0 && inputs == 1) return Step{node->op_type, 1};
    if (binary.count(node->op_type) != 0 && inputs == 2) return Step{node->op_type, 2};
    if (variadic.count(node->op_type) != 0 && inputs >= 2 && inputs <= 4) {
      return Step{node->op_type == "Sum" ? "Add" : node->op_type, inputs};
    }
    if (node->op_type == "Elu") return Step{"Elu", 1, node->Float("alpha", 1)};
  }
  if (const auto activation = AsActivation(node)) {
    Step step{activation->name, 1};
    if (!activation->params.empty()) step.p0 = activation->params[0];
    if (activation->params.size() > 1) step.p1 = activation->params[1];
    return step;
  }
  return std::nullopt;
}

class Chains {
 public:
  explicit Chains(Rewriter& rewriter) : rewriter_(rewriter), shapes_(rewriter.graph(), rewriter.context().names) {
    size_t order = 0;
    for (const auto& node : rewriter.graph().nodes()) order_[node.get()] = order++;
  }

  bool Rewrite(Node& sink) {
    if (!Suits(&sink)) return false;
    const std::vector<Node*> chain = Grow(sink);
    return chain.size() >= 2 && Build(chain, sink);
  }

 private:
  bool Suits(Node* node) const {
    const auto step = StepOf(node);
    if (!step) return false;
    const ElementType type = TypeOf(node->outputs[0]);
    for (size_t i = 0; i < step->operands; ++i) {
      if (node->inputs[i] == nullptr || TypeOf(node->inputs[i]) != type) return false;
    }
    return IsFloating(type) && shapes_.Rank(node->outputs[0]) >= 0;
  }

  static void Count(const Node* node, std::set<const ValueInfo*>& inputs, size_t& operators) {
    const size_t operands = StepOf(const_cast<Node*>(node))->operands;
    inputs.erase(node->outputs[0]);
    for (size_t i = 0; i < operands; ++i) inputs.insert(node->inputs[i]);
    operators += operands > 1 ? operands - 1 : 1;
  }

  /// The nodes of the chain that ends in `sink`, in topological order.
  std::vector<Node*> Grow(Node& sink) const {
    std::map<size_t, Node*> chain = {{order_.at(&sink), &sink}};
    std::set<const ValueInfo*> inputs;
    size_t operators = 0;
    Count(&sink, inputs, operators);
    std::priority_queue<std::pair<size_t, Node*>> candidates;
    const auto offer = [&](const Node* node) {
      for (const ValueInfo* input : node->inputs) {
        Node* producer = input == nullptr ? nullptr : input->producer;
        if (producer != nullptr && order_.count(producer) != 0) candidates.emplace(order_.at(producer), producer);
      }
    };
    offer(&sink);
    while (!candidates.empty()) {
      const auto [order, node] = candidates.top();
      candidates.pop();
      if (chain.count(order) != 0 || node->provider != sink.provider || !Suits(node)) continue;
      const ValueInfo* result = node->outputs[0];
      if (TypeOf(result) != TypeOf(sink.outputs[0])) continue;
      if (result->is_output || !shapes_.SameShape(result, sink.outputs[0])) continue;
      bool inside = true;
      for (const Use& use : result->uses) {
        const auto place = use.index < 0 ? order_.end() : order_.find(use.node);
        inside = inside && place != order_.end() && chain.count(place->second) != 0;
      }
      if (!inside) continue;
      std::set<const ValueInfo*> more = inputs;
      size_t count = operators;
      Count(node, more, count);
      if (count > kMostOperators || more.size() > kMostInputs) continue;
      inputs = std::move(more);
      operators = count;
      chain.emplace(order, node);
      offer(node);
    }
    std::vector<Node*> nodes;
    for (const auto& [order, node] : chain) nodes.push_back(node);
    return nodes;
  }

  bool Build(const std::vector<Node*>& chain, Node& sink) {
    std::vector<ValueInfo*> inputs;
    std::set<const ValueInfo*> made_inside;
    for (const Node* node : chain) made_inside.insert(node->outputs[0]);
    for (Node* node : chain) {
      for (size_t i = 0; i < StepOf(node)->operands; ++i) {
        ValueInfo* input = node->inputs[i];
        if (made_inside.count(input) == 0 && std::find(inputs.begin(), inputs.end(), input) == inputs.end()) {
          inputs.push_back(input);
        }
      }
    }
    std::map<const ValueInfo*, int64_t> place;
    for (size_t i = 0; i < inputs.size(); ++i) place[inputs[i]] = static_cast<int64_t>(i);
    std::vector<std::string> ops;
    std::vector<int64_t> args;
    std::vector<float> params;
    const auto add = [&](const Step& step, int64_t first, int64_t second) {
      ops.push_back(step.op);
      args.insert(args.end(), {first, second, -1});
      params.insert(params.end(), {step.p0, step.p1});
      return static_cast<int64_t>(inputs.size() + ops.size() - 1);
    };
    for (Node* node : chain) {
      const Step step = *StepOf(node);
      int64_t result = place.at(node->inputs[0]);
      if (step.operands == 1) result = add(step, result, -1);
      for (size_t i = 1; i < step.operands; ++i) result = add(step, result, place.at(node->inputs[i]));
      place[node->outputs[0]] = result;
    }
    Patch patch = rewriter_.Start(sink);
    patch.Take(chain);
    Node* made = patch.Add("ElementwiseChain", "ortrun", 1, inputs);
    SetAttribute(made, "ops", ops);
    SetAttribute(made, "args", args);
    SetAttribute(made, "params", params);
    patch.SetOutput(made, 0, sink.outputs[0]);
    if (!rewriter_.Apply(patch)) return false;
    for (const Node* node : chain) order_.erase(node);
    return true;
  }

  Rewriter& rewriter_;
  const ShapeAnalysis shapes_;
  std::unordered_map<const Node*, size_t> order_;
};

void Run(Rewriter& rewriter) {
  Chains chains(rewriter);
  rewriter.ForEach([&](Node& node) { return chains.Rewrite(node); }, true);
}

}  // namespace

std::unique_ptr<Pass> MakeElementwiseChains() {
  return MakePass("elementwise_chains", PassStage::kProvider, ORT_ENABLE_EXTENDED, Run);
}

}  // namespace ortrun
