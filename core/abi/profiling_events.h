// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/key_value_pairs.h"

/// A timed event that a provider's profiler adds to the trace.
struct OrtProfilingEvent {
  OrtProfilingEventCategory category{};
  int32_t process_id = 0;
  int32_t thread_id = 0;
  std::string name;
  int64_t timestamp_us = 0;
  int64_t duration_us = 0;
  OrtKeyValuePairs args;
};

/// What a provider's profiler hands over when profiling ends.
struct OrtProfilingEventsContainer {
  std::vector<OrtProfilingEvent> events;
};
