// SPDX-License-Identifier: Apache-2.0
#include "core/execution/packed_weights.h"

#include <cstring>
#include <functional>
#include <string_view>
#include <utility>

#include "core/execution/session_state.h"
#include "ortrun/error.h"

std::shared_ptr<const void> OrtPrepackedWeightsContainer::Share(std::shared_ptr<const void> packed, size_t bytes) {
  if (packed == nullptr || bytes == 0) return packed;
  const uint64_t hash = std::hash<std::string_view>()({static_cast<const char*>(packed.get()), bytes});
  const std::lock_guard lock(mutex_);
  const auto [first, last] = entries_.equal_range(hash);
  for (auto entry = first; entry != last; ++entry)
    if (entry->second.bytes == bytes && std::memcmp(entry->second.packed.get(), packed.get(), bytes) == 0)
      return entry->second.packed;
  entries_.emplace(hash, Entry{bytes, packed});
  return packed;
}

void OrtSharedPrePackedWeightCache::Store(std::span<void* const> buffers, std::span<const size_t> sizes) {
  // The deleters are armed last: a caller whose buffers were refused frees them itself.
  auto armed = std::make_shared<bool>(false);
  std::vector<Stored> taken;
  for (size_t i = 0; i < buffers.size(); ++i)
    taken.push_back({std::shared_ptr<const void>(buffers[i],
                                                 [armed, keep = allocator](const void* block) {
                                                   if (*armed && block != nullptr)
                                                     keep->Free(keep.get(), const_cast<void*>(block));  // NOLINT
                                                 }),
                     sizes[i]});
  *armed = true;
  stored = std::move(taken);
}

namespace ortrun {
namespace {

const OrtApi& Api() { return *OrtGetApiBase()->GetApi(ORT_API_VERSION); }

thread_local const OrtSharedPrePackedWeightCache* call_in_progress = nullptr;

/// Says what is packed while it lives. A kernel may pack another one's weight inside its own call.
class InProgress {
 public:
  explicit InProgress(const OrtSharedPrePackedWeightCache& call) : former_(std::exchange(call_in_progress, &call)) {}
  InProgress(const InProgress&) = delete;
  InProgress& operator=(const InProgress&) = delete;
  ~InProgress() { call_in_progress = former_; }

 private:
  const OrtSharedPrePackedWeightCache* former_;
};

}  // namespace

bool PackedWeights::Pack(OrtKernelImpl& kernel, const Provider* provider, const Value& weight, size_t input,
                         const SessionMemory& memory) {
  if (kernel.ort_version_supported < 24 || kernel.PrePackWeight == nullptr || !weight.IsTensor() || weight.IsString())
    return false;
  OrtSharedPrePackedWeightCache call;
  call.all = this;
  call.owner = provider == nullptr ? nullptr : provider->factory;
  call.weight = &weight;
  call.allocator = memory.allocator;
  bool packed = false;
  const InProgress in_progress(call);
  ThrowOnError(Api(),
               kernel.PrePackWeight(&kernel, &weight, static_cast<int>(input), memory.allocator.get(), &call, &packed));
  if (packed && !call.stored.empty()) HandBack(kernel, call, input, memory.info.device.HostAccessible());
  return packed;
}

/// What the kernel stored is the session's; the kernel gets it, or equal bytes of an earlier one, to work with.
void PackedWeights::HandBack(OrtKernelImpl& kernel, OrtSharedPrePackedWeightCache& call, size_t input, bool shareable) {
  if (kernel.SetSharedPrePackedWeight == nullptr)
    throw Error(ORT_INVALID_ARGUMENT,
                "a kernel stored a packed weight to be shared but has no SetSharedPrePackedWeight to take it back");
  std::vector<const void*> pointers;
  std::vector<size_t> sizes;
  for (auto& [packed, bytes] : call.stored) {
    OrtPrepackedWeightsContainer& shared = container_ != nullptr ? *container_ : own_;
    kept_.push_back(shareable ? shared.Share(std::move(packed), bytes) : std::move(packed));
    pointers.push_back(kept_.back().get());
    sizes.push_back(bytes);
  }
  ThrowOnError(Api(), kernel.SetSharedPrePackedWeight(&kernel, pointers.data(), sizes.data(), pointers.size(),
                                                      static_cast<int>(input)));
}

const void* PackedWeights::Form(const Value& weight, const std::string& form, size_t bytes,
                                int (*fill)(void* arg, void* data), void* arg) {
  const OrtSharedPrePackedWeightCache* call = call_in_progress;
  if (call == nullptr || call->weight != &weight) return nullptr;
  return call->all->FormOf(*call, form, bytes, fill, arg);
}

const void* PackedWeights::FormOf(const OrtSharedPrePackedWeightCache& call, const std::string& form, size_t bytes,
                                  int (*fill)(void* arg, void* data), void* arg) {
  Key key(call.owner, reinterpret_cast<uintptr_t>(call.weight->tensor().data), call.weight->bytes(), form);
  const auto found = forms_.find(key);
  if (found != forms_.end()) return found->second;
  std::shared_ptr<void> fresh = AllocateCpu(bytes);
  // Bytes that the packing leaves out must not make equal forms differ.
  if (container_ != nullptr) std::memset(fresh.get(), 0, bytes);
  if (fill(arg, fresh.get()) != 0)
    throw Error(ORT_FAIL, Concat("a kernel could not pack its weight in the form '", form, "'"));
  std::shared_ptr<const void> packed = std::move(fresh);
  if (container_ != nullptr) packed = container_->Share(std::move(packed), bytes);
  kept_.push_back(packed);
  forms_.emplace(std::move(key), packed.get());
  return packed.get();
}

void PackedWeights::DoneMaking() {
  container_ = nullptr;
  forms_.clear();
}

}  // namespace ortrun
