// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include "core/base/nearest.h"
#include "core/execution/arena.h"
#include "core/providers/environment.h"
#include "core/providers/partitioner.h"
#include "core/providers/selection.h"
#include "ortrun/error.h"

namespace ortrun {
namespace {

const OrtApi& Api() { return *OrtGetApiBase()->GetApi(ORT_API_VERSION); }

std::shared_ptr<OrtAllocator> MakeAllocator(const Provider& provider) {
  OrtAllocator* made = nullptr;
  if (provider.ep->ort_version_supported >= 23 && provider.ep->CreateAllocator != nullptr) {
    ThrowOnError(Api(), provider.ep->CreateAllocator(provider.ep, &provider.memory, &made));
    OrtEpFactory* factory = provider.factory;
    if (made != nullptr)
      return {made, [factory](OrtAllocator* a) {
                if (factory->ReleaseAllocator != nullptr) factory->ReleaseAllocator(factory, a);
              }};
  }
  OrtEpFactory* factory = provider.factory;
  if (factory->ort_version_supported >= 23 && factory->CreateAllocator != nullptr) {
    ThrowOnError(Api(), factory->CreateAllocator(factory, &provider.memory, nullptr, &made));
    if (made != nullptr)
      return {made, [factory](OrtAllocator* a) {
                if (factory->ReleaseAllocator != nullptr) factory->ReleaseAllocator(factory, a);
              }};
  }
  if (!provider.memory.device.HostAccessible())
    throw Error(ORT_EP_FAIL, Concat("provider '", provider.name, "' makes no allocator for its memory '",
                                    provider.memory.name, "'"));
  return {&CpuAllocator(), [](OrtAllocator*) {}};
}

std::unique_ptr<Provider> CreateProvider(const ProviderRequest& request, const SessionOptions& options,
                                         const Logger& logger) {
  auto provider = std::make_unique<Provider>();
  provider->name = request.name;
  provider->options = request.options;
  provider->devices = request.devices;
  provider->factory = request.devices.front()->factory;
  std::vector<const OrtHardwareDevice*> hardware;
  std::vector<const OrtKeyValuePairs*> metadata;
  for (const EpDevice* device : request.devices) {
    hardware.push_back(device->hardware);
    metadata.push_back(&device->metadata);
  }
  // A provider reads its options from the session's, under "ep.<name in lower case>.<key>".
  SessionOptions with_options = options;
  std::string prefix = "ep." + request.name + ".";
  std::transform(prefix.begin(), prefix.end(), prefix.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  for (const auto& [key, value] : request.options.entries()) with_options.config.Set(prefix + key, value);
  OrtStatus* status = provider->factory->CreateEp(provider->factory, hardware.data(), metadata.data(), hardware.size(),
                                                  &with_options, &logger, &provider->ep);
  if (status != nullptr) {
    const Error error(ORT_EP_FAIL,
                      Concat("provider '", request.name, "' could not be made: ", Api().GetErrorMessage(status)));
    Api().ReleaseStatus(status);
    throw error;
  }
  if (provider->ep == nullptr) throw Error(ORT_EP_FAIL, Concat("provider '", request.name, "' could not be made"));
  OrtEp& ep = *provider->ep;
  if (ep.GetName != nullptr)
    if (const char* name = ep.GetName(&ep)) provider->name = name;
  if (ep.ort_version_supported >= 24 && ep.GetKernelRegistry != nullptr)
    ThrowOnError(Api(), ep.GetKernelRegistry(&ep, &provider->registry));
  const EpDevice& device = *request.devices.front();
  provider->memory = device.memory.value_or(CpuMemoryInfo());
  provider->initializer_memory = device.initializer_memory.value_or(provider->memory);
  provider->allocator = MakeAllocator(*provider);
  if (!provider->memory.device.HostAccessible()) provider->allocator = Arena::Make(provider->allocator);
  provider->stream_aware = provider->factory->ort_version_supported >= 23 &&
                           provider->factory->IsStreamAware != nullptr &&
                           provider->factory->IsStreamAware(provider->factory);
  if (ep.ort_version_supported >= 24 && ep.IsConcurrentRunSupported != nullptr)
    ThrowOnError(Api(), ep.IsConcurrentRunSupported(&ep, &provider->concurrent_runs));
  return provider;
}

std::vector<const EpDevice*> DevicesOf(const std::vector<const EpDevice*>& all, const std::string& name) {
  std::vector<const EpDevice*> found;
  for (const EpDevice* device : all)
    if (device->ep_name == name) found.push_back(device);
  return found;
}

}  // namespace

Provider::~Provider() {
  allocator.reset();
  if (ep != nullptr) factory->ReleaseEp(factory, ep);
}

std::vector<std::unique_ptr<Provider>> CreateProviders(Environment& env, const SessionOptions& options,
                                                       const Model& model, const Logger& logger) {
  const std::vector<const EpDevice*> all = env.Devices();
  std::vector<ProviderRequest> requests = options.providers.empty() && options.has_selection_policy
                                              ? SelectProviders(env, options, model)
                                              : options.providers;
  for (ProviderRequest& request : requests) {
    if (!request.devices.empty()) continue;
    request.devices = DevicesOf(all, request.name);
    if (request.devices.empty())
      throw Error(ORT_FAIL, Concat("provider '", request.name, "' is not available.",
                                   DidYouMean(request.name, env.ProviderNames()),
                                   " Available: ", Join(env.ProviderNames()), ". ", env.SearchReport()));
    request.devices.erase(request.devices.begin() + 1, request.devices.end());
  }
  const size_t asked_for = requests.size();
  // What no requested provider takes goes to those that work on the CPU's own memory, as users of a session without
  // that provider in their list expect; "session.disable_cpu_ep_fallback" turns it off.
  const bool fallback =
      options.fallback_to_host_provider && options.config.Get("session.disable_cpu_ep_fallback", "0") != "1";
  if (fallback || requests.empty()) {
    for (const EpDevice* device : all) {
      if (device->hardware->type != OrtHardwareDeviceType_CPU || device->memory) continue;
      const bool known = std::any_of(requests.begin(), requests.end(),
                                     [&](const ProviderRequest& request) { return request.name == device->ep_name; });
      if (!known && env.IsDiscovered(*device)) requests.push_back({device->ep_name, {}, {device}});
    }
  }
  std::vector<std::unique_ptr<Provider>> providers;
  std::string failures;
  for (size_t i = 0; i < requests.size(); ++i) {
    try {
      providers.push_back(CreateProvider(requests[i], options, logger));
    } catch (const Error& error) {
      if (i < asked_for) throw;
      // Nobody asked for this one: the others may do without it.
      logger.Log(ORT_LOGGING_LEVEL_WARNING, error.what(), "; going on without it");
      failures += Concat(error.what(), "; ");
    }
  }
  if (providers.empty())
    throw Error(ORT_FAIL,
                Concat("no execution provider is available, so no model can run; ", failures, env.SearchReport()));
  return providers;
}

}  // namespace ortrun
