// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "core/base/logging.h"
#include "core/execution/value.h"
#include "ortrun/kernel_call.h"

namespace ortrun {
class Frame;
struct Step;
}  // namespace ortrun

/// One step of one run as its kernel sees it. Made once per frame and used again by every run of that frame, so that a
/// call allocates nothing. Used by one thread at a time.
struct OrtKernelContext {
 public:
  ortrun::Frame* frame = nullptr;
  const ortrun::Step* step = nullptr;
  std::vector<const OrtValue*> inputs;     ///< nullptr: omitted. Implicit inputs follow the explicit ones.
  std::vector<const OrtrunTensor*> views;  ///< of the explicit inputs; nullptr: omitted or no dense tensor
  std::vector<OrtValue*> outputs;          ///< nullptr: omitted

  size_t InputCount() const { return views.size(); }
  size_t OutputCount() const { return outputs.size(); }
  /// The output's value, given this shape. nullptr when the node does not name it.
  OrtValue* Output(size_t index, const int64_t* dims, size_t rank);
  /// Makes the output a value of any kind, which must be of the declared type; nothing when the node does not name it.
  void SetOutput(size_t index, OrtValue value);
  /// The output's value when its memory is already known before its shape is asked for (a caller's own buffer).
  OrtValue* PreallocatedOutput(size_t index);

  void* Scratch(size_t bytes);
  size_t Concurrency() const;
  void ParallelFor(size_t blocks, void (*fn)(void*, size_t), void* arg) const;

  const OrtLogger& logger() const;
  /// Allocator for a memory, as KernelContext_GetAllocator hands out.
  std::shared_ptr<OrtAllocator> AllocatorFor(const OrtMemoryInfo& memory) const;
  OrtSyncStream* stream() const;  ///< nullptr where the provider has none
};
