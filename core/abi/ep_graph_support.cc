// SPDX-License-Identifier: Apache-2.0
#include "core/abi/fill.h"
#include "core/abi/guard.h"
#include "core/execution/kernel_info.h"
#include "core/providers/partitioner.h"

namespace ortrun::abi {
namespace {

OrtStatus* EpGraphSupportInfo_AddNodesToFuse(OrtEpGraphSupportInfo* graph_support_info, const OrtNode* const* nodes,
                                             size_t num_nodes, const OrtNodeFusionOptions* node_fusion_options) {
  return Guard({{"graph_support_info", graph_support_info}, {"nodes", nodes}}, [&] {
    Require(num_nodes != 0, "EpGraphSupportInfo_AddNodesToFuse: there are no nodes");
    for (size_t i = 0; i < num_nodes; ++i)
      Require(nodes[i] != nullptr, "EpGraphSupportInfo_AddNodesToFuse: node ", i, " is null");
    OrtEpGraphSupportInfo::Group group;
    group.nodes.assign(nodes, nodes + num_nodes);
    group.compile = true;
    group.drop_constants = node_fusion_options != nullptr && node_fusion_options->drop_constant_initializers;
    graph_support_info->groups.push_back(std::move(group));
  });
}

OrtStatus* EpGraphSupportInfo_AddSingleNode(OrtEpGraphSupportInfo* graph_support_info, const OrtNode* node) {
  return Guard({{"graph_support_info", graph_support_info}, {"node", node}}, [&] {
    OrtEpGraphSupportInfo::Group group;
    group.nodes.push_back(node);
    graph_support_info->groups.push_back(std::move(group));
  });
}

OrtStatus* EpGraphSupportInfo_LookUpKernel(OrtEpGraphSupportInfo* graph_support_info, const OrtNode* node,
                                           const OrtKernelDef** out_kernel_def) {
  return Guard({{"graph_support_info", graph_support_info}, {"node", node}, {"out_kernel_def", out_kernel_def}},
               [&] { *out_kernel_def = graph_support_info->LookUpKernel(node); });
}

const char* NodeComputeContext_NodeName(const OrtNodeComputeContext* context) noexcept {
  return IfAny(context, [](const OrtNodeComputeContext& c) { return c.node_name.c_str(); });
}

}  // namespace

void FillEpGraphSupport(OrtEpApi& api) {
  api.EpGraphSupportInfo_AddNodesToFuse = EpGraphSupportInfo_AddNodesToFuse;
  api.EpGraphSupportInfo_AddSingleNode = EpGraphSupportInfo_AddSingleNode;
  api.EpGraphSupportInfo_LookUpKernel = EpGraphSupportInfo_LookUpKernel;
  api.NodeComputeContext_NodeName = NodeComputeContext_NodeName;
}

}  // namespace ortrun::abi
