// SPDX-License-Identifier: Apache-2.0
// The tile of a matrix product that lives in registers. Include after hwy/highway.h in a file built once per target.

#if defined(ORTRUN_CPU_GEMM_MICRO_KERNEL_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef ORTRUN_CPU_GEMM_MICRO_KERNEL_INL_H
#undef ORTRUN_CPU_GEMM_MICRO_KERNEL_INL_H
#else
#define ORTRUN_CPU_GEMM_MICRO_KERNEL_INL_H
#endif

#include "hwy/cache_control.h"
#include "hwy/highway.h"
#include "plugins/cpu/gemm/micro_kernels.h"
#include "plugins/cpu/vector/clamp-inl.h"
#include "plugins/cpu/vector/partial-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ortrun::cpu {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
namespace vec = ortrun::cpu::vector::HWY_NAMESPACE;

using FloatTag = hn::ScalableTag<float>;
using FloatVec = hn::Vec<FloatTag>;

/// What the tile does after its sums: scale, bias, residual, clamp.
template <size_t kRows, size_t kVectors>
HWY_INLINE void FinishTile(const TileArguments& t, FloatVec (&sum)[kRows][kVectors]) {
  const FloatTag d;
  const size_t lanes = hn::Lanes(d);
  constexpr size_t kLast = kVectors - 1;
  if (t.alpha != 1.0F) {
    const FloatVec alpha = hn::Set(d, t.alpha);
#pragma GCC unroll 16
    for (size_t r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
      for (size_t v = 0; v < kVectors; ++v) sum[r][v] = hn::Mul(sum[r][v], alpha);
    }
  }
  if (t.bias != nullptr) {
    FloatVec bias[kVectors];
#pragma GCC unroll 4
    for (size_t v = 0; v < kLast; ++v) bias[v] = hn::LoadU(d, t.bias + v * lanes);
    bias[kLast] = vec::LoadPartial(d, t.bias + kLast * lanes, t.last);
#pragma GCC unroll 16
    for (size_t r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
      for (size_t v = 0; v < kVectors; ++v) sum[r][v] = hn::Add(sum[r][v], bias[v]);
    }
  }
  if (t.row_bias != nullptr) {
#pragma GCC unroll 16
    for (size_t r = 0; r < kRows; ++r) {
      const FloatVec bias = hn::Set(d, t.row_bias[r]);
#pragma GCC unroll 4
      for (size_t v = 0; v < kVectors; ++v) sum[r][v] = hn::Add(sum[r][v], bias);
    }
  }
  if (t.residual != nullptr) {
    const FloatVec scale = hn::Set(d, t.residual_scale);
#pragma GCC unroll 16
    for (size_t r = 0; r < kRows; ++r) {
      const float* row = t.residual + r * t.residual_ld;
#pragma GCC unroll 4
      for (size_t v = 0; v < kLast; ++v) sum[r][v] = hn::MulAdd(hn::LoadU(d, row + v * lanes), scale, sum[r][v]);
      sum[r][kLast] = hn::MulAdd(vec::LoadPartial(d, row + kLast * lanes, t.last), scale, sum[r][kLast]);
    }
  }
  if (t.clamp) {
    const FloatVec low = hn::Set(d, t.low);
    const FloatVec high = hn::Set(d, t.high);
#pragma GCC unroll 16
    for (size_t r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
      for (size_t v = 0; v < kVectors; ++v) sum[r][v] = vec::Clamp(low, high, sum[r][v]);
    }
  }
}

/// The loop over k. kMaskB: the last vector of B's rows is partial.
template <size_t kRows, size_t kVectors, bool kMaskB>
HWY_INLINE void SumTile(const TileArguments& t, FloatVec (&sum)[kRows][kVectors]) {
  const FloatTag d;
  const size_t lanes = hn::Lanes(d);
  constexpr size_t kLast = kVectors - 1;
  const float* HWY_RESTRICT b = t.b;
  const size_t ldb = t.ldb;
  const size_t length = t.length;
  const size_t last = t.last;
  const float* const* rows = t.a;
  const char* ahead = t.ahead;
  const size_t ahead_step = t.ahead_step;
  for (size_t taps = t.taps; taps != 0; --taps, rows += t.a_pitch) {
    const float* a[kRows];
#pragma GCC unroll 16
    for (size_t r = 0; r < kRows; ++r) a[r] = rows[r] + t.a_offset;
    for (size_t i = 0; i < length; ++i) {
      FloatVec column[kVectors];
#pragma GCC unroll 4
      for (size_t v = 0; v < kLast; ++v) column[v] = hn::LoadU(d, b + v * lanes);
      if constexpr (kMaskB) {
        column[kLast] = vec::LoadPartial(d, b + kLast * lanes, last);
      } else {
        column[kLast] = hn::LoadU(d, b + kLast * lanes);
      }
      b += ldb;
      if constexpr (kRows * kVectors > kRows + kVectors) {  // else loads, not products, take the time
        __builtin_prefetch(ahead, 0, 2);
        ahead += ahead_step;
      }
#pragma GCC unroll 16
      for (size_t r = 0; r < kRows; ++r) {
        const FloatVec left = hn::Set(d, a[r][i]);
#pragma GCC unroll 4
        for (size_t v = 0; v < kVectors; ++v) sum[r][v] = hn::MulAdd(left, column[v], sum[r][v]);
      }
    }
  }
}

template <size_t kRows, size_t kVectors>
void Tile(const TileArguments& t) {
  const FloatTag d;
  const size_t lanes = hn::Lanes(d);
  constexpr size_t kLast = kVectors - 1;
  FloatVec sum[kRows][kVectors];
  if (t.accumulate) {
#pragma GCC unroll 16
    for (size_t r = 0; r < kRows; ++r) {
      const float* row = t.c + r * t.ldc;
#pragma GCC unroll 4
      for (size_t v = 0; v < kLast; ++v) sum[r][v] = hn::LoadU(d, row + v * lanes);
      sum[r][kLast] = vec::LoadPartial(d, row + kLast * lanes, t.last);
    }
  } else {
#pragma GCC unroll 16
    for (size_t r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
      for (size_t v = 0; v < kVectors; ++v) sum[r][v] = hn::Zero(d);
    }
  }
  if (t.finish && t.residual != nullptr) {  // it comes while the sums are made
#pragma GCC unroll 16
    for (size_t r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
      for (size_t v = 0; v < kVectors; ++v) hwy::Prefetch(t.residual + r * t.residual_ld + v * lanes);
    }
  }
  if (t.mask_b && t.last != lanes) {
    SumTile<kRows, kVectors, true>(t, sum);
  } else {
    SumTile<kRows, kVectors, false>(t, sum);
  }
  if (t.finish) FinishTile<kRows, kVectors>(t, sum);
#pragma GCC unroll 16
  for (size_t r = 0; r < kRows; ++r) {
    float* row = t.c + r * t.ldc;
#pragma GCC unroll 4
    for (size_t v = 0; v < kLast; ++v) hn::StoreU(sum[r][v], d, row + v * lanes);
    vec::StorePartial(sum[r][kLast], d, row + kLast * lanes, t.last);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace ortrun::cpu
HWY_AFTER_NAMESPACE();

#endif
