// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "plugins/cpu/kernels/common/types.h"
#include "plugins/cpu/kernels/nn/nn.h"

namespace ortrun::cpu {
namespace {

/// By elimination with row exchanges, in double; `a` (n x n) is overwritten.
double Determinant(double* a, size_t n) {
  double result = 1;
  for (size_t k = 0; k < n; ++k) {
    size_t pivot = k;
    for (size_t row = k + 1; row < n; ++row)
      if (std::abs(a[row * n + k]) > std::abs(a[pivot * n + k])) pivot = row;
    if (pivot != k) {
      std::swap_ranges(a + k * n, a + k * n + n, a + pivot * n);
      result = -result;
    }
    const double head = a[k * n + k];
    result *= head;
    if (head == 0) return 0;
    for (size_t row = k + 1; row < n; ++row) {
      const double factor = a[row * n + k] / head;
      for (size_t column = k + 1; column < n; ++column) a[row * n + column] -= factor * a[k * n + column];
    }
  }
  return result;
}

class Det : public Kernel {
 public:
  explicit Det(const KernelInfo&) {}

  void Compute(KernelContext& context) const override {
    const Tensor x = context.Input(0);
    Require(x.rank() >= 2 && x.dim(x.rank() - 1) == x.dim(x.rank() - 2),
            "the last two dimensions must be equal, as those of square matrices");
    const Tensor y = context.Output(0, x.dims().first(x.rank() - 2));
    const auto n = static_cast<size_t>(x.dim(x.rank() - 1));
    double* matrix = context.Scratch<double>(n * n);
    DispatchType<AllFloats>(x.type(), [&]<typename T>(std::type_identity<T>) {
      using Wide = std::conditional_t<std::is_same_v<T, double>, double, float>;
      for (size_t i = 0; i < y.count(); ++i) {
        const T* from = x.data<T>() + i * n * n;
        for (size_t k = 0; k < n * n; ++k) matrix[k] = static_cast<double>(from[k]);
        y.data<T>()[i] = static_cast<T>(static_cast<Wide>(Determinant(matrix, n)));
      }
    });
  }
};

}  // namespace

void RegisterDet(KernelList& list) {
  list.Add({.op = "Det", .since = 11, .types = {{"T", AllFloats::Values()}}, .make = MakeKernel<Det>});
}

}  // namespace ortrun::cpu
