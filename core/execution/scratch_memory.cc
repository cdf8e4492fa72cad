// SPDX-License-Identifier: Apache-2.0
#include "core/execution/scratch_memory.h"

#include <algorithm>

#include "core/execution/memory.h"
#include "ortrun/error.h"

namespace ortrun {

void* ScratchMemory::Take(size_t bytes) {
  const size_t rounded = (bytes + kAlignment - 1) / kAlignment * kAlignment;
  Require(rounded >= bytes, "a kernel asked for ", bytes, " bytes of scratch memory");
  wanted_ += rounded;
  if (used_ + rounded <= size_) {
    void* place = static_cast<char*>(block_.get()) + used_;
    used_ += rounded;
    return place;
  }
  overflow_.push_back(AllocateCpu(rounded));
  return overflow_.back().get();
}

void ScratchMemory::Reset() {
  peak_ = std::max(peak_, wanted_);
  wanted_ = 0;
  used_ = 0;
  overflow_.clear();
}

void ScratchMemory::Reserve(size_t bytes) {
  if (bytes <= size_) return;
  block_.reset();
  block_ = AllocateCpu(bytes);
  size_ = bytes;
}

}  // namespace ortrun
