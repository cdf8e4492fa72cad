// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "ortrun/error.h"
#include "ortrun/host.h"
#include "ortrun/kernel_context.h"
#include "ortrun/kernel_info.h"

namespace ortrun {

/// A packed weight that may be shared between sessions. The kernel keeps a pointer, the memory has one owner.
using PackedBuffer = std::shared_ptr<void>;

/// One operator, made once per node. The constructor takes `const KernelInfo&` and throws Error for what it cannot
/// serve; Compute may run in several threads at once and must not change the object.
class Kernel {
 public:
  Kernel() = default;
  Kernel(const Kernel&) = delete;
  Kernel& operator=(const Kernel&) = delete;
  virtual ~Kernel() = default;

  virtual void Compute(KernelContext& context) const = 0;

  /// Called once per constant input before the first Compute. A kernel that keeps its own form of the weight answers
  /// true; the host may then free the original. In Compute that input has its shape and no data.
  virtual bool PrePack(size_t /*input*/, const ConstantTensor& /*tensor*/) { return false; }
};

using KernelFactory = std::unique_ptr<Kernel> (*)(const KernelInfo& info);

/// Makes the host's kernel object directly, for operators that the host itself can run (If, Loop, Scan). The caller
/// takes the object. Throws Error.
using KernelImplFactory = OrtKernelImpl* (*)(const KernelInfo& info);

template <typename K>
std::unique_ptr<Kernel> MakeKernel(const KernelInfo& info) {
  return std::make_unique<K>(info);
}

/// Types allowed for one type parameter of an operator, as ONNXTensorElementDataType values.
struct TypeRule {
  const char* parameter;  ///< "T", "T1", ... as the operator's schema names it, or an input's name
  std::vector<ONNXTensorElementDataType> types;
};

/// One line of a kernel list: an operator in a range of versions with the types that it serves.
struct KernelEntry {
  const char* domain = "";
  const char* op = nullptr;
  int since = 1;
  /// Last version served, inclusive. Not INT_MAX, which ONNX Runtime reads as "`since` alone".
  int until = std::numeric_limits<int>::max() - 1;
  std::vector<TypeRule> types = {};
  KernelFactory make = nullptr;
  KernelImplFactory make_impl = nullptr;  ///< used instead of `make` when not NULL
  /// (input, output) pairs where the output may take the input's memory when nobody else needs it.
  std::vector<std::pair<int, int>> may_inplace = {};
  /// (input, output) pairs where the output always is the input's memory (Reshape and its like).
  std::vector<std::pair<int, int>> alias = {};
  std::vector<int> cpu_inputs = {};   ///< inputs that a device kernel wants in CPU memory
  std::vector<int> cpu_outputs = {};  ///< outputs that a device kernel makes in CPU memory
};

namespace detail {

/// The OrtKernelImpl of a Kernel.
struct KernelAdapter : OrtKernelImpl {
  Host host;
  std::unique_ptr<Kernel> kernel;
  std::vector<PackedInput> packed;

  KernelAdapter(const Host& the_host, std::unique_ptr<Kernel> the_kernel)
      : OrtKernelImpl{}, host(the_host), kernel(std::move(the_kernel)) {
    ort_version_supported = ORT_API_VERSION;
    OrtKernelImpl::Compute = [](OrtKernelImpl* self, OrtKernelContext* context) noexcept -> OrtStatus* {
      auto& adapter = *static_cast<KernelAdapter*>(self);
      return Guard(*adapter.host.api, [&] {
        KernelContext call(adapter.host, context, adapter.packed);
        adapter.kernel->Compute(call);
      });
    };
    OrtKernelImpl::Release = [](OrtKernelImpl* self) noexcept { delete static_cast<KernelAdapter*>(self); };
    OrtKernelImpl::PrePackWeight = [](OrtKernelImpl* self, const OrtValue* tensor, int input, OrtAllocator*,
                                      OrtSharedPrePackedWeightCache*, bool* is_packed) noexcept -> OrtStatus* {
      auto& adapter = *static_cast<KernelAdapter*>(self);
      *is_packed = false;
      return Guard(*adapter.host.api, [&] {
        const ConstantTensor weight = ReadTensor(adapter.host, tensor);
        const auto index = static_cast<size_t>(input);
        adapter.packed.reserve(adapter.packed.size() + 1);
        *is_packed = adapter.kernel->PrePack(index, weight);
        if (*is_packed) adapter.packed.push_back(PackedInput{index, weight.shape, weight.count, weight.type});
      });
    };
  }
};

/// What the host's create function needs: which kernel and which tables. Kept by the library for its life.
struct KernelMaker {
  Host host;
  KernelFactory make;
  KernelImplFactory make_impl;

  static OrtStatus* ORT_API_CALL Create(void* state, const OrtKernelInfo* info, OrtKernelImpl** out) noexcept {
    const auto& maker = *static_cast<const KernelMaker*>(state);
    *out = nullptr;
    return Guard(*maker.host.api, [&] {
      if (maker.make_impl != nullptr) {
        *out = maker.make_impl(KernelInfo(maker.host, info));
        return;
      }
      *out = std::make_unique<KernelAdapter>(maker.host, maker.make(KernelInfo(maker.host, info))).release();
    });
  }
};

}  // namespace detail

/// The operators of a provider. Families append their lines; Build hands them to the host.
class KernelList {
 public:
  void Add(KernelEntry entry) { entries_.push_back(std::move(entry)); }
  const std::vector<KernelEntry>& entries() const { return entries_; }

  struct RegistryDeleter {
    const OrtEpApi* ep;
    void operator()(OrtKernelRegistry* registry) const { ep->ReleaseKernelRegistry(registry); }
  };
  using Registry = std::unique_ptr<OrtKernelRegistry, RegistryDeleter>;

  /// Makes the host's registry for `provider`. The list must outlive every session that uses the registry: the create
  /// functions point into it.
  Registry Build(const Host& host, const char* provider);

 private:
  void AddTo(OrtKernelRegistry* registry, const Host& host, const char* provider, const KernelEntry& entry);

  std::vector<KernelEntry> entries_;
  std::vector<std::unique_ptr<detail::KernelMaker>> makers_;
};

inline KernelList::Registry KernelList::Build(const Host& host, const char* provider) {
  OrtKernelRegistry* raw = nullptr;
  ThrowOnError(*host.api, host.ep->CreateKernelRegistry(&raw));
  Registry registry(raw, RegistryDeleter{host.ep});
  for (const KernelEntry& entry : entries_) AddTo(raw, host, provider, entry);
  return registry;
}

inline void KernelList::AddTo(OrtKernelRegistry* registry, const Host& host, const char* provider,
                              const KernelEntry& entry) {
  const OrtEpApi& ep = *host.ep;
  const auto check = [&](OrtStatus* status) { ThrowOnError(*host.api, status); };
  const auto release = [&ep](OrtKernelDefBuilder* builder) { ep.ReleaseKernelDefBuilder(builder); };
  OrtKernelDefBuilder* raw = nullptr;
  check(ep.CreateKernelDefBuilder(&raw));
  const std::unique_ptr<OrtKernelDefBuilder, decltype(release)> builder(raw, release);
  check(ep.KernelDefBuilder_SetOperatorType(raw, entry.op));
  check(ep.KernelDefBuilder_SetDomain(raw, entry.domain));
  check(ep.KernelDefBuilder_SetSinceVersion(raw, entry.since, entry.until));
  check(ep.KernelDefBuilder_SetExecutionProvider(raw, provider));
  for (const TypeRule& rule : entry.types) {
    std::vector<const OrtDataType*> types;
    for (ONNXTensorElementDataType type : rule.types) {
      const OrtDataType* data_type = nullptr;
      OrtStatus* status = ep.GetTensorDataType(type, &data_type);
      if (status == nullptr) {
        types.push_back(data_type);
      } else {  // a host may know fewer types than this library serves: it will not ask for them
        host.api->ReleaseStatus(status);
      }
    }
    if (types.empty()) return;
    check(ep.KernelDefBuilder_AddTypeConstraint(raw, rule.parameter, types.data(), types.size()));
  }
  const auto add_pairs = [&](const std::vector<std::pair<int, int>>& pairs, auto add) {
    if (pairs.empty()) return;
    std::vector<int> inputs;
    std::vector<int> outputs;
    for (const auto& [input, output] : pairs) {
      inputs.push_back(input);
      outputs.push_back(output);
    }
    check(add(raw, inputs.data(), outputs.data(), pairs.size()));
  };
  add_pairs(entry.alias, ep.KernelDefBuilder_AddInputOutputAliases);
  add_pairs(entry.may_inplace, ep.KernelDefBuilder_AddInputOutputMutableAliases);
  for (int input : entry.cpu_inputs)
    check(ep.KernelDefBuilder_SetInputMemType(raw, static_cast<size_t>(input), OrtMemTypeCPUInput));
  for (int output : entry.cpu_outputs)
    check(ep.KernelDefBuilder_SetOutputMemType(raw, static_cast<size_t>(output), OrtMemTypeCPUOutput));
  OrtKernelDef* def = nullptr;
  check(ep.KernelDefBuilder_Build(raw, &def));
  makers_.push_back(std::make_unique<detail::KernelMaker>(detail::KernelMaker{host, entry.make, entry.make_impl}));
  OrtStatus* status = ep.KernelRegistry_AddKernel(registry, def, &detail::KernelMaker::Create, makers_.back().get());
  ep.ReleaseKernelDef(def);
  check(status);
}

}  // namespace ortrun
