// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include "plugins/cpu/kernels/common/types.h"

namespace ortrun::cpu {

// Arithmetic of the 16-bit types one step after the other, on numbers held as float: each step leaves its result in the
// type, as the standard's definition by single operators does. Where a result is far from exact in so few digits this
// decides which of its neighbours it becomes.

/// Rounds numbers in place to those of a 16-bit type; for other types leaves them.
void RoundToType(ElementType type, float* x, size_t n);

/// Their sum. bfloat16 rounds after each addition, as numpy does, for as many elements as it can count; else the sum is
/// kept in float and rounded once.
float SumInType(ElementType type, const float* x, size_t n);

/// exp(x - largest) / sum, in place. Not a number where all are minus infinity.
void SoftmaxInType(ElementType type, float* x, size_t n);

}  // namespace ortrun::cpu
