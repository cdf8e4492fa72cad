// SPDX-License-Identifier: Apache-2.0
// Gemm and com.microsoft.FusedGemm.
#include <algorithm>

#include "plugins/cpu/kernels/common/broadcast.h"
#include "plugins/cpu/kernels/common/types.h"
#include "plugins/cpu/kernels/common/widened_kernel.h"
#include "plugins/cpu/kernels/nn/float_product.h"
#include "plugins/cpu/kernels/nn/fused_activation.h"
#include "plugins/cpu/kernels/nn/matrix_product.h"
#include "plugins/cpu/kernels/nn/nn.h"

namespace ortrun::cpu {
namespace {

using GemmTypes = TypeList<float, double, int32_t, int64_t, uint32_t, uint64_t>;

struct Sizes {
  size_t m;
  size_t n;
  size_t k;
};

/// Writes `c`, broadcast, to dense memory of the output's shape.
template <typename T>
void Spread(const KernelContext& context, const Tensor& c, const Tensor& y, T* to) {
  const BroadcastLoop loop({y.dims(), c.dims()});
  loop.ForEachRun(context, size_t{1} << 16, [&](size_t offset, size_t length, const BroadcastLoop::Offsets& at) {
    const T* from = c.data<T>() + at[1];
    if (loop.steps(1))
      std::copy_n(from, length, to + offset);
    else
      std::fill_n(to + offset, length, *from);
  });
}

class GemmKernel : public Kernel {
 public:
  explicit GemmKernel(const KernelInfo& info)
      : a_transposed_(info.Int("transA", 0) != 0),
        b_transposed_(info.Int("transB", 0) != 0),
        alpha_(info.Float("alpha", 1)),
        beta_(info.Float("beta", 1)),
        activation_(ReadFusedActivation(info)) {}

  bool PrePack(size_t input, const ConstantTensor& tensor) override {
    return input == 1 && tensor.shape.size() == 2 && packed_.Pack(tensor, b_transposed_);
  }

  void Compute(KernelContext& context) const override {
    const Tensor a = context.Input(0);
    const Tensor b = context.Input(1);
    const Tensor c = context.OptionalInput(2);
    Require(a.rank() == 2 && b.rank() == 2, "Gemm needs matrices, it has ranks ", a.rank(), " and ", b.rank());
    const auto side = [](const Tensor& x, bool second) { return static_cast<size_t>(x.dim(second ? 1 : 0)); };
    const Sizes sizes{side(a, a_transposed_), side(b, !b_transposed_), side(a, !a_transposed_)};
    Require(sizes.k == side(b, b_transposed_), "the inner dimensions differ: ", sizes.k, " and ",
            side(b, b_transposed_));
    const Shape shape{static_cast<int64_t>(sizes.m), static_cast<int64_t>(sizes.n)};
    Require(!c || BroadcastShape(shape.dims(), c.dims()) == shape, "input C does not broadcast to ", sizes.m, " x ",
            sizes.n);
    const Tensor y = context.Output(0, shape);
    if (y.count() == 0) return;
    DispatchType<GemmTypes>(a.type(), [&]<typename T>(std::type_identity<T>) {
      if constexpr (std::is_same_v<T, float>) {
        RunFloat(context, a, b, c, y, sizes);
      } else {
        if (c) Spread<T>(context, c, y, y.data<T>());
        Run(a.data<T>(), b.data<T>(), y.data<T>(), static_cast<bool>(c), sizes);
      }
    });
  }

 private:
  void RunFloat(KernelContext& context, const Tensor& a, const Tensor& b, const Tensor& c, const Tensor& y,
                const Sizes& sizes) const {
    GemmArguments product;
    product.m = sizes.m;
    product.n = sizes.n;
    product.k = sizes.k;
    product.alpha = alpha_;
    product.a = a.data<float>();
    product.transpose_a = a_transposed_;
    product.lda = a_transposed_ ? sizes.m : sizes.k;
    product.packed_b = packed_.get();
    product.b = packed_ ? nullptr : b.data<float>();
    product.transpose_b = b_transposed_;
    product.ldb = b_transposed_ ? sizes.k : sizes.n;
    product.c = y.data<float>();
    product.ldc = sizes.n;
    product.epilogue.activation = activation_;
    if (c) {
      product.epilogue.residual_scale = beta_;
      product.epilogue.residual = c.data<float>();
      const bool is_row = c.count() == sizes.n && (c.rank() == 1 || c.dim(0) == 1);
      if (is_row && beta_ == 1) {
        product.epilogue.bias = c.data<float>();
        product.epilogue.residual = nullptr;
      } else if (c.count() == y.count()) {
        product.epilogue.residual_ld = sizes.n;
      } else if (!is_row) {
        auto* whole = context.Scratch<float>(y.count());
        Spread<float>(context, c, y, whole);
        product.epilogue.residual = whole;
        product.epilogue.residual_ld = sizes.n;
      }
    }
    RunProduct(context, product);
  }

  void Run(const double* a, const double* b, double* y, bool has_c, const Sizes& s) const {
    Multiply(s.m, s.n, s.k, static_cast<double>(alpha_),
             MatrixView<double>{a, a_transposed_ ? s.m : s.k, a_transposed_},
             MatrixView<double>{b, b_transposed_ ? s.k : s.n, b_transposed_}, has_c ? static_cast<double>(beta_) : 0.0,
             y, s.n);
  }

  /// Integers are summed in 64 bits and scaled in double where alpha or beta is not 1.
  template <typename T>
  void Run(const T* a, const T* b, T* y, bool has_c, const Sizes& s) const {
    using Sum = uint64_t;
    for (size_t row = 0; row < s.m; ++row)
      for (size_t column = 0; column < s.n; ++column) {
        Sum sum{0};
        for (size_t p = 0; p < s.k; ++p)
          sum += static_cast<Sum>(a[a_transposed_ ? p * s.m + row : row * s.k + p]) *
                 static_cast<Sum>(b[b_transposed_ ? column * s.k + p : p * s.n + column]);
        T& value = y[row * s.n + column];
        if (alpha_ == 1 && (beta_ == 1 || !has_c)) {
          value = static_cast<T>(sum + (has_c ? static_cast<uint64_t>(value) : 0));
        } else {
          const double scaled = static_cast<double>(alpha_) * static_cast<double>(static_cast<int64_t>(sum)) +
                                (has_c ? static_cast<double>(beta_) * static_cast<double>(value) : 0.0);
          value = static_cast<T>(static_cast<int64_t>(std::clamp(scaled, -9.2e18, 9.2e18)));
        }
      }
  }

  bool a_transposed_;
  bool b_transposed_;
  float alpha_;
  float beta_;
  Activation activation_;
  PackedWeights packed_;
};

}  // namespace

void RegisterGemm(KernelList& list) {
  const std::vector<TypeRule> halves = {{"T", Halves::Values()}};
  list.Add({.op = "Gemm", .since = 1, .until = 6, .types = {{"T", Floats::Values()}}, .make = MakeKernel<GemmKernel>});
  list.Add({.op = "Gemm", .since = 7, .types = {{"T", GemmTypes::Values()}}, .make = MakeKernel<GemmKernel>});
  list.Add({.op = "Gemm", .types = halves, .make = MakeWidened<GemmKernel>});
  list.Add({.domain = "com.microsoft", .op = "FusedGemm", .types = halves, .make = MakeWidened<GemmKernel>});
  list.Add({.domain = "com.microsoft",
            .op = "FusedGemm",
            .types = {{"T", {kTypeOf<float>}}},
            .make = MakeKernel<GemmKernel>});
}

}  // namespace ortrun::cpu
