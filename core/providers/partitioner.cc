// SPDX-License-Identifier: Apache-2.0
#include "core/providers/partitioner.h"

#include <algorithm>
#include <set>
#include <utility>

#include "core/base/nearest.h"
#include "core/graph/subgraph.h"
#include "ortrun/error.h"

namespace ortrun {
namespace {

const OrtApi& Api() { return *OrtGetApiBase()->GetApi(ORT_API_VERSION); }

constexpr const char* kNotClaimed = "the provider did not claim it when asked which nodes it takes";

const OperatorSchema* SchemaOf(const Node& node, const CustomOpSchemas* custom_ops = nullptr) {
  if (const OperatorSchema* schema = FindSchema(node.domain, node.op_type, node.since_version)) return schema;
  return custom_ops == nullptr ? nullptr : custom_ops->Find(node.domain, node.op_type, node.since_version);
}

class Partitioner {
 public:
  Partitioner(Model& model, const std::vector<std::unique_ptr<Provider>>& providers, const CustomOpSchemas& custom_ops,
              const Logger& logger)
      : model_(model), providers_(providers), custom_ops_(custom_ops), logger_(logger) {}

  Partition Run() {
    // Expanding a function makes nodes that have to be given away in their turn; bodies may hold functions again.
    do {
      AssignCustomOps(*model_.graph);
      for (const auto& provider : providers_) Ask(*model_.graph, *provider);
    } while (ExpandFunctions(*model_.graph));
    Check(*model_.graph);
    return std::move(result_);
  }

 private:
  void AssignCustomOps(Graph& graph) {
    for (const auto& node : graph.nodes()) {
      for (const auto& body : node->subgraphs) AssignCustomOps(*body.second);
      if (!node->provider.empty()) continue;
      std::string reason;
      const OrtCustomOp* op = custom_ops_.FindOp(*node, &reason);
      if (op == nullptr) {
        if (!reason.empty()) custom_refusals_[node.get()] = reason;
        continue;
      }
      custom_ops_.InferOutputs(*node, *op);
      const char* wanted = op->GetExecutionProviderType == nullptr ? nullptr : op->GetExecutionProviderType(op);
      Provider* owner = nullptr;
      for (const auto& provider : providers_)
        if (wanted == nullptr ? provider->memory.device.HostAccessible() : provider->name == wanted) {
          owner = provider.get();
          break;
        }
      if (wanted != nullptr && owner == nullptr) {
        custom_refusals_[node.get()] =
            Concat("the custom op wants provider '", wanted, "', which this session does not have");
        continue;
      }
      result_.custom_ops[node.get()] = op;
      node->provider = owner == nullptr ? "host" : owner->name;
      if (owner != nullptr && !owner->memory.device.HostAccessible()) result_.owners[node.get()] = owner;
    }
  }

  /// Bodies first: a provider may take a control-flow node together with what is in it.
  void Ask(Graph& graph, Provider& provider) {
    for (const auto& node : graph.nodes())
      for (const auto& body : node->subgraphs) Ask(*body.second, provider);
    const bool open = std::any_of(graph.nodes().begin(), graph.nodes().end(),
                                  [](const auto& node) { return node->provider.empty(); });
    if (!open || provider.ep->GetCapability == nullptr) return;
    OrtEpGraphSupportInfo support;
    support.graph = &graph;
    support.provider = &provider;
    if (OrtStatus* status = provider.ep->GetCapability(provider.ep, &graph, &support)) {
      const Error error(ORT_EP_FAIL, Concat("provider '", provider.name, "' failed when asked which nodes it takes: ",
                                            Api().GetErrorMessage(status)));
      Api().ReleaseStatus(status);
      throw error;
    }
    for (const auto& group : support.groups) {
      const bool taken = std::any_of(group.nodes.begin(), group.nodes.end(),
                                     [](const OrtNode* node) { return node == nullptr || !node->provider.empty(); });
      if (taken || group.nodes.empty()) continue;
      if (group.compile)
        Compile(graph, provider, group);
      else
        for (const OrtNode* node : group.nodes) Give(const_cast<Node&>(*node), provider);  // NOLINT: our own graph
    }
    for (const auto& node : graph.nodes()) {
      if (!node->provider.empty()) continue;
      const auto reason = support.refusals.find(node.get());
      result_.AddRefusal(*node, {provider.name, reason == support.refusals.end() ? kNotClaimed : reason->second});
    }
  }

  void Give(Node& node, Provider& provider) {
    if (provider.registry == nullptr)
      throw Error(ORT_EP_FAIL, Concat("provider '", provider.name, "' claims ", node.Describe(),
                                      " for a kernel but has no kernel registry"));
    std::string reason;
    const OrtKernelRegistry::Entry* entry = provider.registry->Find(node, SchemaOf(node, &custom_ops_), &reason);
    if (entry == nullptr) {
      result_.AddRefusal(node, {provider.name, "it claims the node, but " + reason});
      return;
    }
    node.provider = provider.name;
    result_.kernels[&node] = entry;
    result_.owners[&node] = &provider;
  }

  void Compile(Graph& graph, Provider& provider, const OrtEpGraphSupportInfo::Group& group) {
    if (provider.ep->Compile == nullptr)
      throw Error(ORT_EP_FAIL, Concat("provider '", provider.name, "' claims nodes to compile but cannot compile"));
    FusedGroup fused;
    fused.provider = &provider;
    fused.drop_constants = group.drop_constants;
    fused.body = ExtractSubgraph(graph, group.nodes);
    const std::string name = Concat(provider.name, "_", next_fused_++);
    Node* node = graph.AddNode(name, name, "ortrun.compiled", 1);
    node->provider = provider.name;
    for (const OrtNode* part : group.nodes) {
      if (part->origins.empty())
        node->origins.push_back(part->name);
      else
        node->origins.insert(node->origins.end(), part->origins.begin(), part->origins.end());
    }
    std::vector<ValueInfo*> outputs;
    for (const ValueInfo* output : fused.body->outputs()) outputs.push_back(graph.Find(output->name));
    for (size_t i = 0; i < fused.body->inputs().size(); ++i)
      graph.SetInput(node, i, graph.Find(fused.body->inputs()[i]->name));
    const OrtGraph* body = fused.body.get();
    const OrtNode* shown = node;
    OrtNodeComputeInfo* compute = nullptr;
    OrtNode* context_node = nullptr;
    OrtStatus* status = provider.ep->Compile(provider.ep, &body, &shown, 1, &compute, &context_node);
    if (status != nullptr) {
      const Error error(ORT_EP_FAIL, Concat("provider '", provider.name, "' could not compile ", group.nodes.size(),
                                            " nodes: ", Api().GetErrorMessage(status)));
      Api().ReleaseStatus(status);
      throw error;
    }
    if (compute == nullptr) throw Error(ORT_EP_FAIL, Concat("provider '", provider.name, "' compiled to nothing"));
    fused.compute = compute;
    fused.node = node;
    for (const OrtNode* part : group.nodes) graph.RemoveNode(const_cast<Node*>(part));  // NOLINT: our own graph
    for (size_t i = 0; i < outputs.size(); ++i) graph.SetOutput(node, i, outputs[i]);
    graph.Sort();
    result_.owners[node] = &provider;
    result_.fused.push_back(std::move(fused));
  }

  bool ExpandFunctions(Graph& graph) {
    bool expanded = false;
    std::vector<Node*> nodes;
    for (const auto& node : graph.nodes()) nodes.push_back(node.get());
    for (Node* node : nodes) {
      for (const auto& body : node->subgraphs) expanded = ExpandFunctions(*body.second) || expanded;
      if (!node->provider.empty()) continue;
      const OperatorSchema* schema = SchemaOf(*node);
      if (schema == nullptr || !schema->has_function) continue;
      const std::string described = node->Describe();
      if (ExpandFunction(*node)) {
        expanded = true;
        logger_.Log(ORT_LOGGING_LEVEL_VERBOSE, described, " is run through its function body");
      }
    }
    if (expanded) {
      graph.Sort();
      result_.ClearRefusals();  // nodes went; the next round asks again
    }
    return expanded;
  }

  std::string WhyNot(const Node& node) const {
    std::string text = Concat("  ", node.Describe(), ", version ", node.since_version);
    std::string types;
    for (const ValueInfo* input : node.inputs)
      types += (types.empty() ? "" : ", ") + (input == nullptr ? std::string("omitted") : TypeName(input->type));
    text += Concat(", inputs (", types, ")");
    if (SchemaOf(node, &custom_ops_) == nullptr) {
      const std::vector<std::string> names = OperatorNames(node.domain);
      text += names.empty() ? Concat(": the domain '", node.domain,
                                     "' is not known; register the library of custom operators that has it")
                            : Concat(": no such operator.", DidYouMean(node.op_type, names));
    }
    if (const auto custom = custom_refusals_.find(&node); custom != custom_refusals_.end())
      text += "\n    custom operators: " + custom->second;
    if (const auto* refusals = result_.RefusalsOf(node))
      for (const Refusal& refusal : *refusals) text += Concat("\n    ", refusal.provider, ": ", refusal.reason);
    return text;
  }

  void Collect(const Graph& graph, std::vector<std::string>& left, bool& unknown) const {
    for (const auto& node : graph.nodes()) {
      for (const auto& body : node->subgraphs) Collect(*body.second, left, unknown);
      if (!node->provider.empty()) continue;
      unknown = unknown || SchemaOf(*node, &custom_ops_) == nullptr;
      left.push_back(WhyNot(*node));
    }
  }

  void Check(const Graph& graph) const {
    std::vector<std::string> left;
    bool unknown = false;
    Collect(graph, left, unknown);
    if (left.empty()) return;
    constexpr size_t kShown = 20;
    std::string text =
        Concat(left.size(), left.size() == 1 ? " node has" : " nodes have", " no provider that can run it:");
    for (size_t i = 0; i < std::min(left.size(), kShown); ++i) text += "\n" + left[i];
    if (left.size() > kShown) text += Concat("\n  and ", left.size() - kShown, " more");
    throw Error(unknown ? ORT_FAIL : ORT_NOT_IMPLEMENTED, text);
  }

  Model& model_;
  const std::vector<std::unique_ptr<Provider>>& providers_;
  const CustomOpSchemas& custom_ops_;
  const Logger& logger_;
  Partition result_;
  std::unordered_map<const Node*, std::string> custom_refusals_;
  size_t next_fused_ = 0;
};

}  // namespace

FusedGroup::FusedGroup(FusedGroup&& other) noexcept
    : node(other.node),
      body(std::move(other.body)),
      compute(std::exchange(other.compute, nullptr)),
      provider(other.provider),
      drop_constants(other.drop_constants) {}

FusedGroup::~FusedGroup() {
  if (compute != nullptr && provider->ep->ReleaseNodeComputeInfos != nullptr)
    provider->ep->ReleaseNodeComputeInfos(provider->ep, &compute, 1);
}

Partition PartitionModel(Model& model, const std::vector<std::unique_ptr<Provider>>& providers,
                         const CustomOpSchemas& custom_ops, const KeyValuePairs&, const Logger& logger) {
  return Partitioner(model, providers, custom_ops, logger).Run();
}

namespace {

const std::string& OutputName(const Node& node) {
  static const std::string none;
  for (const ValueInfo* output : node.outputs)
    if (output != nullptr) return output->name;
  return none;
}

}  // namespace

void Partition::AddRefusal(const Node& node, const Refusal& refusal) {
  // One reason a provider: nodes of two bodies may have one name.
  const auto add = [&](const std::string& key) {
    std::vector<Refusal>& refusals = refusals_[key];
    const auto known = std::find_if(refusals.begin(), refusals.end(),
                                    [&](const Refusal& other) { return other.provider == refusal.provider; });
    if (known == refusals.end()) refusals.push_back(refusal);
  };
  if (!node.name.empty()) add("node " + node.name);
  add("value " + OutputName(node));
  add(Concat("value ", OutputName(node), " of ", node.op_type));
}

const std::vector<Refusal>* Partition::RefusalsOf(const Node& node) const {
  std::vector<std::string> keys{Concat("value ", OutputName(node), " of ", node.op_type), "node " + node.name};
  for (const std::string& origin : node.origins) keys.push_back("node " + origin);
  keys.push_back("value " + OutputName(node));
  for (const std::string& key : keys)
    if (const auto found = refusals_.find(key); found != refusals_.end()) return &found->second;
  return nullptr;
}

namespace {

void AssignGraph(Graph& graph, const std::vector<std::unique_ptr<Provider>>& providers, Partition& fresh) {
  for (const auto& node : graph.nodes()) {
    for (const auto& body : node->subgraphs) AssignGraph(*body.second, providers, fresh);
    if (fresh.custom_ops.count(node.get()) != 0) continue;
    if (std::any_of(fresh.fused.begin(), fresh.fused.end(),
                    [&](const FusedGroup& group) { return group.node == node.get(); }))
      continue;
    const auto provider = std::find_if(providers.begin(), providers.end(),
                                       [&](const auto& candidate) { return candidate->name == node->provider; });
    if (provider == providers.end())
      throw Error(ORT_FAIL, Concat(node->Describe(), " was made for provider '", node->provider,
                                   "', which this session does not have"));
    std::string reason;
    const OrtKernelRegistry::Entry* entry =
        (*provider)->registry == nullptr ? nullptr : (*provider)->registry->Find(*node, SchemaOf(*node), &reason);
    if (entry == nullptr)
      throw Error(ORT_FAIL, Concat("an optimization made ", node->Describe(), " but provider '", node->provider,
                                   "' cannot run it: ", reason, ". Switch the pass off by name to go on"));
    fresh.kernels[node.get()] = entry;
    fresh.owners[node.get()] = provider->get();
  }
}

}  // namespace

void AssignNewNodes(Graph& graph, const std::vector<std::unique_ptr<Provider>>& providers, Partition& partition) {
  // Passes remove nodes, and a new node may stand where a removed one was: nothing found by address is kept, except
  // what passes never touch.
  partition.kernels.clear();
  std::erase_if(partition.owners, [&](const auto& owner) {
    return partition.custom_ops.count(owner.first) == 0 &&
           std::none_of(partition.fused.begin(), partition.fused.end(),
                        [&](const FusedGroup& group) { return group.node == owner.first; });
  });
  AssignGraph(graph, providers, partition);
}

}  // namespace ortrun

const OrtKernelDef* OrtEpGraphSupportInfo::LookUpKernel(const OrtNode* node) {
  if (provider->registry == nullptr) return nullptr;
  std::string reason;
  const ortrun::OperatorSchema* schema = ortrun::FindSchema(node->domain, node->op_type, node->since_version);
  const OrtKernelRegistry::Entry* entry = provider->registry->Find(*node, schema, &reason);
  if (entry != nullptr) return &entry->def;
  refusals[node] = reason;
  return nullptr;
}
