// SPDX-License-Identifier: Apache-2.0
#include "plugins/cpu/kernels/text/ngram_pool.h"

#include <cstring>

namespace ortrun::cpu {

uint32_t KeyTable::Insert(uint64_t key, uint32_t fresh) {
  if (2 * (count_ + 1) > slots_.size()) Grow();
  for (size_t at = Hash(key) & mask_;; at = (at + 1) & mask_) {
    Slot& slot = slots_[at];
    if (slot.value != kNone && slot.key != key) continue;
    if (slot.value == kNone) {
      slot = {key, fresh};
      ++count_;
    }
    return slot.value;
  }
}

void KeyTable::Grow() {
  std::vector<Slot> old(slots_.empty() ? 16 : 2 * slots_.size());
  old.swap(slots_);
  mask_ = slots_.size() - 1;
  count_ = 0;
  for (const Slot& slot : old)
    if (slot.value != kNone) Insert(slot.key, slot.value);
}

void NgramPool::Add(const std::vector<uint32_t>& tokens, uint32_t ngram) {
  uint32_t node = kRoot;
  for (uint32_t token : tokens) {
    const auto fresh = static_cast<uint32_t>(ngrams_.size());
    node = children_.Insert(static_cast<uint64_t>(node) << 32 | token, fresh);
    if (node == fresh) ngrams_.push_back(kNone);
  }
  ngrams_[node] = ngram;
}

uint32_t TokenNumbers::Insert(std::string_view token) {
  return numbers_.try_emplace(std::string(token), static_cast<uint32_t>(numbers_.size())).first->second;
}

size_t TokenNumbers::Hash::operator()(std::string_view text) const {
  uint64_t hash = text.size();
  while (!text.empty()) {
    uint64_t word = 0;
    const size_t take = text.size() < 8 ? text.size() : 8;
    std::memcpy(&word, text.data(), take);
    hash = (hash ^ word) * 0x9E3779B97F4A7C15ull;
    hash ^= hash >> 29;
    text.remove_prefix(take);
  }
  return static_cast<size_t>(hash);
}

}  // namespace ortrun::cpu
