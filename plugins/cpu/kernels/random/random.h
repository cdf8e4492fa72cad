// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <random>

#include "ortrun/kernel.h"

namespace ortrun::cpu {

/// Operators whose outputs are drawn at random. With a seed every run gives the same numbers.
void RegisterRandom(KernelList& list);

// One function a file, called by RegisterRandom.
void RegisterDistributions(KernelList& list);
void RegisterDraws(KernelList& list);

/// The generators of one node's calls. With a seed of the node's own all calls start alike. Without one they differ;
/// where the session has the configuration entry "ortrun.random_seed" (an integer), the n-th call of the node starts
/// alike in every session with that seed, and elsewhere from the system's randomness.
class RandomSource {
 public:
  /// For a node whose seed is the float attribute `seed`.
  explicit RandomSource(const KernelInfo& info);
  RandomSource(const KernelInfo& info, std::optional<uint32_t> own_seed);

  std::mt19937 Start() const;
  /// The next number of [0, 1), of 53 random bits.
  static double Uniform(std::mt19937& generator);

 private:
  std::optional<uint32_t> own_seed_;
  std::optional<uint64_t> session_seed_;
  uint64_t node_ = 0;  ///< tells the nodes of a model apart
  mutable std::atomic<uint64_t> calls_{0};
};

}  // namespace ortrun::cpu
