// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "ortrun/kernel_context.h"

namespace ortrun::cpu {

/// Copies a strided view into a dense array: `extents` are the dimensions of the result, outermost first (at most 32),
/// `strides` the steps in the source per dimension, in elements; they may be 0 (repeat) or negative (reverse). `source`
/// is the element at index 0 of every dimension. Serves Transpose, Slice, Expand, Tile, DepthToSpace ...
/// Elements are of 1, 2, 4, 8 or 16 bytes. The memory must not overlap.
void StridedCopy(const KernelContext& context, const void* source, void* target, std::span<const int64_t> extents,
                 std::span<const int64_t> strides, size_t element_size);

/// The same outside a kernel call, on the calling thread.
void StridedCopy(const void* source, void* target, std::span<const int64_t> extents, std::span<const int64_t> strides,
                 size_t element_size);

}  // namespace ortrun::cpu
