// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "plugins/cpu/kernels/common/types.h"

namespace ortrun::cpu {

// Numbers as text and back, as Cast writes and reads them. T is one of NumbersAndHalf or bool.

/// The fewest digits that read back as the same number of the same type: "0.1", "1", "-0", "100000", "1e+22", "NaN",
/// "INF", "-INF"; "1" and "0" for booleans.
template <typename T>
std::string PrintNumber(T value);

/// The number that a text names, white space around it allowed. Floating-point types round, overflow to infinity, and
/// take "inf", "nan" and hexadecimal digits; integers take whole numbers and drop the fraction of others; booleans take
/// "true" and "false", and numbers, of which all but 0 are true. Throws for any other text, and for a number that an
/// integer type cannot hold.
template <typename T>
T ParseNumber(const std::string& text);

}  // namespace ortrun::cpu
