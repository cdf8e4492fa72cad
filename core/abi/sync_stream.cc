// SPDX-License-Identifier: Apache-2.0
#include "core/execution/stream.h"

#include "core/abi/fill.h"
#include "core/abi/guard.h"
#include "core/providers/device.h"

namespace ortrun::abi {
namespace {

OrtStatus* CreateSyncStreamForEpDevice(const OrtEpDevice* ep_device, const OrtKeyValuePairs* stream_options,
                                       OrtSyncStream** stream) {
  return Guard({{"ep_device", ep_device}, {"stream", stream}}, [&] {
    OrtEpFactory* factory = ep_device->factory;
    if (!ep_device->memory || factory->CreateSyncStreamForDevice == nullptr || factory->IsStreamAware == nullptr ||
        !factory->IsStreamAware(factory))
      throw Error(ORT_NOT_IMPLEMENTED, Concat("provider '", ep_device->ep_name, "' has no streams"));
    OrtSyncStreamImpl* impl = nullptr;
    ThrowOnError(Api(), factory->CreateSyncStreamForDevice(factory, &ep_device->memory->device, stream_options, &impl));
    Require(impl != nullptr, "provider '", ep_device->ep_name, "' made no stream");
    *stream = std::make_unique<OrtSyncStream>(impl, ep_device->memory->device).release();
  });
}

void* SyncStream_GetHandle(OrtSyncStream* stream) noexcept { return stream == nullptr ? nullptr : stream->handle(); }

}  // namespace

void FillSyncStream(OrtApi& api) {
  api.CreateSyncStreamForEpDevice = CreateSyncStreamForEpDevice;
  api.SyncStream_GetHandle = SyncStream_GetHandle;
  api.ReleaseSyncStream = Delete<OrtSyncStream>;
}

}  // namespace ortrun::abi
