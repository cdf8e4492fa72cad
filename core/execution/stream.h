// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>

#include "core/execution/memory.h"

/// A queue of a device's work with the implementation that a provider gave. Owned by a run or, through
/// CreateSyncStreamForEpDevice, by the caller.
struct OrtSyncStream {
 public:
  OrtSyncStream(OrtSyncStreamImpl* impl, OrtMemoryDevice device);
  OrtSyncStream(const OrtSyncStream&) = delete;
  OrtSyncStream& operator=(const OrtSyncStream&) = delete;
  ~OrtSyncStream();

  OrtSyncStreamImpl* impl() const { return impl_; }
  void* handle() const;
  const OrtMemoryDevice& device() const { return device_; }
  uint64_t sync_id() const { return sync_id_; }

  /// Waits on the host until everything queued so far is done.
  void WaitOnHost();
  /// The same after an error, whose own errors nobody hears.
  void Drain() noexcept;

 private:
  OrtSyncStreamImpl* impl_;
  OrtMemoryDevice device_;
  uint64_t sync_id_ = 1;
};
