// SPDX-License-Identifier: Apache-2.0
#include "plugins/cpu/provider.h"

#include <cstring>
#include <map>
#include <mutex>
#include <string_view>
#include <vector>

#include "onnxruntime_ep_c_api.h"
#include "ortrun/compute_type.h"
#include "plugins/cpu/kernels/common/packed_form.h"
#include "plugins/cpu/kernels/registrations.h"

#ifndef ORTRUN_VERSION
#define ORTRUN_VERSION "1.30.0"
#endif

namespace ortrun::cpu {
namespace {

constexpr char kNhwcDomain[] = "com.ms.internal.nhwc";

KernelList::Registry BuildRegistry(const Host& host, const std::string& name, KernelList& kernels) {
  RegisterAllKernels(kernels, host);
  KernelList::Registry registry = kernels.Build(host, name.c_str());
  // Kernels for the 16-bit types work in float: a host that knows of it runs whole parts of a model so.
  if (const auto set = reinterpret_cast<OrtrunSetComputeTypeFn>(  // NOLINT: the interface is a function by name
          host.api->GetExperimentalFunction(ORTRUN_SET_COMPUTE_TYPE)))
    for (const auto half : {ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16, ONNX_TENSOR_ELEMENT_DATA_TYPE_BFLOAT16})
      ThrowOnError(*host.api, set(registry.get(), nullptr, nullptr, half, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT));
  return registry;
}

/// One session's provider: claims every node for which a kernel is registered.
struct Ep : OrtEp {
  const Provider& provider;

  explicit Ep(const Provider& the_provider) : OrtEp{}, provider(the_provider) {
    ort_version_supported = ORT_API_VERSION;
    OrtEp::GetName = [](const OrtEp* self) noexcept { return static_cast<const Ep*>(self)->provider.name().c_str(); };
    OrtEp::GetCapability = [](OrtEp* self, const OrtGraph* graph, OrtEpGraphSupportInfo* support) noexcept {
      const auto& ep = *static_cast<Ep*>(self);
      return Guard(*ep.provider.host().api, [&] { ep.Claim(graph, support); });
    };
    OrtEp::GetKernelRegistry = [](OrtEp* self, const OrtKernelRegistry** out) noexcept -> OrtStatus* {
      *out = static_cast<Ep*>(self)->provider.registry();
      return nullptr;
    };
    OrtEp::IsConcurrentRunSupported = [](OrtEp*, bool* out) noexcept -> OrtStatus* {
      *out = true;
      return nullptr;
    };
    // Another host's layout transformation knows only its own set of channels-last operators.
    if (provider.host().call == nullptr) return;
    OrtEp::GetPreferredDataLayout = [](OrtEp*, OrtEpDataLayout* layout) noexcept -> OrtStatus* {
      *layout = OrtEpDataLayout_NHWC;
      return nullptr;
    };
    OrtEp::ShouldConvertDataLayoutForOp = [](OrtEp* self, const char*, const char* op, OrtEpDataLayout layout,
                                             int* should_convert) noexcept -> OrtStatus* {
      const Provider& owner = static_cast<Ep*>(self)->provider;
      *should_convert = layout == OrtEpDataLayout_NHWC && owner.HasChannelsLast(op) ? 1 : 0;
      return nullptr;
    };
  }

  void Claim(const OrtGraph* graph, OrtEpGraphSupportInfo* support) const {
    const OrtApi& api = *provider.host().api;
    const OrtEpApi& ep_api = *provider.host().ep;
    size_t count = 0;
    ThrowOnError(api, api.Graph_GetNumNodes(graph, &count));
    std::vector<const OrtNode*> nodes(count);
    if (count != 0) ThrowOnError(api, api.Graph_GetNodes(graph, nodes.data(), count));
    for (const OrtNode* node : nodes) {
      const OrtKernelDef* kernel = nullptr;
      ThrowOnError(api, ep_api.EpGraphSupportInfo_LookUpKernel(support, node, &kernel));
      if (kernel != nullptr) ThrowOnError(api, ep_api.EpGraphSupportInfo_AddSingleNode(support, node));
    }
  }
};

/// The factory that the host sees. It only points to the process-wide Provider.
struct Factory : OrtEpFactory {
  const Provider& provider;

  explicit Factory(const Provider& the_provider) : OrtEpFactory{}, provider(the_provider) {
    ort_version_supported = ORT_API_VERSION;
    OrtEpFactory::GetName = [](const OrtEpFactory* self) noexcept {
      return static_cast<const Factory*>(self)->provider.name().c_str();
    };
    OrtEpFactory::GetVendor = [](const OrtEpFactory*) noexcept { return "ortrun"; };
    OrtEpFactory::GetVendorId = [](const OrtEpFactory*) noexcept { return uint32_t{0}; };
    OrtEpFactory::GetVersion = [](const OrtEpFactory*) noexcept { return ORTRUN_VERSION; };
    OrtEpFactory::IsStreamAware = [](const OrtEpFactory*) noexcept { return false; };
    // ONNX Runtime calls this slot without asking whether it is filled.
    OrtEpFactory::CreateDataTransfer = [](OrtEpFactory*, OrtDataTransferImpl** out) noexcept -> OrtStatus* {
      *out = nullptr;  // host memory needs no copying
      return nullptr;
    };
    OrtEpFactory::GetSupportedDevices = [](OrtEpFactory* self, const OrtHardwareDevice* const* devices, size_t count,
                                           OrtEpDevice** out, size_t max_out, size_t* num_out) noexcept -> OrtStatus* {
      const Host& host = static_cast<Factory*>(self)->provider.host();
      *num_out = 0;
      for (size_t i = 0; i < count && *num_out < max_out; ++i) {
        if (host.api->HardwareDevice_Type(devices[i]) != OrtHardwareDeviceType_CPU) continue;
        if (OrtStatus* status = host.ep->CreateEpDevice(self, devices[i], nullptr, nullptr, &out[*num_out]))
          return status;
        ++*num_out;
        break;  // several sockets are one memory to this provider
      }
      return nullptr;
    };
    OrtEpFactory::CreateEp = [](OrtEpFactory* self, const OrtHardwareDevice* const*, const OrtKeyValuePairs* const*,
                                size_t, const OrtSessionOptions*, const OrtLogger*, OrtEp** ep) noexcept {
      const Provider& owner = static_cast<Factory*>(self)->provider;
      return Guard(*owner.host().api, [&] { *ep = std::make_unique<Ep>(owner).release(); });
    };
    OrtEpFactory::ReleaseEp = [](OrtEpFactory*, OrtEp* ep) noexcept { delete static_cast<Ep*>(ep); };
  }
};

/// One for each runtime of the process that uses this library. Made on first use and never destroyed: see Provider.
const Provider& SharedProvider(const Host& host) {
  static std::mutex mutex;
  static auto& providers = *new std::map<const OrtApi*, std::unique_ptr<const Provider>>();
  const std::lock_guard lock(mutex);
  std::unique_ptr<const Provider>& provider = providers[host.api];
  if (provider != nullptr) return *provider;
  UsePackedWeights(host);
  provider = std::make_unique<const Provider>(host);
  return *provider;
}

}  // namespace

Provider::Provider(const Host& host)
    : host_(host),
      name_(host.call != nullptr ? "CPUExecutionProvider" : "OrtrunCpuExecutionProvider"),
      registry_(BuildRegistry(host_, name_, kernels_)) {}

bool Provider::HasChannelsLast(const char* op) const {
  for (const KernelEntry& entry : kernels_.entries())
    if (std::string_view(entry.domain) == kNhwcDomain && std::strcmp(entry.op, op) == 0) return true;
  return false;
}

}  // namespace ortrun::cpu

extern "C" {

ORT_EXPORT OrtStatus* CreateEpFactories(const char* /*registration_name*/, const OrtApiBase* api_base,
                                        const OrtLogger* /*logger*/, OrtEpFactory** factories, size_t max_factories,
                                        size_t* num_factories) noexcept {
  using namespace ortrun;  // NOLINT: the C entry is outside the namespace
  const Host host = Host::From(*api_base);
  if (host.api == nullptr) {
    const OrtApi* old = api_base->GetApi(1);
    if (old == nullptr) return nullptr;  // no table to make a status from; num_factories stays 0
    const std::string message =
        Concat("the cpu provider " ORTRUN_VERSION " needs API version ", ORT_API_VERSION, ", this runtime is ",
               api_base->GetVersionString(), ": install a runtime of version 1.", ORT_API_VERSION, " or newer");
    return old->CreateStatus(ORT_NOT_IMPLEMENTED, message.c_str());
  }
  return Guard(*host.api, [&] {
    *num_factories = 0;
    Require(max_factories >= 1, "the cpu provider has one factory and the host has no room for it");
    factories[0] = std::make_unique<cpu::Factory>(cpu::SharedProvider(host)).release();
    *num_factories = 1;
  });
}

ORT_EXPORT OrtStatus* ReleaseEpFactory(OrtEpFactory* factory) noexcept {
  delete static_cast<ortrun::cpu::Factory*>(factory);
  return nullptr;
}
}
