// SPDX-License-Identifier: Apache-2.0
#include "plugins/cpu/kernels/nn/matrix_product.h"

#include <cblas.h>

#include "ortrun/error.h"

namespace ortrun::cpu {
namespace {

CBLAS_TRANSPOSE Form(bool transposed) { return transposed ? CblasTrans : CblasNoTrans; }

blasint Narrow(size_t value) {
  Require(value < (size_t{1} << 31), "a matrix dimension of ", value, " is too large");
  return static_cast<blasint>(value);
}

/// Work is spread by the kernels' own ParallelFor, so the library must not start threads itself.
void UseOneThread() {
  static const bool done = [] {
    openblas_set_num_threads(1);
    return true;
  }();
  static_cast<void>(done);
}

template <typename T>
void Scale(size_t m, size_t n, T beta, T* c, size_t c_stride) {
  for (size_t row = 0; row < m; ++row)
    for (size_t column = 0; column < n; ++column) {
      T& value = c[row * c_stride + column];
      value = beta == 0 ? T{0} : value * beta;
    }
}

template <typename T, typename Gemm>
void MultiplyBy(const Gemm& gemm, size_t m, size_t n, size_t k, T alpha, const MatrixView<T>& a, const MatrixView<T>& b,
                T beta, T* c, size_t c_stride) {
  if (m == 0 || n == 0) return;
  if (k == 0) return Scale(m, n, beta, c, c_stride);
  UseOneThread();
  gemm(CblasRowMajor, Form(a.transposed), Form(b.transposed), Narrow(m), Narrow(n), Narrow(k), alpha, a.data,
       Narrow(a.stride), b.data, Narrow(b.stride), beta, c, Narrow(c_stride));
}

}  // namespace

void Multiply(size_t m, size_t n, size_t k, float alpha, const MatrixView<float>& a, const MatrixView<float>& b,
              float beta, float* c, size_t c_stride) {
  MultiplyBy(cblas_sgemm, m, n, k, alpha, a, b, beta, c, c_stride);
}

void Multiply(size_t m, size_t n, size_t k, double alpha, const MatrixView<double>& a, const MatrixView<double>& b,
              double beta, double* c, size_t c_stride) {
  MultiplyBy(cblas_dgemm, m, n, k, alpha, a, b, beta, c, c_stride);
}

}  // namespace ortrun::cpu
