// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ortrun/kernel.h"
#include "plugins/cpu/kernels/common/half_loops.h"
#include "plugins/cpu/kernels/common/narrow_types.h"

namespace ortrun::cpu {

/// Whether elements of the type have eight bits or fewer and are no plain integers: float8, float4, int4, int2.
bool IsNarrow(ElementType type);

/// The narrow types' part of Cast: they are cast by way of a wide type that holds all their values.
class NarrowCast {
 public:
  /// Reads the attributes saturate and round_mode.
  explicit NarrowCast(const KernelInfo& info);

  /// The elements of a tensor of a narrow type as float, or as int8 or uint8 for integers, in scratch memory.
  Tensor Decoded(KernelContext& context, const Tensor& x) const;

  /// Scratch memory for what becomes `y`, as float, or as int8 or uint8 for integers.
  Tensor WideTarget(KernelContext& context, const Tensor& y) const;
  /// Fills `y`, of a narrow type, from what was made in WideTarget.
  void Encode(const Tensor& wide, const Tensor& y) const;

 private:
  bool saturate_;
  E8M0Rounding rounding_ = E8M0Rounding::kUp;
};

}  // namespace ortrun::cpu
