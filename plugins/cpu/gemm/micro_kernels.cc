// SPDX-License-Identifier: Apache-2.0
#include "plugins/cpu/gemm/micro_kernels.h"

#include <utility>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "plugins/cpu/gemm/micro_kernels.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"
#include "plugins/cpu/gemm/activate-inl.h"
#include "plugins/cpu/gemm/micro_kernel-inl.h"

HWY_BEFORE_NAMESPACE();
namespace ortrun::cpu {
namespace HWY_NAMESPACE {

/// Registers decide how tall a tile can be: sums, one vector of each column and one broadcast must fit.
constexpr bool kManyRegisters = HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX3_DL || HWY_ARCH_ARM;
constexpr size_t kPanelVectors = kManyRegisters ? 4 : 2;
constexpr size_t kRowsOf[kMostPanelVectors + 1] = {0, 8, kManyRegisters ? 8 : 6, 8, 6};

/// 4 x 4 blocks turned in registers.
void Transpose(size_t rows, size_t columns, const float* from, size_t ldf, float* to, size_t ldt) {
  size_t n = 0;
#if HWY_TARGET != HWY_SCALAR
  const hn::FixedTag<float, 4> d;
  const hn::RepartitionToWide<decltype(d)> dw;
  for (; n + 4 <= columns; n += 4) {
    const float* source = from + n * ldf;
    size_t k = 0;
    for (; k + 4 <= rows; k += 4) {
      const auto r0 = hn::LoadU(d, source + k);
      const auto r1 = hn::LoadU(d, source + ldf + k);
      const auto r2 = hn::LoadU(d, source + 2 * ldf + k);
      const auto r3 = hn::LoadU(d, source + 3 * ldf + k);
      const auto low01 = hn::BitCast(dw, hn::InterleaveLower(d, r0, r1));
      const auto low23 = hn::BitCast(dw, hn::InterleaveLower(d, r2, r3));
      const auto high01 = hn::BitCast(dw, hn::InterleaveUpper(d, r0, r1));
      const auto high23 = hn::BitCast(dw, hn::InterleaveUpper(d, r2, r3));
      float* target = to + k * ldt + n;
      hn::StoreU(hn::BitCast(d, hn::InterleaveLower(dw, low01, low23)), d, target);
      hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(dw, low01, low23)), d, target + ldt);
      hn::StoreU(hn::BitCast(d, hn::InterleaveLower(dw, high01, high23)), d, target + 2 * ldt);
      hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(dw, high01, high23)), d, target + 3 * ldt);
    }
    for (; k < rows; ++k) {
      for (size_t j = 0; j < 4; ++j) to[k * ldt + n + j] = source[j * ldf + k];
    }
  }
#endif
  for (; n < columns; ++n) {
    for (size_t k = 0; k < rows; ++k) to[k * ldt + n] = from[n * ldf + k];
  }
}

/// kColumns dot products at once, each with one vector of partial sums.
template <size_t kColumns>
HWY_INLINE void DotColumns(size_t k, const float* a, const float* b, size_t ldb, float* dots) {
  const FloatTag d;
  const size_t lanes = hn::Lanes(d);
  FloatVec sum[kColumns];
#pragma GCC unroll 8
  for (size_t j = 0; j < kColumns; ++j) sum[j] = hn::Zero(d);
  size_t i = 0;
  for (; i + lanes <= k; i += lanes) {
    const FloatVec left = hn::LoadU(d, a + i);
#pragma GCC unroll 8
    for (size_t j = 0; j < kColumns; ++j) sum[j] = hn::MulAdd(left, hn::LoadU(d, b + j * ldb + i), sum[j]);
  }
  if (i < k) {
    const FloatVec left = vec::LoadPartial(d, a + i, k - i);
#pragma GCC unroll 8
    for (size_t j = 0; j < kColumns; ++j) {
      sum[j] = hn::MulAdd(left, vec::LoadPartial(d, b + j * ldb + i, k - i), sum[j]);
    }
  }
#pragma GCC unroll 8
  for (size_t j = 0; j < kColumns; ++j) dots[j] = hn::GetLane(hn::SumOfLanes(d, sum[j]));
}

void Dots(size_t columns, size_t k, const float* a, const float* b, size_t ldb, float* dots) {
  size_t j = 0;
  for (; j + 8 <= columns; j += 8) DotColumns<8>(k, a, b + j * ldb, ldb, dots + j);
  for (; j < columns; ++j) DotColumns<1>(k, a, b + j * ldb, ldb, dots + j);
}

void AddScaled(const float* x, float scale, float* y, size_t count) {
  const FloatTag d;
  const size_t lanes = hn::Lanes(d);
  const FloatVec factor = hn::Set(d, scale);
  size_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    hn::StoreU(hn::MulAdd(hn::LoadU(d, x + i), factor, hn::LoadU(d, y + i)), d, y + i);
  }
  if (i < count) {
    const FloatVec sum =
        hn::MulAdd(vec::LoadPartial(d, x + i, count - i), factor, vec::LoadPartial(d, y + i, count - i));
    vec::StorePartial(sum, d, y + i, count - i);
  }
}

void ActivateRows(const Activation& activation, size_t rows, size_t columns, float* c, size_t ldc,
                  const float* residual, size_t residual_ld, float scale) {
  if (activation.kind != ActivationKind::kNone) {
    WithActivation(activation, [=](const auto& f) {
      for (size_t r = 0; r < rows; ++r) MapArray(c + r * ldc, c + r * ldc, columns, f);
    });
  }
  if (residual == nullptr) return;
  for (size_t r = 0; r < rows; ++r) AddScaled(residual + r * residual_ld, scale, c + r * ldc, columns);
}

template <size_t kVectors, size_t... kRow>
void FillTiles(MicroKernels& kernels, std::index_sequence<kRow...>) {
  ((kernels.tile[kVectors][kRow + 1] = &Tile<kRow + 1, kVectors>), ...);
}

template <size_t kVectors>
void FillPanel(MicroKernels& kernels) {
  if constexpr (kVectors <= kPanelVectors) {
    kernels.rows[kVectors] = kRowsOf[kVectors];
    FillTiles<kVectors>(kernels, std::make_index_sequence<kRowsOf[kVectors]>());
  }
}

MicroKernels Make() {
  MicroKernels kernels{};
  kernels.lanes = hn::Lanes(FloatTag());
  kernels.panel_vectors = kPanelVectors;
  FillPanel<1>(kernels);
  FillPanel<2>(kernels);
  FillPanel<3>(kernels);
  FillPanel<4>(kernels);
  kernels.transpose = &Transpose;
  kernels.dots = &Dots;
  kernels.activate = &ActivateArray;
  kernels.activate_rows = &ActivateRows;
  return kernels;
}

const MicroKernels* Kernels() {
  static const MicroKernels kKernels = Make();
  return &kKernels;
}

}  // namespace HWY_NAMESPACE
}  // namespace ortrun::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ortrun::cpu {

HWY_EXPORT(Kernels);

const MicroKernels& BestMicroKernels() { return *HWY_DYNAMIC_DISPATCH(Kernels)(); }

void Activate(const Activation& activation, const float* x, float* y, size_t count) {
  BestMicroKernels().activate(activation, x, y, count);
}

}  // namespace ortrun::cpu
#endif
