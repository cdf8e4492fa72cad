// SPDX-License-Identifier: Apache-2.0
// The process's malloc and its kin, in front of glibc's: a program's own definitions take precedence in every library.
#include "tests/unit/execution/allocation_counter.h"

#include <dlfcn.h>
#include <execinfo.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <sstream>

// NOLINTBEGIN(bugprone-reserved-identifier): glibc's names
extern "C" {
void* __libc_malloc(size_t bytes);
void* __libc_calloc(size_t count, size_t bytes);
void* __libc_realloc(void* memory, size_t bytes);
void* __libc_memalign(size_t alignment, size_t bytes);
}
// NOLINTEND(bugprone-reserved-identifier)

namespace {

constexpr size_t kTraces = 8;
constexpr int kDepth = 12;

std::atomic<bool> counting{false};
std::atomic<size_t> allocations{0};
std::array<std::array<void*, kDepth>, kTraces> traces;
std::array<int, kTraces> depths;
thread_local bool tracing = false;  // backtrace may allocate when it is called first

void Count() {
  if (!counting.load(std::memory_order_relaxed) || tracing) return;
  const size_t index = allocations.fetch_add(1, std::memory_order_relaxed);
  if (index >= kTraces) return;
  tracing = true;
  depths[index] = backtrace(traces[index].data(), kDepth);
  tracing = false;
}

}  // namespace

extern "C" {

void* malloc(size_t bytes) {
  Count();
  return __libc_malloc(bytes);
}

void* calloc(size_t count, size_t bytes) {
  Count();
  return __libc_calloc(count, bytes);
}

void* realloc(void* memory, size_t bytes) {
  Count();
  return __libc_realloc(memory, bytes);
}

void* memalign(size_t alignment, size_t bytes) {
  Count();
  return __libc_memalign(alignment, bytes);
}

void* aligned_alloc(size_t alignment, size_t bytes) {
  Count();
  return __libc_memalign(alignment, bytes);
}

int posix_memalign(void** memory, size_t alignment, size_t bytes) {
  Count();
  *memory = __libc_memalign(alignment, bytes);
  return *memory == nullptr ? ENOMEM : 0;
}

}  // extern "C"

namespace ortrun::testing {

AllocationCounter::AllocationCounter() {
  void* warm[1];
  backtrace(warm, 1);
  allocations.store(0);
  counting.store(true);
}

AllocationCounter::~AllocationCounter() { counting.store(false); }

size_t AllocationCounter::count() const { return allocations.load(); }

std::string AllocationCounter::Stop() {
  counting.store(false);
  std::ostringstream text;
  for (size_t i = 0; i < std::min(kTraces, allocations.load()); ++i) {
    text << "allocation " << i + 1 << ":\n";
    for (int k = 1; k < depths[i]; ++k) {
      Dl_info info{};
      dladdr(traces[i][static_cast<size_t>(k)], &info);
      text << "  " << (info.dli_fname == nullptr ? "?" : info.dli_fname) << "+0x" << std::hex
           << reinterpret_cast<uintptr_t>(traces[i][static_cast<size_t>(k)]) -
                  reinterpret_cast<uintptr_t>(info.dli_fbase)
           << std::dec << " " << (info.dli_sname == nullptr ? "" : info.dli_sname) << "\n";
    }
  }
  return text.str();
}

}  // namespace ortrun::testing
