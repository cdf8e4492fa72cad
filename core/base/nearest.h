// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace ortrun {

// Names in messages. They come from models and callers and may have any length and number: what is said of them has a
// bounded size and costs time in proportion to their number. Also compiled into the Python module and the command.

/// The candidate with the smallest edit distance to `word`, ignoring case, if it is near enough to be a slip of the
/// keyboard (at most a third of the word's length, at least 2 and at most 16 letters); otherwise an empty string. Words
/// of more than 256 letters are near to nothing but themselves in another case.
std::string Nearest(std::string_view word, const std::vector<std::string>& candidates);

/// " Did you mean 'x'?" for the nearest candidate, or an empty string.
std::string DidYouMean(std::string_view word, const std::vector<std::string>& candidates);

/// The text, or the first and last letters of one of more than `longest` bytes, with its length. The default is for
/// names.
std::string Shortened(std::string_view text, size_t longest = 256);

/// "a, b, c", or "none" when empty. A long list ends with the number of those left out.
std::string Join(const std::vector<std::string>& words);

}  // namespace ortrun
