// SPDX-License-Identifier: Apache-2.0
#include "core/graph/body_check.h"

#include <algorithm>
#include <string>

#include "ortrun/error.h"

namespace ortrun {
namespace {

/// One body of a node, whose values stand for the node's.
class BodyCheck {
 public:
  BodyCheck(const Node& node, const std::string& attribute, const Graph& body)
      : node_(node), attribute_(attribute), body_(body) {}

  void RequireInputs(size_t count) const {
    if (body_.inputs().size() != count)
      Refuse(Concat(" gives its ", attribute_, " ", count, " inputs, which takes ", body_.inputs().size()));
  }

  /// `kept` are the body's first outputs that the node does not hand out. A node may leave out its last outputs, except
  /// where `exact` is set.
  void RequireOutputs(size_t kept, bool exact) const {
    const size_t given = body_.outputs().size();
    const size_t wanted = node_.outputs.size() + kept;
    if (given < wanted || (exact && given != wanted))
      Refuse(Concat(": its ", attribute_, " gives ", given, " outputs but ", wanted, " are taken"));
  }

  void InputStandsFor(size_t body_input, size_t node_input) const {
    Compare("input", node_.inputs[node_input], body_.inputs()[body_input], "takes");
  }

  void OutputStandsFor(size_t body_output, size_t node_output) const {
    Compare("output", node_.outputs[node_output], body_.outputs()[body_output], "gives");
  }

 private:
  [[noreturn]] void Refuse(const std::string& what) const {
    throw Error(ORT_INVALID_GRAPH, Concat("This is an invalid model. Error: ", node_.Describe(), what));
  }

  void Compare(const char* place, const ValueInfo* own, const ValueInfo* inner, const char* verb) const {
    if (own == nullptr || !own->type.IsKnown() || !inner->type.IsKnown() || own->type.SameKind(inner->type)) return;
    // What a body gives or takes may be what the other side's optional holds.
    if (own->type.kind == ONNX_TYPE_OPTIONAL || inner->type.kind == ONNX_TYPE_OPTIONAL) return;
    throw Error(ORT_FAIL, Concat("This is an invalid model. Type Error: ", place, " '", own->name, "' of ",
                                 node_.Describe(), " is ", TypeName(own->type), " but its ", attribute_, " ", verb, " ",
                                 TypeName(inner->type), " ('", inner->name, "') in that place"));
  }

  const Node& node_;
  const std::string& attribute_;
  const Graph& body_;
};

void CheckIf(const Node& node) {
  for (const auto& [attribute, body] : node.subgraphs) {
    const BodyCheck check(node, attribute, *body);
    check.RequireInputs(0);
    check.RequireOutputs(0, true);
    for (size_t i = 0; i < node.outputs.size(); ++i) check.OutputStandsFor(i, i);
  }
}

/// Inputs are the trip count, the condition and the carried values; the body gives the next condition first.
void CheckLoop(const Node& node) {
  for (const auto& [attribute, body] : node.subgraphs) {
    const BodyCheck check(node, attribute, *body);
    check.RequireInputs(std::max<size_t>(node.inputs.size(), 2));
    check.RequireOutputs(1, false);
    for (size_t i = 2; i < node.inputs.size(); ++i) check.InputStandsFor(i, i);
    for (size_t i = 0; i < node.outputs.size(); ++i) check.OutputStandsFor(i + 1, i);
  }
}

void CheckScan(const Node& node) {
  const size_t lengths = node.since_version < 9 ? 1 : 0;  // the first version was given the sequences' lengths too
  if (node.inputs.size() < lengths) return;
  for (const auto& [attribute, body] : node.subgraphs) {
    const BodyCheck check(node, attribute, *body);
    check.RequireInputs(node.inputs.size() - lengths);
    check.RequireOutputs(0, false);
    for (size_t i = lengths; i < node.inputs.size(); ++i) check.InputStandsFor(i - lengths, i);
    for (size_t i = 0; i < node.outputs.size(); ++i) check.OutputStandsFor(i, i);
  }
}

}  // namespace

void CheckBodies(const Node& node) {
  if (node.Is("If")) CheckIf(node);
  if (node.Is("Loop")) CheckLoop(node);
  if (node.Is("Scan")) CheckScan(node);
}

}  // namespace ortrun
