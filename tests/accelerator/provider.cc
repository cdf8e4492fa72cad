// SPDX-License-Identifier: Apache-2.0
// A provider for an accelerator that does not exist: memory of its own that the CPU cannot touch, a stream that works
// later, kernels for some operators. It keeps the host honest about devices, copies and streams on any machine.
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <memory>
#include <string>

#include "onnxruntime_ep_c_api.h"
#include "tests/accelerator/device_memory.h"
#include "tests/accelerator/failures.h"
#include "tests/accelerator/kernels.h"
#include "tests/accelerator/work_queue.h"

namespace ortrun::accelerator {
namespace {

constexpr char kName[] = "SimulatedAccelerator";
constexpr uint32_t kVendor = 0xACCE;

/// How long each piece of work takes on a stream that is made now.
std::chrono::microseconds Delay() {
  const char* text = std::getenv("ORTRUN_TEST_ACCELERATOR_DELAY_US");
  return std::chrono::microseconds(text == nullptr ? 50 : std::atol(text));
}

/// Notes that a run starts or ends in the file that the test names.
OrtStatus* Note(const char* what) {
  if (const char* file = std::getenv("ORTRUN_TEST_ACCELERATOR_RUNS"))
    std::ofstream(file, std::ios::app) << what << "\n";
  return nullptr;
}

struct Accelerator {
  Host host;
  KernelList kernels;
  KernelList::Registry registry;
  std::unique_ptr<OrtMemoryInfo, void (*)(OrtMemoryInfo*)> memory;

  explicit Accelerator(const Host& the_host)
      : host(the_host), registry(nullptr, {the_host.ep}), memory(nullptr, the_host.api->ReleaseMemoryInfo) {
    RegisterKernels(kernels);
    registry = kernels.Build(host, kName);
    OrtMemoryInfo* info = nullptr;
    ThrowOnError(*host.api, host.api->CreateMemoryInfo_V2("SimAcc", OrtMemoryInfoDeviceType_NPU, kVendor, 0,
                                                          OrtDeviceMemoryType_DEFAULT, 256, OrtDeviceAllocator, &info));
    memory.reset(info);
  }
};

struct Allocator : OrtAllocator {
  const OrtMemoryInfo* info;
  explicit Allocator(const OrtMemoryInfo* the_info) : OrtAllocator{}, info(the_info) {
    version = ORT_API_VERSION;
    OrtAllocator::Alloc = [](OrtAllocator*, size_t bytes) { return DeviceMemory::Get().Allocate(bytes); };
    OrtAllocator::Reserve = OrtAllocator::Alloc;
    OrtAllocator::Free = [](OrtAllocator*, void* memory) { DeviceMemory::Get().Free(memory); };
    OrtAllocator::Info = [](const OrtAllocator* self) { return static_cast<const Allocator*>(self)->info; };
  }
};

struct Notification : OrtSyncNotificationImpl {
  WorkQueue& queue;
  uint64_t mark = 0;
  explicit Notification(WorkQueue& the_queue) : OrtSyncNotificationImpl{}, queue(the_queue) {
    ort_version_supported = ORT_API_VERSION;
    OrtSyncNotificationImpl::Release = [](OrtSyncNotificationImpl* self) { delete static_cast<Notification*>(self); };
    OrtSyncNotificationImpl::Activate = [](OrtSyncNotificationImpl* self) -> OrtStatus* {
      static_cast<Notification*>(self)->mark = static_cast<Notification*>(self)->queue.Mark();
      return nullptr;
    };
    OrtSyncNotificationImpl::WaitOnDevice = [](OrtSyncNotificationImpl* self, OrtSyncStream*) -> OrtStatus* {
      static_cast<Notification*>(self)->queue.WaitFor(static_cast<Notification*>(self)->mark);
      return nullptr;
    };
    OrtSyncNotificationImpl::WaitOnHost = [](OrtSyncNotificationImpl* self) -> OrtStatus* {
      static_cast<Notification*>(self)->queue.WaitFor(static_cast<Notification*>(self)->mark);
      return nullptr;
    };
  }
};

struct Stream : OrtSyncStreamImpl {
  WorkQueue queue;
  explicit Stream(std::chrono::microseconds delay) : OrtSyncStreamImpl{}, queue(delay) {
    ort_version_supported = ORT_API_VERSION;
    OrtSyncStreamImpl::Release = [](OrtSyncStreamImpl* self) { delete static_cast<Stream*>(self); };
    OrtSyncStreamImpl::GetHandle = [](OrtSyncStreamImpl* self) -> void* { return &static_cast<Stream*>(self)->queue; };
    OrtSyncStreamImpl::CreateNotification = [](OrtSyncStreamImpl* self, OrtSyncNotificationImpl** out) -> OrtStatus* {
      *out = std::make_unique<Notification>(static_cast<Stream*>(self)->queue).release();
      return nullptr;
    };
    OrtSyncStreamImpl::Flush = [](OrtSyncStreamImpl*) -> OrtStatus* { return nullptr; };
    OrtSyncStreamImpl::OnSessionRunEnd = [](OrtSyncStreamImpl*) -> OrtStatus* { return nullptr; };
  }
};

struct DataTransfer : OrtDataTransferImpl {
  const Accelerator& accelerator;
  explicit DataTransfer(const Accelerator& the_accelerator) : OrtDataTransferImpl{}, accelerator(the_accelerator) {
    ort_version_supported = ORT_API_VERSION;
    OrtDataTransferImpl::Release = [](OrtDataTransferImpl* self) { delete static_cast<DataTransfer*>(self); };
    OrtDataTransferImpl::CanCopy = [](const OrtDataTransferImpl* self, const OrtMemoryDevice* from,
                                      const OrtMemoryDevice* to) {
      const auto& transfer = *static_cast<const DataTransfer*>(self);
      return (transfer.Own(from) || transfer.Host(from)) && (transfer.Own(to) || transfer.Host(to)) &&
             (transfer.Own(from) || transfer.Own(to));
    };
    OrtDataTransferImpl::CopyTensors = [](OrtDataTransferImpl* self, const OrtValue** from, OrtValue** to,
                                          OrtSyncStream** streams, size_t count) -> OrtStatus* {
      const auto& transfer = *static_cast<DataTransfer*>(self);
      return Guard(*transfer.accelerator.host.api, [&] {
        for (size_t i = 0; i < count; ++i) transfer.Copy(from[i], to[i], streams == nullptr ? nullptr : streams[i]);
      });
    };
  }

  bool Own(const OrtMemoryDevice* device) const {
    return accelerator.host.ep->MemoryDevice_GetVendorId(device) == kVendor;
  }
  bool Host(const OrtMemoryDevice* device) const {
    return accelerator.host.ep->MemoryDevice_GetDeviceType(device) == OrtMemoryInfoDeviceType_CPU;
  }

  void Copy(const OrtValue* from, OrtValue* to, OrtSyncStream* stream) const {
    const OrtApi& api = *accelerator.host.api;
    const void* source = nullptr;
    void* target = nullptr;
    size_t bytes = 0;
    ThrowOnError(api, api.GetTensorData(from, &source));
    ThrowOnError(api, api.GetTensorMutableData(to, &target));
    ThrowOnError(api, api.GetTensorSizeInBytes(from, &bytes));
    if (bytes == 0) return;
    const DeviceMemory& memory = DeviceMemory::Get();
    const void* readable = memory.Contains(source) ? memory.Reach<const void>(source) : source;
    void* writable = memory.Contains(target) ? memory.Reach<void>(target) : target;
    const auto copy = [=] { std::memcpy(writable, readable, bytes); };
    void* handle = stream == nullptr ? nullptr : api.SyncStream_GetHandle(stream);
    if (handle == nullptr)
      copy();
    else
      static_cast<WorkQueue*>(handle)->Push(copy);
  }
};

struct Ep : OrtEp {
  const Accelerator& accelerator;
  explicit Ep(const Accelerator& the_accelerator) : OrtEp{}, accelerator(the_accelerator) {
    ort_version_supported = ORT_API_VERSION;
    OrtEp::GetName = [](const OrtEp*) { return kName; };
    OrtEp::GetKernelRegistry = [](OrtEp* self, const OrtKernelRegistry** out) -> OrtStatus* {
      *out = static_cast<Ep*>(self)->accelerator.registry.get();
      return nullptr;
    };
    OrtEp::GetCapability = [](OrtEp* self, const OrtGraph* graph, OrtEpGraphSupportInfo* support) {
      const Accelerator& own = static_cast<Ep*>(self)->accelerator;
      const OrtApi& api = *own.host.api;
      return Guard(api, [&] {
        if (Fails("capability")) throw Error(ORT_FAIL, "the simulated accelerator does not know what it can do");
        size_t count = 0;
        ThrowOnError(api, api.Graph_GetNumNodes(graph, &count));
        std::vector<const OrtNode*> nodes(count);
        if (count != 0) ThrowOnError(api, api.Graph_GetNodes(graph, nodes.data(), count));
        for (const OrtNode* node : nodes) {
          const OrtKernelDef* kernel = nullptr;
          ThrowOnError(api, own.host.ep->EpGraphSupportInfo_LookUpKernel(support, node, &kernel));
          if (kernel != nullptr || Fails("claim"))
            ThrowOnError(api, own.host.ep->EpGraphSupportInfo_AddSingleNode(support, node));
        }
      });
    };
    OrtEp::OnRunStart = [](OrtEp*, const OrtRunOptions*) { return Note("start"); };
    OrtEp::OnRunEnd = [](OrtEp*, const OrtRunOptions*, bool) { return Note("end"); };
    OrtEp::IsConcurrentRunSupported = [](OrtEp*, bool* out) -> OrtStatus* {
      *out = true;
      return nullptr;
    };
  }
};

struct Factory : OrtEpFactory {
  const Accelerator& accelerator;
  explicit Factory(const Accelerator& the_accelerator) : OrtEpFactory{}, accelerator(the_accelerator) {
    ort_version_supported = ORT_API_VERSION;
    OrtEpFactory::GetName = [](const OrtEpFactory*) { return kName; };
    OrtEpFactory::GetVendor = [](const OrtEpFactory*) { return "ortrun tests"; };
    OrtEpFactory::GetVendorId = [](const OrtEpFactory*) { return kVendor; };
    OrtEpFactory::GetVersion = [](const OrtEpFactory*) { return "1.0.0"; };
    OrtEpFactory::IsStreamAware = [](const OrtEpFactory*) { return true; };
    OrtEpFactory::GetSupportedDevices = [](OrtEpFactory* self, const OrtHardwareDevice* const* devices, size_t count,
                                           OrtEpDevice** out, size_t most, size_t* made) -> OrtStatus* {
      const Accelerator& own = static_cast<Factory*>(self)->accelerator;
      *made = 0;
      return Guard(*own.host.api, [&] {
        for (size_t i = 0; i < count && *made < most; ++i) {
          if (own.host.api->HardwareDevice_Type(devices[i]) != OrtHardwareDeviceType_CPU) continue;
          ThrowOnError(*own.host.api, own.host.ep->CreateEpDevice(self, devices[i], nullptr, nullptr, &out[*made]));
          ThrowOnError(*own.host.api, own.host.ep->EpDevice_AddAllocatorInfo(out[*made], own.memory.get()));
          ++*made;
          return;
        }
      });
    };
    OrtEpFactory::CreateEp = [](OrtEpFactory* self, const OrtHardwareDevice* const*, const OrtKeyValuePairs* const*,
                                size_t, const OrtSessionOptions*, const OrtLogger*, OrtEp** out) -> OrtStatus* {
      const Accelerator& own = static_cast<Factory*>(self)->accelerator;
      return Guard(*own.host.api, [&] {
        if (Fails("ep")) throw Error(ORT_FAIL, "the simulated accelerator is in use elsewhere");
        *out = std::make_unique<Ep>(own).release();
      });
    };
    OrtEpFactory::ReleaseEp = [](OrtEpFactory*, OrtEp* ep) { delete static_cast<Ep*>(ep); };
    OrtEpFactory::CreateAllocator = [](OrtEpFactory* self, const OrtMemoryInfo* info, const OrtKeyValuePairs*,
                                       OrtAllocator** out) -> OrtStatus* {
      const Accelerator& own = static_cast<Factory*>(self)->accelerator;
      static_cast<void>(info);
      return Guard(*own.host.api, [&] { *out = std::make_unique<Allocator>(own.memory.get()).release(); });
    };
    OrtEpFactory::ReleaseAllocator = [](OrtEpFactory*, OrtAllocator* allocator) {
      delete static_cast<Allocator*>(allocator);
    };
    OrtEpFactory::CreateDataTransfer = [](OrtEpFactory* self, OrtDataTransferImpl** out) -> OrtStatus* {
      const Accelerator& own = static_cast<Factory*>(self)->accelerator;
      return Guard(*own.host.api, [&] { *out = std::make_unique<DataTransfer>(own).release(); });
    };
    OrtEpFactory::CreateSyncStreamForDevice = [](OrtEpFactory* self, const OrtMemoryDevice*, const OrtKeyValuePairs*,
                                                 OrtSyncStreamImpl** out) -> OrtStatus* {
      const Accelerator& own = static_cast<Factory*>(self)->accelerator;
      return Guard(*own.host.api, [&] { *out = std::make_unique<Stream>(Delay()).release(); });
    };
  }
};

}  // namespace
}  // namespace ortrun::accelerator

extern "C" {

ORT_EXPORT OrtStatus* CreateEpFactories(const char*, const OrtApiBase* base, const OrtLogger*, OrtEpFactory** factories,
                                        size_t most, size_t* made) {
  using namespace ortrun::accelerator;  // NOLINT: the C entry is outside the namespace
  const ortrun::Host host = ortrun::Host::From(*base);
  *made = 0;
  if (host.api == nullptr) return nullptr;
  return ortrun::Guard(*host.api, [&] {
    if (Fails("factories")) throw ortrun::Error(ORT_FAIL, "the simulated accelerator's driver is too old");
    ortrun::Require(most >= 1, "there is no room for a factory");
    static const Accelerator& accelerator = *new Accelerator(host);  // shared by all factories, for the process
    factories[0] = std::make_unique<Factory>(accelerator).release();
    *made = 1;
  });
}

ORT_EXPORT OrtStatus* ReleaseEpFactory(OrtEpFactory* factory) {
  delete static_cast<ortrun::accelerator::Factory*>(factory);
  return nullptr;
}
}
