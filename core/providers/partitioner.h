// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/graph/graph.h"
#include "core/optimizer/pass.h"
#include "core/providers/custom_ops.h"
#include "core/providers/device.h"
#include "core/providers/environment.h"
#include "core/providers/kernel_registry.h"

namespace ortrun {

/// A provider at work in one session: its OrtEp with what the session needs of it. Released with the session.
struct Provider {
  std::string name;
  KeyValuePairs options;
  OrtEpFactory* factory = nullptr;
  OrtEp* ep = nullptr;
  std::vector<const EpDevice*> devices;
  const OrtKernelRegistry* registry = nullptr;  ///< nullptr for a provider that only compiles
  MemoryInfo memory;                            ///< where its kernels take inputs and make outputs by default
  MemoryInfo initializer_memory;
  std::shared_ptr<OrtAllocator> allocator;
  bool stream_aware = false;
  bool concurrent_runs = true;

  Provider() = default;
  Provider(const Provider&) = delete;
  Provider& operator=(const Provider&) = delete;
  ~Provider();
};

/// Makes the providers that a session asks for by name, by device or through its selection policy, in order; then, or
/// without a request, the discovered ones that work on the CPU's own memory.
/// Throws Error(ORT_FAIL) naming the folders searched and what was found there, or with the nearest valid name.
std::vector<std::unique_ptr<Provider>> CreateProviders(Environment& env, const SessionOptions& options,
                                                       const Model& model, const Logger& logger);

/// Why a provider did not take a node.
struct Refusal {
  std::string provider;
  std::string reason;
};

/// Nodes that a provider compiled into one.
struct FusedGroup {
  Node* node = nullptr;         ///< the node that stands for them, op_type unique in the session
  std::unique_ptr<Graph> body;  ///< what the provider compiled
  OrtNodeComputeInfo* compute = nullptr;
  Provider* provider = nullptr;
  bool drop_constants = false;

  FusedGroup() = default;
  FusedGroup(FusedGroup&& other) noexcept;
  FusedGroup& operator=(FusedGroup&&) = delete;
  ~FusedGroup();
};

/// The result of partitioning a model.
struct Partition {
  std::unordered_map<const Node*, const OrtKernelRegistry::Entry*> kernels;
  std::unordered_map<const Node*, const OrtCustomOp*> custom_ops;
  std::unordered_map<const Node*, Provider*> owners;  ///< absent for custom ops on the CPU
  std::vector<FusedGroup> fused;

  /// Who refused a node and why, kept by the names that survive rewriting: of the node and of its first output.
  void AddRefusal(const Node& node, const Refusal& refusal);
  /// The refusals of a node, or of the first node that it stands for; nullptr when nobody refused it.
  const std::vector<Refusal>* RefusalsOf(const Node& node) const;
  void ClearRefusals() { refusals_.clear(); }

 private:
  std::unordered_map<std::string, std::vector<Refusal>> refusals_;
};

/// Gives every node of the model, subgraphs included, to the first provider that takes it; compiles groups; expands
/// operators with function bodies that nobody takes. Throws Error(ORT_NOT_IMPLEMENTED) listing the nodes that nobody
/// takes, each with the reason of every provider (ORT_FAIL for an operator that does not exist, with the nearest name).
Partition PartitionModel(Model& model, const std::vector<std::unique_ptr<Provider>>& providers,
                         const CustomOpSchemas& custom_ops, const KeyValuePairs& config, const Logger& logger);

/// Finds the kernels of all nodes again after passes have changed the graph.
void AssignNewNodes(Graph& graph, const std::vector<std::unique_ptr<Provider>>& providers, Partition& partition);

}  // namespace ortrun

/// What a provider answers when it is asked which nodes it takes. Lives during one GetCapability call.
struct OrtEpGraphSupportInfo {
  const OrtGraph* graph = nullptr;
  ortrun::Provider* provider = nullptr;
  struct Group {
    std::vector<const OrtNode*> nodes;
    bool compile = false;
    bool drop_constants = false;
  };
  std::vector<Group> groups;
  /// Reasons of kernel look-ups that found nothing, by node.
  std::unordered_map<const OrtNode*, std::string> refusals;

  /// The kernel of this provider's registry for a node, or nullptr (the reason is kept).
  const OrtKernelDef* LookUpKernel(const OrtNode* node);
};
