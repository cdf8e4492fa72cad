// SPDX-License-Identifier: Apache-2.0
// Gemm and com.microsoft.FusedGemm.
#include <algorithm>

#include "plugins/cpu/kernels/common/broadcast.h"
#include "plugins/cpu/kernels/common/types.h"
#include "plugins/cpu/kernels/nn/matrix_product.h"
#include "plugins/cpu/kernels/nn/nn.h"

namespace ortrun::cpu {
namespace {

using GemmTypes = TypeList<float, double, int32_t, int64_t, uint32_t, uint64_t, Float16, BFloat16>;

class Gemm : public Kernel {
 public:
  explicit Gemm(const KernelInfo& info)
      : a_transposed_(info.Int("transA", 0) != 0),
        b_transposed_(info.Int("transB", 0) != 0),
        alpha_(info.Float("alpha", 1)),
        beta_(info.Float("beta", 1)) {
    if (info.HasAttribute("activation")) {
      activation_ = FusedActivation(info);
      activation_.p0 = info.Float("activation_alpha", activation_.p0);
      activation_.p1 = info.Float("activation_beta", activation_.p1);
    }
  }

  void Compute(KernelContext& context) const override {
    const Tensor a = context.Input(0);
    const Tensor b = context.Input(1);
    const Tensor c = context.OptionalInput(2);
    Require(a.rank() == 2 && b.rank() == 2, "Gemm needs matrices, it has ranks ", a.rank(), " and ", b.rank());
    const auto m = static_cast<size_t>(a.dim(a_transposed_ ? 1 : 0));
    const auto k = static_cast<size_t>(a.dim(a_transposed_ ? 0 : 1));
    const auto n = static_cast<size_t>(b.dim(b_transposed_ ? 0 : 1));
    const auto b_rows = static_cast<size_t>(b.dim(b_transposed_ ? 1 : 0));
    Require(k == b_rows, "the inner dimensions differ: ", k, " and ", b_rows);
    const Shape shape{static_cast<int64_t>(m), static_cast<int64_t>(n)};
    Require(!c || BroadcastShape(shape.dims(), c.dims()) == shape, "input C does not broadcast to ", m, " x ", n);
    const Tensor y = context.Output(0, shape);
    if (y.count() == 0) return;
    DispatchType<GemmTypes>(a.type(), [&]<typename T>(std::type_identity<T>) { Run<T>(context, a, b, c, y, m, n, k); });
  }

 private:
  template <typename T>
  void Run(KernelContext& context, const Tensor& a, const Tensor& b, const Tensor& c, const Tensor& y, size_t m,
           size_t n, size_t k) const {
    if constexpr (std::is_same_v<T, float>) {
      BatchedProduct product;
      product.m = m;
      product.n = n;
      product.k = k;
      product.alpha = alpha_;
      product.a = {a.data<float>(), a_transposed_ ? m : k, a_transposed_};
      product.b = {b.data<float>(), b_transposed_ ? k : n, b_transposed_};
      product.c = y.data<float>();
      product.epilogue.activation = activation_;
      if (c && beta_ == 1 && c.count() == n && (c.rank() == 1 || c.dim(0) == 1)) {
        product.epilogue.column_bias = c.data<float>();
      } else if (c) {
        SpreadC<float>(context, c, y);
        product.beta = beta_;
      }
      product.Run(context, [](size_t, size_t&, size_t&) {});
    } else if constexpr (std::is_same_v<T, double>) {
      if (c) SpreadC<double>(context, c, y);
      Multiply(m, n, k, static_cast<double>(alpha_), a.data<double>(), a_transposed_ ? m : k, a_transposed_,
               b.data<double>(), b_transposed_ ? k : n, b_transposed_, c ? static_cast<double>(beta_) : 0.0,
               y.data<double>(), n);
    } else {
      if (c) SpreadC<T>(context, c, y);
      RunSimply(a.data<T>(), b.data<T>(), y.data<T>(), static_cast<bool>(c), m, n, k);
    }
  }

  /// Integers are summed in 64 bits and scaled in double where alpha or beta is not 1; halves in float.
  template <typename T>
  void RunSimply(const T* a, const T* b, T* y, bool has_c, size_t m, size_t n, size_t k) const {
    using Sum = std::conditional_t<std::is_integral_v<T>, uint64_t, float>;
    for (size_t row = 0; row < m; ++row)
      for (size_t column = 0; column < n; ++column) {
        Sum sum{0};
        for (size_t p = 0; p < k; ++p)
          sum += static_cast<Sum>(a[a_transposed_ ? p * m + row : row * k + p]) *
                 static_cast<Sum>(b[b_transposed_ ? column * k + p : p * n + column]);
        T& value = y[row * n + column];
        if constexpr (std::is_integral_v<T>) {
          if (alpha_ == 1 && (beta_ == 1 || !has_c)) {
            value = static_cast<T>(sum + (has_c ? static_cast<uint64_t>(value) : 0));
          } else {
            const double scaled = static_cast<double>(alpha_) * static_cast<double>(static_cast<int64_t>(sum)) +
                                  (has_c ? static_cast<double>(beta_) * static_cast<double>(value) : 0.0);
            value = static_cast<T>(static_cast<int64_t>(std::clamp(scaled, -9.2e18, 9.2e18)));
          }
        } else {
          value = static_cast<T>(alpha_ * sum + (has_c ? beta_ * static_cast<float>(value) : 0.0F));
        }
      }
  }

  template <typename T>
  static void SpreadC(const KernelContext& context, const Tensor& c, const Tensor& y) {
    const BroadcastLoop loop({y.dims(), c.dims()});
    loop.ForEachRun(context, size_t{1} << 16, [&](size_t offset, size_t length, const BroadcastLoop::Offsets& at) {
      const T* from = c.data<T>() + at[1];
      if (loop.steps(1))
        std::copy_n(from, length, y.data<T>() + offset);
      else
        std::fill_n(y.data<T>() + offset, length, *from);
    });
  }

  bool a_transposed_;
  bool b_transposed_;
  float alpha_;
  float beta_;
  FusedActivation activation_;
};

}  // namespace

void RegisterGemm(KernelList& list) {
  list.Add({.op = "Gemm", .since = 7, .types = {{"T", GemmTypes::Values()}}, .make = MakeKernel<Gemm>});
  list.Add({.op = "Gemm", .since = 1, .until = 6, .types = {{"T", Floats::Values()}}, .make = MakeKernel<Gemm>});
  list.Add({.domain = "com.microsoft", .op = "FusedGemm", .types = {{"T", {kTypeOf<float>}}}, .make = MakeKernel<Gemm>});
}

}  // namespace ortrun::cpu
