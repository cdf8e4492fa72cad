// SPDX-License-Identifier: Apache-2.0
#include "plugins/cpu/kernels/image/resample.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "plugins/cpu/kernels/image/resample.cc"
// clang-format off
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace ortrun::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using D = hn::ScalableTag<float>;
using V = hn::Vec<D>;

/// Neighbouring outputs are made from elements anywhere in the row.
void GatherRow(const float* x, const AxisTaps<float>& taps, float* y) {
  const D d;
  const hn::RebindToSigned<D> di;
  const size_t lanes = hn::Lanes(d);
  const auto n = static_cast<size_t>(taps.out);
  size_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    V sum = hn::Mul(hn::GatherIndex(d, x, hn::LoadU(di, taps.index + i)), hn::LoadU(d, taps.weight + i));
    for (size_t k = 1; k < taps.taps; ++k) {
      const size_t at = k * n + i;
      sum = hn::MulAdd(hn::GatherIndex(d, x, hn::LoadU(di, taps.index + at)), hn::LoadU(d, taps.weight + at), sum);
    }
    hn::StoreU(sum, d, y + i);
  }
  for (; i < n; ++i) {
    float sum = 0;
    for (size_t k = 0; k < taps.taps; ++k) sum += x[taps.index[k * n + i]] * taps.weight[k * n + i];
    y[i] = sum;
  }
}

void BlendTarget(const float* const* rows, const float* weights, size_t stride, size_t count, float* y, size_t n) {
  const D d;
  const size_t lanes = hn::Lanes(d);
  size_t i = 0;
  if (count == 2) {
    const V first = hn::Set(d, weights[0]), second = hn::Set(d, weights[stride]);
    for (; i + lanes <= n; i += lanes)
      hn::StoreU(hn::MulAdd(hn::LoadU(d, rows[1] + i), second, hn::Mul(hn::LoadU(d, rows[0] + i), first)), d, y + i);
  } else {
    for (; i + lanes <= n; i += lanes) {
      V sum = hn::Mul(hn::LoadU(d, rows[0] + i), hn::Set(d, weights[0]));
      for (size_t k = 1; k < count; ++k)
        sum = hn::MulAdd(hn::LoadU(d, rows[k] + i), hn::Set(d, weights[k * stride]), sum);
      hn::StoreU(sum, d, y + i);
    }
  }
  for (; i < n; ++i) {
    float sum = 0;
    for (size_t k = 0; k < count; ++k) sum += rows[k][i] * weights[k * stride];
    y[i] = sum;
  }
}

void DoubleTarget(const float* x, float* y, size_t rows, size_t n, size_t copies) {
  const D d;
  const size_t lanes = hn::Lanes(d);
  for (size_t row = 0; row < rows; ++row, x += n, y += 2 * n * copies) {
    const auto store = [&](size_t i) HWY_ATTR {
      const V v = hn::LoadU(d, x + i);
      for (size_t copy = 0; copy < copies; ++copy) hn::StoreInterleaved2(v, v, d, y + 2 * (copy * n + i));
    };
    size_t i = 0;
    for (; i + lanes <= n; i += lanes) store(i);
    if (i < n && n >= lanes) {
      store(n - lanes);
      continue;
    }
    for (; i < n; ++i)
      for (size_t copy = 0; copy < copies; ++copy) y[2 * (copy * n + i)] = y[2 * (copy * n + i) + 1] = x[i];
  }
}

}  // namespace ortrun::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ortrun::cpu {
HWY_EXPORT(GatherRow);
HWY_EXPORT(BlendTarget);
HWY_EXPORT(DoubleTarget);

namespace {

constexpr size_t kWidePixel = 8;  ///< elements of a pixel that fill vectors

/// Pixels of several elements: each is a blend of whole pixels.
template <typename W>
void ResamplePixels(const W* x, const AxisTaps<W>& taps, size_t inner, W* y) {
  const auto n = static_cast<size_t>(taps.out);
  constexpr size_t kTapsAtOnce = 16;
  for (size_t i = 0; i < n; ++i, y += inner) {
    if (inner >= kWidePixel && taps.taps <= kTapsAtOnce) {
      const W* rows[kTapsAtOnce];
      for (size_t k = 0; k < taps.taps; ++k) rows[k] = x + static_cast<size_t>(taps.index[k * n + i]) * inner;
      BlendRows(rows, taps.weight + i, n, taps.taps, y, inner);
      continue;
    }
    std::fill_n(y, inner, W(0));
    for (size_t k = 0; k < taps.taps; ++k) {
      const W* from = x + static_cast<size_t>(taps.index[k * n + i]) * inner;
      const W w = taps.weight[k * n + i];
      for (size_t c = 0; c < inner; ++c) y[c] += from[c] * w;
    }
  }
}

}  // namespace

void ResampleRow(const float* x, const AxisTaps<float>& taps, size_t inner, float* y) {
  if (inner == 1)
    HWY_DYNAMIC_DISPATCH(GatherRow)(x, taps, y);
  else
    ResamplePixels(x, taps, inner, y);
}

void ResampleRow(const double* x, const AxisTaps<double>& taps, size_t inner, double* y) {
  ResamplePixels(x, taps, inner, y);
}

void BlendRows(const float* const* rows, const float* weights, size_t stride, size_t count, float* y, size_t n) {
  HWY_DYNAMIC_DISPATCH(BlendTarget)(rows, weights, stride, count, y, n);
}

void BlendRows(const double* const* rows, const double* weights, size_t stride, size_t count, double* y, size_t n) {
  std::fill_n(y, n, 0.0);
  for (size_t k = 0; k < count; ++k)
    for (size_t i = 0; i < n; ++i) y[i] += rows[k][i] * weights[k * stride];
}

void DoubleRows(const float* x, float* y, size_t rows, size_t n, size_t copies) {
  HWY_DYNAMIC_DISPATCH(DoubleTarget)(x, y, rows, n, copies);
}

}  // namespace ortrun::cpu
#endif
