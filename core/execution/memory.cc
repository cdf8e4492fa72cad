// SPDX-License-Identifier: Apache-2.0
#include "core/execution/memory.h"

#include <atomic>
#include <cstdlib>
#include <utility>

#include "core/base/key_value_pairs.h"
#include "ortrun/error.h"

namespace ortrun {
namespace {

std::atomic<uint64_t> cpu_allocations{0};

void* AlignedAlloc(size_t bytes) {
  cpu_allocations.fetch_add(1, std::memory_order_relaxed);
  const size_t rounded = (bytes + kAlignment - 1) / kAlignment * kAlignment;
  if (rounded < bytes) return nullptr;
  return std::aligned_alloc(kAlignment, rounded == 0 ? kAlignment : rounded);
}

struct ProcessCpuAllocator : OrtAllocator {
  ProcessCpuAllocator() : OrtAllocator{} {
    version = ORT_API_VERSION;
    OrtAllocator::Alloc = [](OrtAllocator*, size_t size) -> void* { return AlignedAlloc(size); };
    OrtAllocator::Free = [](OrtAllocator*, void* memory) { std::free(memory); };
    OrtAllocator::Info = [](const OrtAllocator*) -> const OrtMemoryInfo* { return &CpuMemoryInfo(); };
    OrtAllocator::Reserve = OrtAllocator::Alloc;
    OrtAllocator::GetStats = [](const OrtAllocator*, OrtKeyValuePairs** out) -> OrtStatus* {
      *out = new (std::nothrow) OrtKeyValuePairs();
      if (*out != nullptr) (*out)->Set("NumAllocs", std::to_string(CpuAllocationCount()));
      return nullptr;
    };
  }
};

}  // namespace

const MemoryInfo& CpuMemoryInfo() {
  static const MemoryInfo* const info = new MemoryInfo();  // never destroyed: values may outlive static destructors
  return *info;
}

OrtAllocator& CpuAllocator() {
  static ProcessCpuAllocator* const allocator = new ProcessCpuAllocator();
  return *allocator;
}

uint64_t CpuAllocationCount() { return cpu_allocations.load(std::memory_order_relaxed); }

std::shared_ptr<void> Allocate(std::shared_ptr<OrtAllocator> allocator, size_t bytes) {
  void* memory = allocator->Alloc(allocator.get(), bytes);
  if (memory == nullptr)
    throw Error(ORT_FAIL, Concat("out of memory: ", bytes, " bytes could not be allocated in '",
                                 allocator->Info(allocator.get())->name, "'"));
  OrtAllocator* raw = allocator.get();
  return {memory, [raw, keep = std::move(allocator)](void* block) { raw->Free(raw, block); }};
}

std::shared_ptr<void> AllocateCpu(size_t bytes) {
  void* memory = AlignedAlloc(bytes);
  if (memory == nullptr) throw Error(ORT_FAIL, Concat("out of memory: ", bytes, " bytes could not be allocated"));
  return {memory, [](void* block) { std::free(block); }};
}

}  // namespace ortrun
