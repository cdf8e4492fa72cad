// SPDX-License-Identifier: Apache-2.0
#include "core/abi/session_providers.h"

#include <strings.h>
#include <algorithm>
#include <utility>

#include "core/abi/fill.h"
#include "core/abi/guard.h"
#include "core/base/nearest.h"

namespace ortrun::abi {
namespace {

bool SameWord(const std::string& a, const std::string& b) { return strcasecmp(a.c_str(), b.c_str()) == 0; }

OrtStatus* SessionOptionsAppendExecutionProvider(OrtSessionOptions* options, const char* provider_name,
                                                 const char* const* provider_options_keys,
                                                 const char* const* provider_options_values, size_t num_keys) {
  return Guard({{"options", options}, {"provider_name", provider_name}}, [&] {
    RequestProvider(*options, provider_name, PairsFrom(provider_options_keys, provider_options_values, num_keys));
  });
}

OrtStatus* SessionOptionsAppendExecutionProvider_V2(OrtSessionOptions* session_options, OrtEnv* env,
                                                    const OrtEpDevice* const* ep_devices, size_t num_ep_devices,
                                                    const char* const* ep_option_keys,
                                                    const char* const* ep_option_vals, size_t num_ep_options) {
  return Guard({{"session_options", session_options}, {"env", env}}, [&] {
    Require(num_ep_devices != 0 && ep_devices != nullptr, "Must provide one or more OrtEpDevice instances.");
    ProviderRequest request;
    const std::vector<const OrtEpDevice*> known = env->Devices();
    for (size_t i = 0; i < num_ep_devices; ++i) {
      const OrtEpDevice* device = ep_devices[i];
      Require(device != nullptr && std::find(known.begin(), known.end(), device) != known.end(), "OrtEpDevice ", i,
              " is none of the environment's devices; take them from GetEpDevices");
      Require(i == 0 || device->ep_name == request.name,
              "All OrtEpDevice values in ep_devices must have the same execution provider: '", request.name, "' and '",
              device->ep_name, "'");
      request.name = device->ep_name;
      request.devices.push_back(device);
    }
    request.options = PairsFrom(ep_option_keys, ep_option_vals, num_ep_options);
    session_options->providers.push_back(std::move(request));
  });
}

OrtStatus* SessionOptionsSetEpSelectionPolicy(OrtSessionOptions* session_options,
                                              OrtExecutionProviderDevicePolicy policy) {
  return Guard({{"session_options", session_options}}, [&] {
    Require(policy >= OrtExecutionProviderDevicePolicy_DEFAULT &&
                policy <= OrtExecutionProviderDevicePolicy_MIN_OVERALL_POWER,
            "selection policy ", static_cast<int>(policy), " is not valid");
    session_options->has_selection_policy = true;
    session_options->selection_policy = policy;
    session_options->selection_delegate = nullptr;
  });
}

OrtStatus* SessionOptionsSetEpSelectionPolicyDelegate(OrtSessionOptions* session_options, EpSelectionDelegate delegate,
                                                      void* delegate_state) {
  return Guard({{"session_options", session_options}}, [&] {
    Require(delegate != nullptr, "SessionOptionsSetEpSelectionPolicyDelegate: argument 'delegate' must not be null");
    session_options->has_selection_policy = true;
    session_options->selection_delegate = delegate;
    session_options->selection_delegate_state = delegate_state;
  });
}

/// Provider names for a caller that frees them with ReleaseAvailableProviders.
OrtStatus* GetAvailableProviders(char*** out_ptr, int* provider_length) {
  return Guard({{"out_ptr", out_ptr}, {"provider_length", provider_length}}, [&] {
    const std::vector<std::string> names = EnvironmentHold()->ProviderNames();
    OrtAllocator& allocator = CpuAllocator();
    char** list = NewArray<char*>(&allocator, names.size() + 1);
    std::fill_n(list, names.size() + 1, nullptr);
    try {
      std::transform(names.begin(), names.end(), list,
                     [&](const std::string& name) { return CopyText(&allocator, name); });
    } catch (...) {
      for (size_t i = 0; i < names.size(); ++i) allocator.Free(&allocator, list[i]);
      allocator.Free(&allocator, list);
      throw;
    }
    *out_ptr = list;
    *provider_length = static_cast<int>(names.size());
  });
}

OrtStatus* ReleaseAvailableProviders(char** ptr, int providers_length) {
  return Guard({}, [&] {
    if (ptr == nullptr) return;
    OrtAllocator& allocator = CpuAllocator();
    for (int i = 0; i < providers_length; ++i) allocator.Free(&allocator, ptr[i]);
    allocator.Free(&allocator, ptr);
  });
}

}  // namespace

KeyValuePairs PairsFrom(const char* const* keys, const char* const* values, size_t count) {
  CheckPairs(keys, values, count);
  KeyValuePairs pairs;
  for (size_t i = 0; i < count; ++i) pairs.Set(keys[i], values[i]);
  return pairs;
}

void RequestProvider(OrtSessionOptions& options, const std::string& name, const KeyValuePairs& provider_options,
                     OrtErrorCode unknown) {
  EnvironmentHold env;
  const std::vector<std::string> known = env->ProviderNames();
  const auto found = std::find_if(known.begin(), known.end(), [&](const std::string& candidate) {
    return SameWord(candidate, name) || SameWord(candidate, name + kProviderSuffix);
  });
  if (found == known.end())
    throw Error(unknown, Concat("Unknown provider name '", name, "'.", DidYouMean(name, known),
                                " Usable providers: ", Join(known), ". ", env->SearchReport()));
  ProviderRequest request;
  request.name = *found;
  request.options = provider_options;
  options.providers.push_back(std::move(request));
}

void FillSessionProviders(OrtApi& api) {
  api.SessionOptionsAppendExecutionProvider = SessionOptionsAppendExecutionProvider;
  api.SessionOptionsAppendExecutionProvider_V2 = SessionOptionsAppendExecutionProvider_V2;
  api.SessionOptionsSetEpSelectionPolicy = SessionOptionsSetEpSelectionPolicy;
  api.SessionOptionsSetEpSelectionPolicyDelegate = SessionOptionsSetEpSelectionPolicyDelegate;
  api.GetAvailableProviders = GetAvailableProviders;
  api.ReleaseAvailableProviders = ReleaseAvailableProviders;
}

}  // namespace ortrun::abi
