// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/execution/value.h"

struct OrtKernelContext;

namespace ortrun {

/// Where a value of a run lies, and with that who may write it and what a result of the run does with it.
enum class Place : char {
  kOwn,       ///< the slot's own value, memory taken in this run: given back after the last use; a result is moved
  kPlanned,   ///< the slot's own value, at its offset in the frame's block; never a result
  kConstant,  ///< a constant of the program or of the bound plan, shared by runs: only read; a result is a copy
  kInput,     ///< the caller's, or a value of an outer graph: only read; a result is a copy
  kGiven,     ///< the caller's buffer for this output: made there, so it is the result already
};

/// One value of a program in the runs of a frame.
struct Slot {
  struct UseSite {
    OrtKernelContext* context;
    size_t index;
    bool output;
  };
  Value own;
  Value* at = nullptr;  ///< where the value is in this run: `own`, or whose `place` says
  Place place = Place::kOwn;
  uint64_t made_in = 0;        ///< the last run of the frame in which memory was asked for through MakeOutput
  std::vector<UseSite> sites;  ///< where contexts point at it
};

}  // namespace ortrun
