// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "onnxruntime_c_api.h"
#include "ortrun/kernel_call.h"

namespace ortrun {

/// The tables of the runtime that loaded this library. The tables belong to the host and live as long as the process,
/// so a Host is copied freely.
struct Host {
  const OrtApi* api = nullptr;
  const OrtEpApi* ep = nullptr;
  const OrtrunKernelCallApi* call = nullptr;  ///< NULL where the host does not offer it

  /// Answers an empty Host (api == nullptr) when the runtime is older than ORT_API_VERSION.
  static Host From(const OrtApiBase& base) {
    Host host;
    host.api = base.GetApi(ORT_API_VERSION);
    if (host.api == nullptr) return host;
    host.ep = host.api->GetEpApi();
    if (auto get = reinterpret_cast<OrtrunGetKernelCallApiFn>(  // NOLINT: the interface is a function by name
            host.api->GetExperimentalFunction(ORTRUN_KERNEL_CALL_API)))
      host.call = get(1);
    return host;
  }
};

}  // namespace ortrun
