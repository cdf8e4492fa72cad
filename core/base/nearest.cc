// SPDX-License-Identifier: Apache-2.0
#include "core/base/nearest.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace ortrun {
namespace {

constexpr size_t kLongestCompared = 256;
constexpr size_t kMostChanges = 16;
constexpr size_t kMostListed = 64;

bool Same(char x, char y) {
  return std::tolower(static_cast<unsigned char>(x)) == std::tolower(static_cast<unsigned char>(y));
}

/// The edit distance of two words, or a number above `most` when it is larger than that. Only the diagonals that are at
/// most `most` away from the main one are filled in.
size_t EditDistance(std::string_view a, std::string_view b, size_t most) {
  while (!a.empty() && !b.empty() && Same(a.front(), b.front())) {
    a.remove_prefix(1);
    b.remove_prefix(1);
  }
  while (!a.empty() && !b.empty() && Same(a.back(), b.back())) {
    a.remove_suffix(1);
    b.remove_suffix(1);
  }
  if (std::max(a.size(), b.size()) - std::min(a.size(), b.size()) > most) return most + 1;
  if (a.empty() || b.empty()) return std::max(a.size(), b.size());
  if (std::max(a.size(), b.size()) > kLongestCompared) return most + 1;
  const size_t far = most + 1;
  std::array<size_t, kLongestCompared + 1> row;
  for (size_t j = 0; j <= b.size(); ++j) row[j] = std::min(j, far);
  for (size_t i = 1; i <= a.size(); ++i) {
    const size_t first = i > most ? i - most : 1;
    const size_t last = std::min(b.size(), i + most);
    size_t diagonal = row[first - 1];
    size_t least = row[first - 1] = first == 1 ? std::min(i, far) : far;
    for (size_t j = first; j <= last; ++j) {
      const size_t replaced = diagonal + (Same(a[i - 1], b[j - 1]) ? 0 : 1);
      const size_t above = j == i + most ? far : row[j];
      diagonal = row[j];
      row[j] = std::min({replaced, row[j - 1] + 1, above + 1, far});
      least = std::min(least, row[j]);
    }
    if (least > most) return far;
  }
  return row[b.size()];
}

}  // namespace

std::string Nearest(std::string_view word, const std::vector<std::string>& candidates) {
  const std::string* best = nullptr;
  size_t most = std::clamp<size_t>(word.size() / 3, 2, kMostChanges);
  for (const std::string& candidate : candidates) {
    const size_t distance = EditDistance(word, candidate, most);
    if (distance > most) continue;
    best = &candidate;
    if (distance == 0) break;
    most = distance - 1;
  }
  return best == nullptr ? "" : *best;
}

std::string DidYouMean(std::string_view word, const std::vector<std::string>& candidates) {
  const std::string nearest = Nearest(word, candidates);
  return nearest.empty() ? "" : " Did you mean '" + Shortened(nearest) + "'?";
}

std::string Shortened(std::string_view text, size_t longest) {
  if (text.size() <= longest) return std::string(text);
  // Not within a letter of several bytes.
  const auto inside = [&](size_t at) { return (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80; };
  size_t head = longest / 2;
  size_t tail = text.size() - longest / 4;
  while (head > 0 && inside(head)) --head;
  while (tail < text.size() && inside(tail)) ++tail;
  return std::string(text.substr(0, head)) + "..." + std::string(text.substr(tail)) + " (" +
         std::to_string(text.size()) + " bytes)";
}

std::string Join(const std::vector<std::string>& words) {
  if (words.empty()) return "none";
  std::string joined;
  for (size_t i = 0; i < words.size() && i < kMostListed; ++i) joined += (i == 0 ? "" : ", ") + Shortened(words[i]);
  if (words.size() > kMostListed) joined += " and " + std::to_string(words.size() - kMostListed) + " more";
  return joined;
}

}  // namespace ortrun
