// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bitset>
#include <memory>
#include <string>
#include <string_view>

namespace re2 {
class RE2;
}

namespace ortrun::cpu {

/// A regular expression in RE2's syntax that finds the longest of the leftmost matches. A pattern that is one class of
/// ASCII characters repeated ("[a-z0-9_]+") is scanned with a table instead.
class TokenPattern {
 public:
  explicit TokenPattern(const std::string& pattern);
  ~TokenPattern();
  TokenPattern(TokenPattern&&) noexcept;

  struct Match {
    size_t begin;
    size_t end;
  };
  /// The first match in text[from..), if any.
  bool Find(std::string_view text, size_t from, Match& match) const;
  bool FullMatch(std::string_view text) const;

 private:
  bool ParseSimpleClass(std::string_view pattern);

  std::unique_ptr<re2::RE2> regex_;
  std::bitset<256> characters_;
  bool is_class_ = false;
};

}  // namespace ortrun::cpu
