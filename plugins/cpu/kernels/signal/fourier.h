// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <complex>
#include <cstddef>
#include <vector>

namespace ortrun::cpu {

/// The discrete Fourier transform of one length, unscaled: y[k] = sum of x[i] * exp(-+2 pi i k / n). Powers of two are
/// transformed by radix 2, other lengths as a convolution of a power of two (Bluestein).
class FourierTransform {
 public:
  using Complex = std::complex<double>;

  /// `length` is 1 or more, `inverse` turns the sign of the exponent. Throws when the length is too large for memory.
  FourierTransform(size_t length, bool inverse);

  size_t length() const { return length_; }
  /// Complex numbers of work space that Run needs.
  size_t work() const { return chirp_.empty() ? 0 : padded_; }
  /// Transforms `length` numbers in place. Several threads may call it, each with its own work space.
  void Run(Complex* x, Complex* work) const;

 private:
  void RunPowerOfTwo(Complex* x, bool conjugate) const;

  size_t length_;
  size_t padded_;                  ///< the power of two that is transformed
  std::vector<Complex> twiddles_;  ///< exp(-+2 pi i / padded), half of them
  std::vector<Complex> chirp_;     ///< exp(-+ pi i^2 / length); empty for powers of two
  std::vector<Complex> kernel_;    ///< the transform of the conjugate chirp, over padded_
};

}  // namespace ortrun::cpu
