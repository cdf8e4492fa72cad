// SPDX-License-Identifier: Apache-2.0
#include "plugins/cpu/kernels/random/random.h"

#include <bit>

namespace ortrun::cpu {

RandomSource::RandomSource(const KernelInfo& info) {
  // The attribute is a float, and common seeds are whole numbers: those are kept as they are.
  if (!info.HasAttribute("seed")) return;
  const float seed = info.Float("seed", 0);
  const bool whole = seed >= 0 && seed < 4294967296.0F && static_cast<float>(static_cast<uint32_t>(seed)) == seed;
  seed_ = whole ? static_cast<uint32_t>(seed) : std::bit_cast<uint32_t>(seed);
}

std::mt19937 RandomSource::Start() const { return std::mt19937(seed_ ? *seed_ : std::random_device{}()); }

double RandomSource::Uniform(std::mt19937& generator) {
  const double high = static_cast<double>(generator() >> 5);
  const double low = static_cast<double>(generator() >> 6);
  return (high * 67108864.0 + low) / 9007199254740992.0;
}

void RegisterRandom(KernelList& list) {
  RegisterDistributions(list);
  RegisterDraws(list);
}

}  // namespace ortrun::cpu
