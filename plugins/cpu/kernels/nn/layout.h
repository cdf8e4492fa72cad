// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "plugins/cpu/kernels/common/strided_copy.h"

namespace ortrun::cpu {

/// The domain of operators on channels-last data.
inline constexpr char kNhwcDomain[] = "com.ms.internal.nhwc";

/// Copies between [batch, spatial..., channels] and [batch, channels, spatial...]; `shape` is the channels-last one.
inline void ToChannelsFirst(const KernelContext& context, const void* from, void* to, std::span<const int64_t> shape,
                            size_t element_size = sizeof(float)) {
  const Shape dims(shape);
  const int64_t channels = dims[dims.rank() - 1];
  const int64_t places = dims.Count(1, dims.rank() - 1);
  StridedCopy(context, from, to, Shape{dims[0], channels, places}.dims(), Shape{channels * places, 1, channels}.dims(),
              element_size);
}

inline void ToChannelsLast(const KernelContext& context, const void* from, void* to, std::span<const int64_t> shape,
                           size_t element_size = sizeof(float)) {
  const Shape dims(shape);
  const int64_t channels = dims[dims.rank() - 1];
  const int64_t places = dims.Count(1, dims.rank() - 1);
  StridedCopy(context, from, to, Shape{dims[0], places, channels}.dims(), Shape{channels * places, 1, places}.dims(),
              element_size);
}

}  // namespace ortrun::cpu
