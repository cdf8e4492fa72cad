// SPDX-License-Identifier: Apache-2.0
#include "onnxruntime_ep_c_api.h"
#include "ortrun/host.h"

// A plugin reaches the runtime through the table that it is handed, never by linking it.
extern "C" __attribute__((visibility("default"))) uint32_t AskedVersion(const OrtApiBase* base) {
  const ortrun::Host host = ortrun::Host::From(*base);
  return host.api == nullptr ? 0 : ORT_API_VERSION;
}
