// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "core/execution/options.h"
#include "core/providers/environment.h"

namespace ortrun::abi {

/// Holds the process's environment; makes one with default options when there is none yet.
class EnvironmentHold {
 public:
  EnvironmentHold() : env_(OrtEnv::Acquire({})) {}
  EnvironmentHold(const EnvironmentHold&) = delete;
  EnvironmentHold& operator=(const EnvironmentHold&) = delete;
  ~EnvironmentHold() { env_->Release(); }
  OrtEnv* operator->() const { return env_; }

 private:
  OrtEnv* env_;
};

/// Adds a request for a provider to the session options. `name` may leave "ExecutionProvider" out and is compared
/// without case. Throws Error(`unknown`) with the nearest name and what was searched when the environment has none.
void RequestProvider(OrtSessionOptions& options, const std::string& name, const KeyValuePairs& provider_options,
                     OrtErrorCode unknown = ORT_INVALID_ARGUMENT);

/// The suffix that providers' names have: "CPU" + this.
inline constexpr const char* kProviderSuffix = "ExecutionProvider";

/// Pairs from the two arrays of a slot.
KeyValuePairs PairsFrom(const char* const* keys, const char* const* values, size_t count);

}  // namespace ortrun::abi
