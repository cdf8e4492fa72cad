// SPDX-License-Identifier: Apache-2.0
#include "plugins/cpu/kernels/nn/matrix_product.h"

#include <cblas.h>

#include <algorithm>

namespace ortrun::cpu {
namespace {

/// Multiplications that are worth waking another thread for.
constexpr double kWorkPerThread = 1 << 17;

CBLAS_TRANSPOSE Form(bool transposed) { return transposed ? CblasTrans : CblasNoTrans; }

blasint Narrow(size_t value) {
  Require(value < (size_t{1} << 31), "a matrix dimension of ", value, " is too large");
  return static_cast<blasint>(value);
}

/// OpenBLAS multiplies on the calling thread only; the blocks are spread by the kernel's own ParallelFor.
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

}  // namespace

void Multiply(size_t m, size_t n, size_t k, float alpha, const MatrixView& a, const MatrixView& b, float beta, float* c,
              size_t c_stride) {
  if (m == 0 || n == 0) return;
  if (k == 0) return Scale(m, n, beta, c, c_stride);
  UseOneThread();
  cblas_sgemm(CblasRowMajor, Form(a.transposed), Form(b.transposed), Narrow(m), Narrow(n), Narrow(k), alpha, a.data,
              Narrow(a.stride), b.data, Narrow(b.stride), beta, c, Narrow(c_stride));
}

void Multiply(size_t m, size_t n, size_t k, double alpha, const double* a, size_t a_stride, bool a_transposed,
              const double* b, size_t b_stride, bool b_transposed, double beta, double* c, size_t c_stride) {
  if (m == 0 || n == 0) return;
  if (k == 0) return Scale(m, n, beta, c, c_stride);
  UseOneThread();
  cblas_dgemm(CblasRowMajor, Form(a_transposed), Form(b_transposed), Narrow(m), Narrow(n), Narrow(k), alpha, a,
              Narrow(a_stride), b, Narrow(b_stride), beta, c, Narrow(c_stride));
}

void ProductEpilogue::Apply(float* c, size_t stride, size_t rows, size_t columns, const float* residual) const {
  static const BinaryFloatLoops& add = *FindBinaryFloatLoops("Add");
  for (size_t row = 0; row < rows; ++row) {
    float* line = c + row * stride;
    const float* extra = residual == nullptr ? nullptr : residual + row * stride;
    if (column_bias != nullptr) add.both(line, column_bias, line, columns);
    if (row_bias != nullptr) add.b_single(line, row_bias + row, line, columns);
    if (extra != nullptr && !residual_after) add.both(line, extra, line, columns);
    activation.Apply(line, columns);
    if (extra != nullptr && residual_after) add.both(line, extra, line, columns);
  }
}

size_t BatchedProduct::Parts(size_t threads) const {
  if (batches >= threads) return 1;
  const double work = static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k);
  const double worth = std::min(static_cast<double>(threads), 1 + work / kWorkPerThread);
  const size_t most = (std::max(m, n) + 15) / 16;
  return std::clamp<size_t>(static_cast<size_t>(worth), 1, std::max<size_t>(1, most));
}

size_t BatchedProduct::Cut(size_t size, size_t part, size_t parts) {
  if (part == parts) return size;
  return std::min(size, (size / 16 * part / parts) * 16);  // whole vectors, so that no block has an odd start
}

void BatchedProduct::RunBlock(size_t batch, size_t a_offset, size_t b_offset, size_t row, size_t last_row,
                              size_t column, size_t last_column) const {
  const size_t rows = last_row - row;
  const size_t columns = last_column - column;
  if (rows == 0 || columns == 0) return;
  MatrixView left = a;
  left.data += a_offset + (a.transposed ? row : row * a.stride);
  MatrixView right = b;
  right.data += b_offset + (b.transposed ? column * b.stride : column);
  const size_t place = batch * m * n + row * n + column;
  Multiply(rows, columns, k, alpha, left, right, beta, c + place, n);
  if (epilogue.empty() && residual == nullptr) return;
  ProductEpilogue own = epilogue;
  if (own.column_bias != nullptr) own.column_bias += column;
  if (own.row_bias != nullptr) own.row_bias += row;
  own.Apply(c + place, n, rows, columns, residual == nullptr ? nullptr : residual + place);
}

}  // namespace ortrun::cpu
