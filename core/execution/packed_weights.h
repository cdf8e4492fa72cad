// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "core/execution/value.h"

/// Packed weights of several sessions, by content: what a session packs is taken from here where another one has packed
/// the same bytes. Sessions keep what they took. Thread-safe.
struct OrtPrepackedWeightsContainer {
 public:
  /// `packed` itself, or an earlier buffer of the same bytes. The CPU must be able to read it.
  std::shared_ptr<const void> Share(std::shared_ptr<const void> packed, size_t bytes);

 private:
  struct Entry {
    size_t bytes;
    std::shared_ptr<const void> packed;
  };
  std::mutex mutex_;
  std::unordered_multimap<uint64_t, Entry> entries_;  ///< by a hash of the content, which is compared as well
};

namespace ortrun {

class PackedWeights;
struct Provider;
struct SessionMemory;

}  // namespace ortrun

/// What a kernel is given while it packs one weight, see OrtKernelImpl::PrePackWeight.
struct OrtSharedPrePackedWeightCache {
  ortrun::PackedWeights* all = nullptr;
  const void* owner = nullptr;  ///< whose layouts the forms are: the provider's factory
  const OrtValue* weight = nullptr;
  std::shared_ptr<OrtAllocator> allocator;
  struct Stored {
    std::shared_ptr<const void> packed;
    size_t bytes;
  };
  std::vector<Stored> stored;  ///< handed over by the kernel in this call

  /// Takes buffers that the kernel allocated with `allocator`. All become the session's, or, when it throws, none.
  void Store(std::span<void* const> buffers, std::span<const size_t> sizes);
};

namespace ortrun {

/// The packed weights of a session's kernels: one copy for all that want the same form of the same memory. Used by one
/// thread while the session is made; keeps the buffers until its end.
class PackedWeights {
 public:
  /// `container` may be null; else it must live until DoneMaking.
  void UseContainer(OrtPrepackedWeightsContainer* container) { container_ = container; }

  /// Has a kernel pack its constant input; answers whether it did. Throws what the kernel answers.
  bool Pack(OrtKernelImpl& kernel, const Provider* provider, const Value& weight, size_t input,
            const SessionMemory& memory);

  /// The weight that a kernel packs in this thread now in a form of the kernel's, made by `fill` unless a kernel of the
  /// same provider asked before; nullptr where no kernel packs this weight now.
  static const void* Form(const Value& weight, const std::string& form, size_t bytes,
                          int (*fill)(void* arg, void* data), void* arg);

  /// No kernel is made any more. The memory of constants may be used again, so forms are not looked for from now on.
  void DoneMaking();

 private:
  using Key = std::tuple<const void*, uintptr_t, size_t, std::string>;  ///< owner, first byte, bytes, form

  const void* FormOf(const OrtSharedPrePackedWeightCache& call, const std::string& form, size_t bytes,
                     int (*fill)(void* arg, void* data), void* arg);
  void HandBack(OrtKernelImpl& kernel, OrtSharedPrePackedWeightCache& call, size_t input, bool shareable);

  OrtPrepackedWeightsContainer* container_ = nullptr;
  OrtPrepackedWeightsContainer own_;  ///< what kernels store, where there is no container
  std::map<Key, const void*> forms_;
  std::vector<std::shared_ptr<const void>> kept_;
};

}  // namespace ortrun
