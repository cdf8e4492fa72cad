// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "onnxruntime_c_api.h"

namespace ortrun {

/// A caching allocator over `base`: freed blocks wait for a request of their size class (at most a quarter larger) and
/// go back to `base` when Trim is called or the arena ends. Thread-safe. The arena lives until its last block is freed.
class Arena : public OrtAllocator, public std::enable_shared_from_this<Arena> {
 public:
  static std::shared_ptr<Arena> Make(std::shared_ptr<OrtAllocator> base);
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;
  ~Arena();

  /// Gives cached blocks back to the base.
  void TrimCache();

 private:
  explicit Arena(std::shared_ptr<OrtAllocator> base);
  void* Take(size_t bytes);
  void Give(void* memory);

  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ortrun
