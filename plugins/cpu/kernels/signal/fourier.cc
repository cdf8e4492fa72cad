// SPDX-License-Identifier: Apache-2.0
#include "plugins/cpu/kernels/signal/fourier.h"

#include <algorithm>
#include <bit>
#include <numbers>

#include "ortrun/error.h"

namespace ortrun::cpu {

FourierTransform::FourierTransform(size_t length, bool inverse) : length_(length), padded_(length) {
  Require(length >= 1 && length < (size_t{1} << 31), "a Fourier transform of length ", length, " is not served");
  const double sign = inverse ? 1 : -1;
  const bool power = std::has_single_bit(length);
  if (!power) padded_ = std::bit_ceil(2 * length - 1);
  twiddles_.resize(padded_ / 2);
  for (size_t i = 0; i < twiddles_.size(); ++i)
    twiddles_[i] = std::polar(1.0, sign * 2 * std::numbers::pi * static_cast<double>(i) / static_cast<double>(padded_));
  if (power) return;
  chirp_.resize(length);
  for (size_t i = 0; i < length; ++i) {
    // i^2 modulo 2n keeps the angle exact.
    const auto square = static_cast<double>(static_cast<unsigned long long>(i) * i % (2 * length));
    chirp_[i] = std::polar(1.0, sign * std::numbers::pi * square / static_cast<double>(length));
  }
  kernel_.assign(padded_, Complex(0));
  for (size_t i = 0; i < length; ++i) kernel_[i] = kernel_[(padded_ - i) % padded_] = std::conj(chirp_[i]);
  RunPowerOfTwo(kernel_.data(), false);
}

void FourierTransform::RunPowerOfTwo(Complex* x, bool conjugate) const {
  for (size_t i = 1, reversed = 0; i < padded_; ++i) {
    size_t bit = padded_ >> 1;
    for (; (reversed & bit) != 0; bit >>= 1) reversed ^= bit;
    reversed ^= bit;
    if (i < reversed) std::swap(x[i], x[reversed]);
  }
  for (size_t half = 1; half < padded_; half *= 2) {
    const size_t step = padded_ / (2 * half);
    for (size_t first = 0; first < padded_; first += 2 * half) {
      for (size_t i = 0; i < half; ++i) {
        const Complex w = conjugate ? std::conj(twiddles_[i * step]) : twiddles_[i * step];
        const Complex a = x[first + i];
        const Complex b = x[first + half + i];
        const Complex turned(b.real() * w.real() - b.imag() * w.imag(), b.real() * w.imag() + b.imag() * w.real());
        x[first + i] = a + turned;
        x[first + half + i] = a - turned;
      }
    }
  }
}

void FourierTransform::Run(Complex* x, Complex* work) const {
  if (chirp_.empty()) return RunPowerOfTwo(x, false);
  for (size_t i = 0; i < length_; ++i) work[i] = x[i] * chirp_[i];
  std::fill(work + length_, work + padded_, Complex(0));
  RunPowerOfTwo(work, false);
  for (size_t i = 0; i < padded_; ++i) work[i] *= kernel_[i];
  RunPowerOfTwo(work, true);
  for (size_t i = 0; i < length_; ++i) x[i] = work[i] * chirp_[i] / static_cast<double>(padded_);
}

}  // namespace ortrun::cpu
