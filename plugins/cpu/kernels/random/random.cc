// SPDX-License-Identifier: Apache-2.0
#include "plugins/cpu/kernels/random/random.h"

#include <bit>
#include <charconv>
#include <string>

namespace ortrun::cpu {
namespace {

constexpr char kSessionSeed[] = "ortrun.random_seed";

std::optional<uint32_t> SeedAttribute(const KernelInfo& info) {
  // The attribute is a float, and common seeds are whole numbers: those are kept as they are.
  if (!info.HasAttribute("seed")) return std::nullopt;
  const float seed = info.Float("seed", 0);
  const bool whole = seed >= 0 && seed < 4294967296.0F && static_cast<float>(static_cast<uint32_t>(seed)) == seed;
  return whole ? static_cast<uint32_t>(seed) : std::bit_cast<uint32_t>(seed);
}

std::optional<uint64_t> SessionSeed(const KernelInfo& info) {
  const OrtApi& api = *info.host().api;
  OrtKeyValuePairs* entries = nullptr;
  ThrowOnError(api, api.KernelInfo_GetConfigEntries(info.get(), &entries));
  const char* value = api.GetKeyValue(entries, kSessionSeed);
  const std::optional<std::string> text = value == nullptr ? std::nullopt : std::optional<std::string>(value);
  api.ReleaseKeyValuePairs(entries);
  if (!text) return std::nullopt;
  int64_t seed = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), seed);
  Require(error == std::errc() && end == text->data() + text->size(), "the session's configuration entry '",
          kSessionSeed, "' is '", *text, "', which is no integer of 64 bits");
  return static_cast<uint64_t>(seed);
}

std::string FirstOutput(const KernelInfo& info) {
  const OrtApi& api = *info.host().api;
  size_t size = 0;
  ThrowOnError(api, api.KernelInfo_GetOutputName(info.get(), 0, nullptr, &size));
  std::string name(size, '\0');
  ThrowOnError(api, api.KernelInfo_GetOutputName(info.get(), 0, name.data(), &size));
  return name;
}

/// FNV-1a: the same on every machine, so that a seed gives the same numbers everywhere.
uint64_t HashOf(const std::string& text) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return hash;
}

}  // namespace

RandomSource::RandomSource(const KernelInfo& info) : RandomSource(info, SeedAttribute(info)) {}

RandomSource::RandomSource(const KernelInfo& info, std::optional<uint32_t> own_seed) : own_seed_(own_seed) {
  if (own_seed_) return;
  session_seed_ = SessionSeed(info);
  // Nodes need not have names, their outputs do.
  if (session_seed_) node_ = HashOf(FirstOutput(info) + '\n' + info.NodeName());
}

std::mt19937 RandomSource::Start() const {
  if (own_seed_) return std::mt19937(*own_seed_);
  if (!session_seed_) return std::mt19937(std::random_device{}());
  const uint64_t call = calls_.fetch_add(1, std::memory_order_relaxed);
  const auto low = [](uint64_t value) { return static_cast<uint32_t>(value); };
  const auto high = [](uint64_t value) { return static_cast<uint32_t>(value >> 32); };
  std::seed_seq sequence{low(*session_seed_), high(*session_seed_), low(node_), high(node_), low(call), high(call)};
  return std::mt19937(sequence);
}

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
