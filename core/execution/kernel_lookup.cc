// SPDX-License-Identifier: Apache-2.0
#include "core/execution/kernel_lookup.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "core/execution/program.h"
#include "ortrun/error.h"

namespace ortrun {
namespace {

const OrtApi& Api() { return *OrtGetApiBase()->GetApi(ORT_API_VERSION); }

/// A status that only means "no" here.
bool Dropped(OrtStatus* status) {
  if (status == nullptr) return false;
  Api().ReleaseStatus(status);
  return true;
}

}  // namespace

const Provider* SessionKernels::Find(const std::string& name) const {
  for (const auto& provider : session_.providers)
    if (provider->name == name) return provider.get();
  return nullptr;
}

SessionKernels::SessionKernels(SessionState& session) : session_(session) {
  for (const auto& provider : session.providers)
    if (provider->registry != nullptr) providers_.push_back(provider->name);
}

bool SessionKernels::Serves(const std::string& provider, const Node& node) const {
  const Provider* found = Find(provider);
  if (found == nullptr || found->registry == nullptr) return false;
  std::string reason;
  const OperatorSchema* schema = FindSchema(node.domain, node.op_type, node.since_version);
  return found->registry->Find(node, schema, &reason) != nullptr;
}

ElementType SessionKernels::ComputeType(const std::string& provider, const Node& node, ElementType stored) const {
  const Provider* found = Find(provider);
  if (found == nullptr || found->registry == nullptr) return stored;
  return found->registry->ComputeType(node.domain, node.op_type, stored);
}

bool SessionKernels::WantsChannelsLast(const std::string& provider, const Node& node) const {
  const Provider* found = Find(provider);
  if (found == nullptr || found->ep->GetPreferredDataLayout == nullptr) return false;
  OrtEpDataLayout layout = OrtEpDataLayout_NCHW;
  if (Dropped(found->ep->GetPreferredDataLayout(found->ep, &layout)) || layout != OrtEpDataLayout_NHWC) return false;
  if (found->ep->ort_version_supported < 23 || found->ep->ShouldConvertDataLayoutForOp == nullptr) return true;
  int convert = -1;  // negative: the provider leaves it to the host, which converts
  if (Dropped(found->ep->ShouldConvertDataLayoutForOp(found->ep, node.domain.c_str(), node.op_type.c_str(), layout,
                                                      &convert)))
    return false;
  return convert != 0;
}

std::optional<std::vector<Value>> SessionKernels::Evaluate(const Node& node) const {
  const OperatorSchema* schema = FindSchema(node.domain, node.op_type, node.since_version);
  if (schema == nullptr || !node.subgraphs.empty()) return std::nullopt;
  for (const auto& provider : session_.providers) {
    if (provider->registry == nullptr || !provider->memory.device.HostAccessible()) continue;
    std::string reason;
    const OrtKernelRegistry::Entry* entry = provider->registry->Find(node, schema, &reason);
    if (entry == nullptr) continue;
    try {
      auto info = std::make_unique<KernelInfo>();
      info->node = &node;
      info->session = &session_;
      info->provider = provider.get();
      info->logger = session_.logger.get();
      info->config = &session_.options.config;
      info->allocator = provider->allocator;
      OrtKernelImpl* kernel = nullptr;
      if (Dropped(entry->create(entry->state, info.get(), &kernel)) || kernel == nullptr) continue;
      Program program(session_, node, std::move(info), StepKernel(kernel));
      std::vector<Value> results(program.outputs().size());
      RunCall call;
      call.results = results;
      program.Run(call);
      // Results are given in the order of the node's outputs, omitted ones left empty.
      std::vector<Value> outputs;
      size_t next = 0;
      for (const ValueInfo* output : node.outputs)
        outputs.push_back(output == nullptr ? Value() : std::move(results[next++]));
      return outputs;
    } catch (const Error& error) {
      session_.logger->Log(ORT_LOGGING_LEVEL_VERBOSE, "folding ", node.Describe(), " failed: ", error.what());
    }
  }
  return std::nullopt;
}

}  // namespace ortrun
