// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include "ortrun/kernel_context.h"
#include "plugins/cpu/kernels/common/types.h"

namespace ortrun::cpu {

/// Conversion of arrays between the 16-bit floating-point types and float, over vectors. Widening is exact; narrowing
/// rounds to nearest, ties to even, and what is too large becomes infinite.
void Widen(const Float16* from, float* to, size_t count);
void Widen(const BFloat16* from, float* to, size_t count);
void Narrow(const float* from, Float16* to, size_t count);
void Narrow(const float* from, BFloat16* to, size_t count);

/// The types that they convert from and to.
using Halves = TypeList<Float16, BFloat16>;
bool IsHalf(ElementType type);

/// The same for memory whose type is known at run time; it must be a half.
void WidenHalf(ElementType type, const void* from, float* to, size_t count);
void NarrowHalf(ElementType type, const float* from, void* to, size_t count);

/// On the threads of a call.
void WidenHalf(const KernelContext& context, ElementType type, const void* from, float* to, size_t count);
void NarrowHalf(const KernelContext& context, ElementType type, const float* from, void* to, size_t count);

}  // namespace ortrun::cpu
