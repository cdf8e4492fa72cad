// SPDX-License-Identifier: Apache-2.0
#include "core/graph/type_check.h"

#include <algorithm>
#include <map>

#include "core/base/nearest.h"
#include "ortrun/error.h"

namespace ortrun {
namespace {

/// The text of a type as schemas write it, or "" while something of it is unknown.
std::string KnownName(const TypeInfo& type) {
  switch (type.kind) {
    case ONNX_TYPE_TENSOR:
    case ONNX_TYPE_SPARSETENSOR:
      return type.tensor.type == ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED ? "" : TypeName(type);
    case ONNX_TYPE_SEQUENCE:
      return KnownName(type.sequence->element).empty() ? "" : TypeName(type);
    case ONNX_TYPE_OPTIONAL:
      return KnownName(type.optional->contained).empty() ? "" : TypeName(type);
    case ONNX_TYPE_MAP:
      return KnownName(type.map->value).empty() ? "" : TypeName(type);
    default:
      return "";
  }
}

/// Whether schemas' texts allow a type. Those of sequences and the like are compared by their outermost kind only.
bool Allows(const std::vector<std::string>& allowed, const TypeInfo& type, const std::string& name) {
  const bool whole = type.kind == ONNX_TYPE_TENSOR;
  const std::string kind = name.substr(0, name.find('(') + 1);
  return std::any_of(allowed.begin(), allowed.end(), [&](const std::string& text) {
    return whole ? text == name : text.compare(0, kind.size(), kind) == 0;
  });
}

class NodeTypes {
 public:
  NodeTypes(const Node& node, const OperatorSchema& schema) : node_(node), schema_(schema) {}

  void Check() {
    for (size_t i = 0; i < node_.inputs.size(); ++i) Check(node_.inputs[i], schema_.Input(i), "input");
    for (size_t i = 0; i < node_.outputs.size(); ++i) Check(node_.outputs[i], schema_.Output(i), "output");
  }

 private:
  void Check(const ValueInfo* value, const SchemaParameter* formal, const char* what) {
    if (value == nullptr || formal == nullptr) return;
    const std::string name = KnownName(value->type);
    if (name.empty()) return;
    const auto constraint = std::find_if(schema_.constraints.begin(), schema_.constraints.end(),
                                         [&](const auto& candidate) { return candidate.name == formal->type; });
    const bool fixed = constraint == schema_.constraints.end();
    // The lists of operators outside the standard say what is known to be used, not all that may be.
    const bool standard = node_.domain.empty() || node_.domain == "ai.onnx.ml";
    const std::vector<std::string> allowed = fixed ? std::vector<std::string>{formal->type} : constraint->allowed;
    if (standard && !Allows(allowed, value->type, name))
      throw Error(ORT_INVALID_GRAPH,
                  Concat("This is an invalid model. Type Error: Type '", name, "' of ", what, " '", value->name, "' (",
                         formal->name, ") of ", node_.Describe(), " is invalid; it takes ", Join(allowed)));
    // Values that go through a body may be of any types.
    if (fixed || (formal->variadic && !node_.subgraphs.empty())) return;
    const auto [bound, fresh] = bound_.try_emplace(formal->type, &value->name, name);
    if (!fresh && bound->second.second != name)
      throw Error(ORT_INVALID_GRAPH,
                  Concat("This is an invalid model. Type Error: Type parameter (", formal->type, ") of ",
                         node_.Describe(), " is bound to different types: ", bound->second.second, " for '",
                         *bound->second.first, "' and ", name, " for '", value->name, "'; cast one of them"));
  }

  const Node& node_;
  const OperatorSchema& schema_;
  std::map<std::string, std::pair<const std::string*, std::string>> bound_;  ///< by type parameter: value, type
};

/// If gives what a branch gives; Loop leaves out the body's condition; Scan may stack, which changes the shape alone.
void CheckBodies(const Node& node) {
  if (!node.domain.empty() || node.subgraphs.empty()) return;
  const size_t skipped = node.Is("Loop") ? 1 : 0;
  for (const auto& [attribute, body] : node.subgraphs) {
    const auto& given = body->outputs();
    if (given.size() < node.outputs.size() + skipped || (node.Is("If") && given.size() != node.outputs.size()))
      throw Error(ORT_FAIL,
                  Concat("This is an invalid model. ", node.Describe(), " has ", node.outputs.size(),
                         " outputs but its ", attribute, " gives ", given.size() - std::min(skipped, given.size())));
    for (size_t i = 0; i < node.outputs.size(); ++i) {
      if (node.outputs[i] == nullptr) continue;
      const ValueInfo& inner = *given[i + skipped];
      const std::string wanted = KnownName(node.outputs[i]->type);
      const std::string made = KnownName(inner.type);
      const bool optional = node.outputs[i]->type.kind == ONNX_TYPE_OPTIONAL || inner.type.kind == ONNX_TYPE_OPTIONAL;
      if (wanted.empty() || made.empty() || optional || wanted == made) continue;
      throw Error(ORT_FAIL, Concat("This is an invalid model. Type Error: output '", node.outputs[i]->name, "' of ",
                                   node.Describe(), " is ", wanted, " but its ", attribute, " gives ", made, " ('",
                                   inner.name, "')"));
    }
  }
}

}  // namespace

void CheckTypes(const Graph& graph, const std::function<const OperatorSchema*(const Node&)>& schema_of) {
  for (const auto& node : graph.nodes()) {
    for (const auto& body : node->subgraphs) CheckTypes(*body.second, schema_of);
    CheckBodies(*node);
    if (const OperatorSchema* schema = schema_of(*node)) NodeTypes(*node, *schema).Check();
  }
}

}  // namespace ortrun
