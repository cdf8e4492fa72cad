// SPDX-License-Identifier: Apache-2.0
#include "plugins/cpu/kernels/text/token_pattern.h"

#include <re2/re2.h>

#include "ortrun/error.h"

namespace ortrun::cpu {

TokenPattern::TokenPattern(const std::string& pattern) {
  RE2::Options options(RE2::Quiet);
  options.set_longest_match(true);
  regex_ = std::make_unique<RE2>(pattern, options);
  Require(regex_->ok(), "'", pattern, "' is no regular expression: ", regex_->error());
  is_class_ = ParseSimpleClass(pattern);
}

TokenPattern::~TokenPattern() = default;
TokenPattern::TokenPattern(TokenPattern&&) noexcept = default;

bool TokenPattern::ParseSimpleClass(std::string_view pattern) {
  if (pattern.size() < 4 || !pattern.starts_with('[') || !pattern.ends_with("]+")) return false;
  const std::string_view members = pattern.substr(1, pattern.size() - 3);
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  };
  for (size_t i = 0; i < members.size(); ++i) {
    if (!plain(members[i])) return false;
    char last = members[i];
    if (i + 2 < members.size() && members[i + 1] == '-') {
      last = members[i + 2];
      if (!plain(last) || last < members[i]) return false;
    }
    for (int c = members[i]; c <= last; ++c) characters_.set(static_cast<size_t>(c));
    if (i + 2 < members.size() && members[i + 1] == '-') i += 2;
  }
  return true;
}

bool TokenPattern::Find(std::string_view text, size_t from, Match& match) const {
  if (is_class_) {
    const auto holds = [this](char c) { return characters_[static_cast<unsigned char>(c)]; };
    while (from < text.size() && !holds(text[from])) ++from;
    if (from == text.size()) return false;
    match.begin = from;
    while (from < text.size() && holds(text[from])) ++from;
    match.end = from;
    return true;
  }
  re2::StringPiece found;
  if (!regex_->Match(re2::StringPiece(text.data(), text.size()), from, text.size(), RE2::UNANCHORED, &found, 1))
    return false;
  match.begin = found.data() == nullptr ? from : static_cast<size_t>(found.data() - text.data());
  match.end = match.begin + found.size();
  return true;
}

bool TokenPattern::FullMatch(std::string_view text) const {
  return RE2::FullMatch(re2::StringPiece(text.data(), text.size()), *regex_);
}

}  // namespace ortrun::cpu
