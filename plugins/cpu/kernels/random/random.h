// SPDX-License-Identifier: Apache-2.0
#pragma once

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

/// The generator of one call: from the attribute `seed`, or from the system where the node has none.
class RandomSource {
 public:
  explicit RandomSource(const KernelInfo& info);
  std::mt19937 Start() const;
  /// The next number of [0, 1), of 53 random bits.
  static double Uniform(std::mt19937& generator);

 private:
  std::optional<uint32_t> seed_;
};

}  // namespace ortrun::cpu
