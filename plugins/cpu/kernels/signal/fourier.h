// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <complex>
#include <cstddef>
#include <memory>
#include <vector>

namespace ortrun::cpu {

/// The discrete Fourier transform of one length, unscaled: y[k] = sum of x[i] * exp(-+2 pi i k / n). Lengths whose
/// prime factors are small are transformed factor by factor, others as a convolution of a power of two (Bluestein), so
/// that the work is n log n for any length.
class FourierTransform {
 public:
  using Complex = std::complex<double>;

  /// `length` is 1 or more, `inverse` turns the sign of the exponent. Throws when the length is too large for memory.
  FourierTransform(size_t length, bool inverse);

  size_t length() const { return length_; }
  /// Complex numbers of work space that Run needs.
  size_t work() const;
  /// Transforms `length` numbers in place. Several threads may call it, each with its own work space. What has no
  /// imaginary part gives a spectrum whose halves are each other's conjugates to the bit; where they meet (k = 0 and,
  /// for even lengths, k = n / 2) it has no imaginary part either.
  void Run(Complex* x, Complex* work) const;

 private:
  /// One factor: `span` numbers, made of `radix` transforms of span / radix numbers, for `stride` of them side by side.
  struct Stage {
    size_t radix;
    size_t span;
    size_t stride;
  };

  void Transform(Complex* x, Complex* work) const;
  void RunStages(Complex* x, Complex* work) const;
  template <size_t kRadix>
  void RunStage(const Stage& stage, const Complex* x, Complex* y) const;
  void Convolve(Complex* x, Complex* work) const;

  size_t length_;
  bool inverse_;
  std::vector<Stage> stages_;                      ///< empty where Bluestein's form is used
  std::vector<Complex> roots_;                     ///< exp(-+2 pi i / length)
  std::unique_ptr<FourierTransform> convolution_;  ///< forwards, of a power of two
  std::vector<Complex> chirp_;                     ///< exp(-+ pi i^2 / length)
  std::vector<Complex> kernel_;                    ///< the transform of the conjugate chirp
};

}  // namespace ortrun::cpu
