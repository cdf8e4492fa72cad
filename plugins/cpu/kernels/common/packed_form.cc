// SPDX-License-Identifier: Apache-2.0
#include "plugins/cpu/kernels/common/packed_form.h"

#include <atomic>
#include <cstdlib>
#include <exception>
#include <new>

#include "ortrun/packed_weights.h"

namespace ortrun::cpu {
namespace {

struct Sharing {
  const OrtApi* api;
  const OrtrunPackedWeightApi* packs;
};
std::atomic<const Sharing*> sharing = nullptr;

struct Call {
  const std::function<void(void*)>* fill;
  std::exception_ptr error;

  static int Run(void* arg, void* memory) noexcept {
    auto& self = *static_cast<Call*>(arg);
    try {
      (*self.fill)(memory);
      return 0;
    } catch (...) {
      self.error = std::current_exception();
      return 1;
    }
  }
};

}  // namespace

void UsePackedWeights(const Host& host) {
  if (sharing.load() != nullptr) return;
  const auto get = reinterpret_cast<OrtrunGetPackedWeightApiFn>(  // NOLINT: the interface is a function by name
      host.api->GetExperimentalFunction(ORTRUN_PACKED_WEIGHT_API));
  const OrtrunPackedWeightApi* packs = get == nullptr ? nullptr : get(1);
  if (packs != nullptr) sharing.store(new Sharing{host.api, packs});  // NOLINT: for the life of the process
}

PackedForm Pack(const ConstantTensor& weight, const std::string& form, size_t bytes,
                const std::function<void(void*)>& fill) {
  if (const Sharing* host = sharing.load(); host != nullptr && weight.value != nullptr) {
    Call call{&fill, nullptr};
    const void* shared = nullptr;
    OrtStatus* status = host->packs->Pack(weight.value, form.c_str(), bytes, Call::Run, &call, &shared);
    if (call.error) {
      if (status != nullptr) host->api->ReleaseStatus(status);
      std::rethrow_exception(call.error);
    }
    ThrowOnError(*host->api, status);
    if (shared != nullptr) return PackedForm(shared, [](const void*) {});  // the host's, for the life of the kernel
  }
  constexpr size_t kAlignment = 64;
  void* memory = std::aligned_alloc(kAlignment, (bytes / kAlignment + 1) * kAlignment);
  if (memory == nullptr) throw std::bad_alloc();
  PackedForm own(memory, [](const void* block) { std::free(const_cast<void*>(block)); });  // NOLINT: pair of the above
  fill(memory);
  return own;
}

}  // namespace ortrun::cpu
