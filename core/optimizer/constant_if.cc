// SPDX-License-Identifier: Apache-2.0
// An If whose condition is a constant: the nodes of the branch that is taken move into the graph.
#include <unordered_map>

#include "core/optimizer/match.h"
#include "core/optimizer/passes.h"

namespace ortrun {

namespace {

Graph* TakenBranch(const Node& node) {
  const Value* condition = ConstantOf(Input(&node, 0));
  if (condition == nullptr || condition->type() != ONNX_TENSOR_ELEMENT_DATA_TYPE_BOOL ||
      condition->tensor().count != 1) {
    return nullptr;
  }
  const char* wanted = *static_cast<const bool*>(condition->tensor().data) ? "then_branch" : "else_branch";
  for (const auto& [name, body] : node.subgraphs) {
    if (name == wanted) return body.get();
  }
  return nullptr;
}

/// Only bodies without bodies of their own, whose outputs are made inside or are read from outside.
bool CanMove(const Node& node, const Graph& body) {
  if (!body.inputs().empty() || body.outputs().size() != node.outputs.size()) return false;
  for (const auto& inner : body.nodes()) {
    if (!inner->subgraphs.empty()) return false;
  }
  for (size_t i = 0; i < node.outputs.size(); ++i) {
    if (node.outputs[i] == nullptr) continue;
    for (const Use& use : node.outputs[i]->uses) {
      if (use.index < 0) return false;
    }
    for (size_t j = 0; j < i; ++j) {
      if (body.outputs()[i] == body.outputs()[j]) return false;
    }
  }
  return true;
}

bool Inline(Rewriter& rewriter, Node& node) {
  Graph* body = TakenBranch(node);
  if (body == nullptr || !CanMove(node, *body)) return false;
  body->Sort();
  Patch patch = rewriter.Start(node);
  patch.Take(&node);
  std::unordered_map<const ValueInfo*, ValueInfo*> moved;
  for (const auto& value : body->values()) {
    if (value->outer != nullptr) {
      moved[value.get()] = value->outer;
    } else {
      ValueInfo* made = patch.Fresh(value->name, value->type);
      made->initializer = value->initializer;
      made->external = value->external;
      moved[value.get()] = made;
    }
  }
  for (const auto& inner : body->nodes()) {
    Node* made = patch.Move(*inner);
    for (ValueInfo*& input : made->inputs) {
      if (input != nullptr) input = moved.at(input);
    }
    for (size_t i = 0; i < inner->outputs.size(); ++i) {
      patch.SetOutput(made, i, inner->outputs[i] == nullptr ? nullptr : moved.at(inner->outputs[i]));
    }
  }
  for (size_t i = 0; i < node.outputs.size(); ++i) {
    if (node.outputs[i] == nullptr) continue;
    // An Identity keeps the name; the next pass drops it where it is not needed.
    patch.SetOutput(patch.Add("Identity", "", 0, {moved.at(body->outputs()[i])}), 0, node.outputs[i]);
  }
  return rewriter.Apply(patch);
}

void Run(Rewriter& rewriter) {
  rewriter.ForEach([&](Node& node) { return node.Is("If") && Inline(rewriter, node); });
}

}  // namespace

std::unique_ptr<Pass> MakeConstantIf() { return MakePass("constant_if", PassStage::kPortable, ORT_ENABLE_BASIC, Run); }

}  // namespace ortrun
