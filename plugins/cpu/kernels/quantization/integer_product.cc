// SPDX-License-Identifier: Apache-2.0
#include "plugins/cpu/kernels/quantization/integer_product.h"

#include <algorithm>
#include <cstring>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "plugins/cpu/kernels/quantization/integer_product.cc"
// clang-format off
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace ortrun::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET == HWY_SCALAR  // builds without optimisation
template <size_t kRows>
void MultiplyPanel(const int16_t* a, size_t row_length, const int16_t* panel, int32_t* c, size_t c_stride,
                   size_t width) {
  for (size_t r = 0; r < kRows; ++r) {
    uint32_t sums[kIntegerPanel] = {};
    for (size_t k = 0; k < row_length; ++k)
      for (size_t j = 0; j < kIntegerPanel; ++j)
        sums[j] += static_cast<uint32_t>(a[r * row_length + k] * panel[(k / 2 * kIntegerPanel + j) * 2 + k % 2]);
    std::memcpy(c + r * c_stride, sums, width * sizeof(int32_t));
  }
}
#else
using DI = hn::CappedTag<int32_t, kIntegerPanel>;
using DS = hn::Repartition<int16_t, DI>;
using VI = hn::Vec<DI>;
constexpr size_t kVectors = kIntegerPanel / hn::MaxLanes(DI());

/// kRows rows of a by one panel. Each product of pairs adds two neighbouring numbers of a row of a with the two of b
/// that the packing laid side by side.
template <size_t kRows>
void MultiplyPanel(const int16_t* a, size_t row_length, const int16_t* panel, int32_t* c, size_t c_stride,
                   size_t width) {
  const DI di;
  const DS ds;
  VI even[kRows][kVectors];
  VI odd[kRows][kVectors];
  for (size_t r = 0; r < kRows; ++r)
    for (size_t v = 0; v < kVectors; ++v) even[r][v] = odd[r][v] = hn::Zero(di);
  for (size_t k = 0; k < row_length; k += 2, panel += 2 * kIntegerPanel) {
    hn::Vec<DS> columns[kVectors];
    for (size_t v = 0; v < kVectors; ++v) columns[v] = hn::LoadU(ds, panel + v * hn::Lanes(ds));
    for (size_t r = 0; r < kRows; ++r) {
      int32_t pair;
      std::memcpy(&pair, a + r * row_length + k, sizeof pair);
      const auto both = hn::BitCast(ds, hn::Set(di, pair));
      for (size_t v = 0; v < kVectors; ++v)
        even[r][v] = hn::ReorderWidenMulAccumulate(di, both, columns[v], even[r][v], odd[r][v]);
    }
  }
  HWY_ALIGN int32_t sums[kIntegerPanel];
  for (size_t r = 0; r < kRows; ++r) {
    for (size_t v = 0; v < kVectors; ++v)
      hn::StoreU(hn::RearrangeToOddPlusEven(even[r][v], odd[r][v]), di, sums + v * hn::Lanes(di));
    std::memcpy(c + r * c_stride, sums, width * sizeof(int32_t));
  }
}
#endif

void MultiplyTarget(const int16_t* a, size_t rows, const int16_t* packed, size_t k, size_t n, int32_t* c,
                    size_t c_stride) {
  const size_t length = IntegerRowLength(k);
  for (size_t first = 0; first < n; first += kIntegerPanel, packed += kIntegerPanel * length) {
    const size_t width = std::min(kIntegerPanel, n - first);
    size_t row = 0;
    for (; row + 4 <= rows; row += 4)
      MultiplyPanel<4>(a + row * length, length, packed, c + row * c_stride + first, c_stride, width);
    for (; row < rows; ++row)
      MultiplyPanel<1>(a + row * length, length, packed, c + row * c_stride + first, c_stride, width);
  }
}

}  // namespace ortrun::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ortrun::cpu {
HWY_EXPORT(MultiplyTarget);

void MultiplyIntegers(const int16_t* a, size_t rows, const int16_t* packed, size_t k, size_t n, int32_t* c,
                      size_t c_stride) {
  HWY_DYNAMIC_DISPATCH(MultiplyTarget)(a, rows, packed, k, n, c, c_stride);
}
}  // namespace ortrun::cpu
#endif
