// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "core/abi/array_argument.h"
#include "core/abi/fill.h"
#include "core/abi/guard.h"
#include "core/graph/graph.h"

namespace ortrun::abi {
namespace {

OrtStatus* Node_GetId(const OrtNode* node, size_t* node_id) {
  return Guard({{"node", node}, {"node_id", node_id}}, [&] { *node_id = node->id; });
}

OrtStatus* Node_GetName(const OrtNode* node, const char** node_name) {
  return Guard({{"node", node}, {"node_name", node_name}}, [&] { *node_name = node->name.c_str(); });
}

OrtStatus* Node_GetOperatorType(const OrtNode* node, const char** operator_type) {
  return Guard({{"node", node}, {"operator_type", operator_type}}, [&] { *operator_type = node->op_type.c_str(); });
}

OrtStatus* Node_GetDomain(const OrtNode* node, const char** domain_name) {
  return Guard({{"node", node}, {"domain_name", domain_name}}, [&] { *domain_name = node->domain.c_str(); });
}

OrtStatus* Node_GetSinceVersion(const OrtNode* node, int* since_version) {
  return Guard({{"node", node}, {"since_version", since_version}}, [&] { *since_version = node->since_version; });
}

// Omitted inputs and outputs are null in these lists, so they are copied as they are.
void CopyValues(const std::vector<OrtValueInfo*>& values, const OrtValueInfo** out, size_t room) {
  Require(room >= values.size(), "the array holds ", room, " entries, ", values.size(), " are needed");
  std::copy(values.begin(), values.end(), out);
}

template <std::vector<OrtValueInfo*> OrtNode::*kList>
OrtStatus* CountOf(const OrtNode* node, size_t* out) {
  return Guard(
      {{"node", node}, {"out", out}}, [&] { *out = (node->*kList).size(); }, "Node_GetNum");
}

template <std::vector<OrtValueInfo*> OrtNode::*kList>
OrtStatus* ValuesOf(const OrtNode* node, const OrtValueInfo** out, size_t count) {
  return Guard(
      {{"node", node}, Array("out", out, count)}, [&] { CopyValues(node->*kList, out, count); }, "Node_Get");
}

OrtStatus* Node_GetNumAttributes(const OrtNode* node, size_t* num_attributes) {
  return Guard({{"node", node}, {"num_attributes", num_attributes}},
               [&] { *num_attributes = node->attributes.size(); });
}

OrtStatus* Node_GetAttributes(const OrtNode* node, const OrtOpAttr** attributes, size_t num_attributes) {
  return Guard({{"node", node}, Array("attributes", attributes, num_attributes)}, [&] {
    Require(num_attributes >= node->attributes.size(), "the array holds ", num_attributes, " entries, ",
            node->attributes.size(), " are needed");
    for (const OrtOpAttr& attribute : node->attributes) *attributes++ = &attribute;
  });
}

OrtStatus* Node_GetAttributeByName(const OrtNode* node, const char* attribute_name, const OrtOpAttr** attribute) {
  return Guard({{"node", node}, {"attribute_name", attribute_name}, {"attribute", attribute}}, [&] {
    *attribute = node->Attribute(attribute_name);
    if (*attribute == nullptr)
      throw Error(ORT_NOT_FOUND, Concat("Node attribute does not exist: '", attribute_name, "' of ", node->Describe()));
  });
}

OrtStatus* Node_GetNumSubgraphs(const OrtNode* node, size_t* num_subgraphs) {
  return Guard({{"node", node}, {"num_subgraphs", num_subgraphs}}, [&] { *num_subgraphs = node->subgraphs.size(); });
}

OrtStatus* Node_GetSubgraphs(const OrtNode* node, const OrtGraph** subgraphs, size_t num_subgraphs,
                             const char** attribute_names) {
  return Guard({{"node", node}, Array("subgraphs", subgraphs, num_subgraphs)}, [&] {
    Require(num_subgraphs >= node->subgraphs.size(), "the array holds ", num_subgraphs, " entries, ",
            node->subgraphs.size(), " are needed");
    for (const auto& [name, body] : node->subgraphs) {
      *subgraphs++ = body.get();
      if (attribute_names != nullptr) *attribute_names++ = name.c_str();
    }
  });
}

OrtStatus* Node_GetGraph(const OrtNode* node, const OrtGraph** graph) {
  return Guard({{"node", node}, {"graph", graph}}, [&] { *graph = node->graph; });
}

OrtStatus* Node_GetEpName(const OrtNode* node, const char** out) {
  return Guard({{"node", node}, {"out", out}}, [&] { *out = node->provider.c_str(); });
}

}  // namespace

void FillNode(OrtApi& api) {
  api.Node_GetId = Node_GetId;
  api.Node_GetName = Node_GetName;
  api.Node_GetOperatorType = Node_GetOperatorType;
  api.Node_GetDomain = Node_GetDomain;
  api.Node_GetSinceVersion = Node_GetSinceVersion;
  api.Node_GetNumInputs = CountOf<&OrtNode::inputs>;
  api.Node_GetInputs = ValuesOf<&OrtNode::inputs>;
  api.Node_GetNumOutputs = CountOf<&OrtNode::outputs>;
  api.Node_GetOutputs = ValuesOf<&OrtNode::outputs>;
  api.Node_GetNumImplicitInputs = CountOf<&OrtNode::implicit_inputs>;
  api.Node_GetImplicitInputs = ValuesOf<&OrtNode::implicit_inputs>;
  api.Node_GetNumAttributes = Node_GetNumAttributes;
  api.Node_GetAttributes = Node_GetAttributes;
  api.Node_GetAttributeByName = Node_GetAttributeByName;
  api.Node_GetNumSubgraphs = Node_GetNumSubgraphs;
  api.Node_GetSubgraphs = Node_GetSubgraphs;
  api.Node_GetGraph = Node_GetGraph;
  api.Node_GetEpName = Node_GetEpName;
  api.ReleaseNode = Delete<OrtNode>;
}

}  // namespace ortrun::abi
