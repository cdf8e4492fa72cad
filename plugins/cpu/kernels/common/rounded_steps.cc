// SPDX-License-Identifier: Apache-2.0
#include "plugins/cpu/kernels/common/rounded_steps.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "plugins/cpu/kernels/common/half_loops.h"

namespace ortrun::cpu {

void RoundToType(ElementType type, float* x, size_t n) {
  if (!IsHalf(type)) return;
  std::array<uint16_t, 256> codes;
  for (size_t i = 0; i < n; i += codes.size()) {
    const size_t count = std::min(codes.size(), n - i);
    NarrowHalf(type, x + i, codes.data(), count);
    WidenHalf(type, codes.data(), x + i, count);
  }
}

float SumInType(ElementType type, const float* x, size_t n) {
  constexpr size_t kCountable = 256;  // beyond, ones added to a bfloat16 are lost
  float sum = 0;
  if (type == kTypeOf<BFloat16> && n <= kCountable) {
    for (size_t j = 0; j < n; ++j) sum = BFloat16(sum + x[j]);
    return sum;
  }
  for (size_t j = 0; j < n; ++j) sum += x[j];
  RoundToType(type, &sum, 1);
  return sum;
}

void SoftmaxInType(ElementType type, float* x, size_t n) {
  if (n == 0) return;
  const float largest = *std::max_element(x, x + n);
  for (size_t j = 0; j < n; ++j) x[j] -= largest;
  RoundToType(type, x, n);
  for (size_t j = 0; j < n; ++j) x[j] = std::exp(x[j]);
  RoundToType(type, x, n);
  const float sum = SumInType(type, x, n);
  for (size_t j = 0; j < n; ++j) x[j] /= sum;
  RoundToType(type, x, n);
}

}  // namespace ortrun::cpu
