// SPDX-License-Identifier: Apache-2.0
#include "plugins/cpu/kernels/signal/fourier.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <numbers>

#include "ortrun/error.h"

namespace ortrun::cpu {
namespace {

using Complex = FourierTransform::Complex;

constexpr size_t kLargestRadix = 31;  ///< a prime factor beyond is cheaper as a convolution

/// std::complex multiplies with a detour for infinities that no spectrum needs.
Complex Times(Complex a, Complex b) {
  return {a.real() * b.real() - a.imag() * b.imag(), a.real() * b.imag() + a.imag() * b.real()};
}

/// exp(sign * 2 pi i * at / n) for 0 <= at < n, from an angle of at most pi / 4: roots that mirror each other do so to
/// the bit, and the quarters are exact.
Complex RootOfUnity(size_t at, size_t n, double sign) {
  const size_t eighths = 8 * at;
  const size_t octant = eighths / n;
  // An angle in the odd octants is taken backwards from the octant's end.
  const size_t rest = octant % 2 == 0 ? eighths - octant * n : (octant + 1) * n - eighths;
  const double angle = std::numbers::pi / 4 * static_cast<double>(rest) / static_cast<double>(n);
  double c = std::cos(angle);
  double s = std::sin(angle);
  if (octant % 4 == 1 || octant % 4 == 2) std::swap(c, s);
  if (octant >= 2 && octant < 6) c = -c;
  if (octant >= 4) s = -s;
  return {c, sign * s};
}

std::vector<Complex> RootsOfUnity(size_t n, bool inverse) {
  std::vector<Complex> roots(n);
  for (size_t i = 0; i < n; ++i) roots[i] = RootOfUnity(i, n, inverse ? 1 : -1);
  return roots;
}

/// The prime factors of n, fours before twos; empty where one is larger than kLargestRadix.
std::vector<size_t> RadicesOf(size_t n) {
  std::vector<size_t> radices;
  for (size_t radix : {size_t{4}, size_t{2}, size_t{3}}) {
    for (; n % radix == 0; n /= radix) radices.push_back(radix);
  }
  for (size_t radix = 5; radix <= kLargestRadix; radix += 2)
    for (; n % radix == 0; n /= radix) radices.push_back(radix);
  if (n != 1) radices.clear();
  return radices;
}

/// b[t] = sum over k of a[k] * exp(sign * 2 pi i k t / radix), where `roots` are those of the radix with the sign. A
/// radix known when compiled (kRadix is not 0) is unrolled.
template <size_t kRadix>
inline void Butterfly(const Complex* a, const Complex* roots, size_t given_radix, double sign, Complex* b) {
  if constexpr (kRadix == 2) {
    b[0] = a[0] + a[1];
    b[1] = a[0] - a[1];
  } else if constexpr (kRadix == 4) {
    const Complex even = a[0] + a[2], odd = a[1] + a[3];
    const Complex apart = a[0] - a[2], other = a[1] - a[3];
    const Complex turned(-sign * other.imag(), sign * other.real());
    b[0] = even + odd;
    b[1] = apart + turned;
    b[2] = even - odd;
    b[3] = apart - turned;
  } else {
    // Pairs k and radix - k share their roots' real parts, and have opposite imaginary ones.
    const size_t radix = kRadix == 0 ? given_radix : kRadix;
    const size_t half = radix / 2;
    std::array<Complex, (kRadix == 0 ? kLargestRadix : kRadix) / 2 + 1> sums;
    std::array<Complex, (kRadix == 0 ? kLargestRadix : kRadix) / 2 + 1> differences;
    b[0] = a[0];
    for (size_t k = 1; k <= half; ++k) {
      sums[k] = a[k] + a[radix - k];
      differences[k] = a[k] - a[radix - k];
      b[0] += sums[k];
    }
    for (size_t t = 1; t <= half; ++t) {
      Complex common = a[0];
      Complex apart = 0;
      for (size_t k = 1; k <= half; ++k) {
        const Complex root = roots[k * t % radix];
        common += sums[k] * root.real();
        apart += differences[k] * root.imag();
      }
      const Complex turned(-apart.imag(), apart.real());
      b[t] = common + turned;
      b[radix - t] = common - turned;
    }
  }
}

}  // namespace

FourierTransform::FourierTransform(size_t length, bool inverse) : length_(length), inverse_(inverse) {
  Require(length >= 1 && length < (size_t{1} << 31), "a Fourier transform of length ", length, " is not served");
  if (length == 1) return;
  const std::vector<size_t> radices = RadicesOf(length);
  if (!radices.empty()) {
    roots_ = RootsOfUnity(length, inverse);
    size_t stride = 1;
    for (size_t radix : radices) {
      stages_.push_back({radix, length / stride, stride});
      stride *= radix;
    }
    return;
  }
  convolution_ = std::make_unique<FourierTransform>(std::bit_ceil(2 * length - 1), false);
  const size_t padded = convolution_->length();
  chirp_.resize(length);
  for (size_t i = 0; i < length; ++i)  // i^2 modulo 2n keeps the angle exact
    chirp_[i] = RootOfUnity(static_cast<unsigned long long>(i) * i % (2 * length), 2 * length, inverse ? 1 : -1);
  kernel_.assign(padded, Complex(0));
  for (size_t i = 0; i < length; ++i) kernel_[i] = kernel_[(padded - i) % padded] = std::conj(chirp_[i]);
  std::vector<Complex> work(convolution_->work());
  convolution_->Transform(kernel_.data(), work.data());
}

size_t FourierTransform::work() const {
  return convolution_ == nullptr ? length_ : convolution_->length() + convolution_->work();
}

template <size_t kRadix>
void FourierTransform::RunStage(const Stage& stage, const Complex* x, Complex* y) const {
  constexpr size_t kRoom = kRadix == 0 ? kLargestRadix : kRadix;
  const size_t radix = kRadix == 0 ? stage.radix : kRadix;
  const size_t stride = stage.stride;
  const size_t rest = stage.span / radix;
  const double sign = inverse_ ? 1 : -1;
  std::array<Complex, kRoom> a;
  std::array<Complex, kRoom> b;
  std::array<Complex, kRoom> small_roots;
  std::array<Complex, kRoom> twiddles;
  for (size_t k = 0; k < radix; ++k) small_roots[k] = roots_[k * (length_ / radix)];
  for (size_t p = 0; p < rest; ++p) {
    for (size_t t = 0; t < radix; ++t) twiddles[t] = roots_[p * t * stride];
    const Complex* from = x + stride * p;
    Complex* to = y + stride * radix * p;
    for (size_t q = 0; q < stride; ++q) {
      for (size_t k = 0; k < radix; ++k) a[k] = from[q + stride * rest * k];
      Butterfly<kRadix>(a.data(), small_roots.data(), radix, sign, b.data());
      to[q] = b[0];
      for (size_t t = 1; t < radix; ++t) to[q + t * stride] = Times(b[t], twiddles[t]);
    }
  }
}

/// Stockham's order: each stage goes from one array to the other and leaves its results sorted.
void FourierTransform::RunStages(Complex* x, Complex* work) const {
  Complex* from = x;
  Complex* to = work;
  for (const Stage& stage : stages_) {
    switch (stage.radix) {
      case 2:
        RunStage<2>(stage, from, to);
        break;
      case 3:
        RunStage<3>(stage, from, to);
        break;
      case 4:
        RunStage<4>(stage, from, to);
        break;
      case 5:
        RunStage<5>(stage, from, to);
        break;
      default:
        RunStage<0>(stage, from, to);
    }
    std::swap(from, to);
  }
  if (from != x) std::copy_n(from, length_, x);
}

void FourierTransform::Convolve(Complex* x, Complex* work) const {
  const size_t padded = convolution_->length();
  Complex* below = work + padded;
  for (size_t i = 0; i < length_; ++i) work[i] = Times(x[i], chirp_[i]);
  std::fill(work + length_, work + padded, Complex(0));
  convolution_->RunStages(work, below);
  // Back by the forward transform of the conjugates.
  for (size_t i = 0; i < padded; ++i) work[i] = std::conj(Times(work[i], kernel_[i]));
  convolution_->RunStages(work, below);
  const double scale = 1 / static_cast<double>(padded);  // a power of two
  for (size_t i = 0; i < length_; ++i) x[i] = Times(std::conj(work[i]) * scale, chirp_[i]);
}

void FourierTransform::Transform(Complex* x, Complex* work) const {
  if (convolution_ != nullptr)
    Convolve(x, work);
  else
    RunStages(x, work);
}

void FourierTransform::Run(Complex* x, Complex* work) const {
  const bool real = std::all_of(x, x + length_, [](Complex value) { return value.imag() == 0; });
  Transform(x, work);
  if (!real) return;
  x[0].imag(0);
  for (size_t k = 1; 2 * k < length_; ++k) x[length_ - k] = std::conj(x[k]);
  if (length_ % 2 == 0) x[length_ / 2].imag(0);
}

}  // namespace ortrun::cpu
