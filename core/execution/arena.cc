// SPDX-License-Identifier: Apache-2.0
#include "core/execution/arena.h"

#include <bit>
#include <mutex>
#include <new>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/base/key_value_pairs.h"
#include "core/execution/memory.h"

namespace ortrun {
namespace {

/// Sizes are rounded up to a quarter of a power of two, so that few classes hold all and little is wasted.
size_t RoundToClass(size_t bytes) {
  if (bytes <= 256) return (bytes + kAlignment - 1) / kAlignment * kAlignment + (bytes == 0 ? kAlignment : 0);
  const size_t step = std::bit_floor(bytes - 1) / 4;
  return (bytes + step - 1) / step * step;
}

}  // namespace

struct Arena::Impl {
  std::shared_ptr<OrtAllocator> base;
  std::mutex mutex;
  std::unordered_map<size_t, std::vector<void*>> cached;  ///< by class size
  std::unordered_map<void*, size_t> sizes;                ///< of every block, given out or cached
  size_t in_use = 0;
  size_t max_in_use = 0;
  size_t total = 0;
};

std::shared_ptr<Arena> Arena::Make(std::shared_ptr<OrtAllocator> base) {
  return std::shared_ptr<Arena>(new Arena(std::move(base)));
}

Arena::Arena(std::shared_ptr<OrtAllocator> base) : OrtAllocator{}, impl_(std::make_unique<Impl>()) {
  impl_->base = std::move(base);
  version = ORT_API_VERSION;
  OrtAllocator::Alloc = [](OrtAllocator* self, size_t bytes) { return static_cast<Arena*>(self)->Take(bytes); };
  OrtAllocator::Reserve = OrtAllocator::Alloc;
  OrtAllocator::Free = [](OrtAllocator* self, void* memory) { static_cast<Arena*>(self)->Give(memory); };
  OrtAllocator::Info = [](const OrtAllocator* self) {
    const OrtAllocator* base = static_cast<const Arena*>(self)->impl_->base.get();
    return base->Info(base);
  };
  OrtAllocator::GetStats = [](const OrtAllocator* self, OrtKeyValuePairs** out) -> OrtStatus* {
    auto& impl = *static_cast<const Arena*>(self)->impl_;
    auto pairs = std::make_unique<OrtKeyValuePairs>();
    const std::lock_guard lock(impl.mutex);
    pairs->Set("InUse", std::to_string(impl.in_use));
    pairs->Set("MaxInUse", std::to_string(impl.max_in_use));
    pairs->Set("TotalAllocated", std::to_string(impl.total));
    *out = pairs.release();
    return nullptr;
  };
  OrtAllocator::Shrink = [](OrtAllocator* self) -> OrtStatus* {
    static_cast<Arena*>(self)->TrimCache();
    return nullptr;
  };
}

Arena::~Arena() { TrimCache(); }

void* Arena::Take(size_t bytes) {
  if (bytes > static_cast<size_t>(INT64_MAX) / 2) return nullptr;
  const size_t size = RoundToClass(bytes);
  const std::lock_guard lock(impl_->mutex);
  void* memory = nullptr;
  std::vector<void*>& cached = impl_->cached[size];
  if (!cached.empty()) {
    memory = cached.back();
    cached.pop_back();
  } else {
    memory = impl_->base->Alloc(impl_->base.get(), size);
    if (memory == nullptr) return nullptr;
    impl_->sizes.emplace(memory, size);
    impl_->total += size;
  }
  impl_->in_use += size;
  impl_->max_in_use = std::max(impl_->max_in_use, impl_->in_use);
  return memory;
}

void Arena::Give(void* memory) {
  if (memory == nullptr) return;
  const std::lock_guard lock(impl_->mutex);
  const auto size = impl_->sizes.find(memory);
  if (size == impl_->sizes.end()) return;  // not ours: a caller's mistake that must not end the process
  impl_->in_use -= size->second;
  impl_->cached[size->second].push_back(memory);
}

void Arena::TrimCache() {
  const std::lock_guard lock(impl_->mutex);
  for (auto& [size, blocks] : impl_->cached) {
    for (void* block : blocks) {
      impl_->sizes.erase(block);
      impl_->total -= size;
      impl_->base->Free(impl_->base.get(), block);
    }
    blocks.clear();
  }
}

}  // namespace ortrun
