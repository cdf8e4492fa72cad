// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ortrun {

/// The candidate with the smallest edit distance to `word`, ignoring case, if it is near enough to be a slip of the
/// keyboard (at most a third of the word's length, at least 2); otherwise an empty string.
std::string Nearest(std::string_view word, const std::vector<std::string>& candidates);

/// " Did you mean 'x'?" for the nearest candidate, or an empty string.
std::string DidYouMean(std::string_view word, const std::vector<std::string>& candidates);

/// "a, b, c", or "none" when empty.
std::string Join(const std::vector<std::string>& words);

}  // namespace ortrun
