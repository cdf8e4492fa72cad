// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace ortrun::cpu {

/// An open-addressed table from 64-bit keys to numbers; small enough to stay in the cache.
class KeyTable {
 public:
  static constexpr uint32_t kNone = UINT32_MAX;

  /// Answers the number of `key`, which becomes `fresh` when the key is new.
  uint32_t Insert(uint64_t key, uint32_t fresh);
  uint32_t Find(uint64_t key) const {
    if (slots_.empty()) return kNone;
    for (size_t at = Hash(key) & mask_;; at = (at + 1) & mask_) {
      if (slots_[at].value == kNone) return kNone;
      if (slots_[at].key == key) return slots_[at].value;
    }
  }

 private:
  struct Slot {
    uint64_t key = 0;
    uint32_t value = kNone;
  };
  static size_t Hash(uint64_t key) {
    key *= 0x9E3779B97F4A7C15ull;
    return static_cast<size_t>(key ^ key >> 32);
  }
  void Grow();

  std::vector<Slot> slots_;
  size_t mask_ = 0;
  size_t count_ = 0;
};

/// The n-grams of a vectorizer as a tree over token numbers: Step walks from one token to the next.
class NgramPool {
 public:
  static constexpr uint32_t kNone = KeyTable::kNone;
  static constexpr uint32_t kRoot = 0;

  /// Adds an n-gram; `tokens` are numbers of its tokens.
  void Add(const std::vector<uint32_t>& tokens, uint32_t ngram);
  uint32_t Step(uint32_t node, uint32_t token) const {
    return children_.Find(static_cast<uint64_t>(node) << 32 | token);
  }
  /// The n-gram that ends at `node`, or kNone.
  uint32_t Ngram(uint32_t node) const { return ngrams_[node]; }

 private:
  KeyTable children_;
  std::vector<uint32_t> ngrams_ = {kNone};
};

/// Numbers for tokens that are strings.
class TokenNumbers {
 public:
  uint32_t Insert(std::string_view token);
  uint32_t Find(std::string_view token) const {
    const auto found = numbers_.find(token);
    return found == numbers_.end() ? NgramPool::kNone : found->second;
  }

 private:
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const;
  };
  std::unordered_map<std::string, uint32_t, Hash, std::equal_to<>> numbers_;
};

}  // namespace ortrun::cpu
