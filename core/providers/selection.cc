// SPDX-License-Identifier: Apache-2.0
#include "core/providers/selection.h"

#include <algorithm>
#include <array>
#include <utility>

#include "ortrun/error.h"

namespace ortrun {
namespace {

constexpr size_t kMaxSelected = 8;

OrtHardwareDeviceType PreferredType(OrtExecutionProviderDevicePolicy policy) {
  switch (policy) {
    case OrtExecutionProviderDevicePolicy_PREFER_NPU:
    case OrtExecutionProviderDevicePolicy_MAX_EFFICIENCY:
    case OrtExecutionProviderDevicePolicy_MIN_OVERALL_POWER:
      return OrtHardwareDeviceType_NPU;
    case OrtExecutionProviderDevicePolicy_PREFER_GPU:
    case OrtExecutionProviderDevicePolicy_MAX_PERFORMANCE:
      return OrtHardwareDeviceType_GPU;
    case OrtExecutionProviderDevicePolicy_DEFAULT:
    case OrtExecutionProviderDevicePolicy_PREFER_CPU:
      break;
  }
  return OrtHardwareDeviceType_CPU;
}

/// Better devices first, otherwise in the order of registration.
std::vector<const EpDevice*> InOrder(std::vector<const EpDevice*> devices) {
  const auto rank = [](const EpDevice* device) {
    const bool discrete = device->hardware->metadata.Get("Discrete", "0") == "1";
    const bool by_vendor = !device->ep_vendor.empty() && device->ep_vendor == device->hardware->vendor;
    return std::pair(!discrete, !by_vendor);
  };
  std::stable_sort(devices.begin(), devices.end(),
                   [&](const EpDevice* a, const EpDevice* b) { return rank(a) < rank(b); });
  return devices;
}

std::vector<const EpDevice*> ByPolicy(Environment& env, OrtExecutionProviderDevicePolicy policy) {
  std::vector<const EpDevice*> candidates = env.Devices();
  const OrtHardwareDeviceType type = PreferredType(policy);
  std::erase_if(candidates, [&](const EpDevice* device) { return device->hardware->type != type; });
  // The host's own providers take part in every session; asking for them here would only hide that option.
  if (std::any_of(candidates.begin(), candidates.end(), [&](const EpDevice* device) {
        return type == OrtHardwareDeviceType_CPU && !device->memory && env.IsDiscovered(*device);
      }))
    return {};
  candidates = InOrder(std::move(candidates));
  std::erase_if(candidates, [name = candidates.empty() ? "" : candidates.front()->ep_name](const EpDevice* device) {
    return device->ep_name != name;
  });
  return candidates;
}

KeyValuePairs MetadataOf(const Model& model) {
  KeyValuePairs pairs{KeyValuePairs::Map(model.metadata)};
  pairs.Set("producer_name", model.producer);
  pairs.Set("producer_version", model.producer_version);
  pairs.Set("domain", model.domain);
  pairs.Set("model_version", std::to_string(model.version));
  pairs.Set("doc_string", model.description);
  pairs.Set("graph_name", model.graph->name);
  pairs.Set("graph_description", model.graph->description);
  return pairs;
}

std::vector<const EpDevice*> ByDelegate(Environment& env, const SessionOptions& options, const Model& model) {
  std::vector<const EpDevice*> all = env.Devices();
  const KeyValuePairs metadata = MetadataOf(model);
  const KeyValuePairs runtime;
  std::array<const EpDevice*, kMaxSelected> selected{};
  size_t count = 0;
  std::vector<const EpDevice*> shown = all;  // the delegate may write into what it is given
  if (OrtStatus* status = options.selection_delegate(shown.data(), shown.size(), &metadata, &runtime, selected.data(),
                                                     selected.size(), &count, options.selection_delegate_state)) {
    const OrtApi& api = *OrtGetApiBase()->GetApi(ORT_API_VERSION);
    const Error error(ORT_FAIL, Concat("EP selection delegate failed: ", api.GetErrorMessage(status)));
    api.ReleaseStatus(status);
    throw error;
  }
  if (count == 0) throw Error(ORT_FAIL, "EP selection delegate did not select anything.");
  if (count > selected.size())
    throw Error(ORT_FAIL, Concat("EP selection delegate failed: selected too many EP devices (", count,
                                 "). The limit is ", selected.size(), " EP devices."));
  for (size_t i = 0; i < count; ++i)
    if (std::find(all.begin(), all.end(), selected[i]) == all.end())
      throw Error(ORT_FAIL, Concat("EP selection delegate failed: selection ", i, " is none of the devices given"));
  return {selected.begin(), selected.begin() + static_cast<ptrdiff_t>(count)};
}

}  // namespace

std::vector<ProviderRequest> SelectProviders(Environment& env, const SessionOptions& options, const Model& model) {
  const std::vector<const EpDevice*> selected =
      options.selection_delegate != nullptr ? ByDelegate(env, options, model) : ByPolicy(env, options.selection_policy);
  std::vector<ProviderRequest> requests;
  for (const EpDevice* device : selected) {
    const auto known = std::find_if(requests.begin(), requests.end(),
                                    [&](const ProviderRequest& request) { return request.name == device->ep_name; });
    ProviderRequest& request = known != requests.end() ? *known : requests.emplace_back();
    request.name = device->ep_name;
    request.devices.push_back(device);
  }
  return requests;
}

}  // namespace ortrun
