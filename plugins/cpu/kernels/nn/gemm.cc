// SPDX-License-Identifier: Apache-2.0
// Gemm and com.microsoft.FusedGemm.
#include <algorithm>

#include "plugins/cpu/kernels/common/broadcast.h"
#include "plugins/cpu/kernels/common/types.h"
#include "plugins/cpu/kernels/common/widened_kernel.h"
#include "plugins/cpu/kernels/nn/float_product.h"
#include "plugins/cpu/kernels/nn/fused_activation.h"
#include "plugins/cpu/kernels/nn/general_product.h"
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
        activation_(ReadFusedActivation(info)) {
    if (const auto type = info.InputType(0)) RequireActivation(activation_, type->type);
  }

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
        RunGeneral<T>(context, a, b, c, y);
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
      const bool is_row = c.count() == sizes.n && (c.rank() < 2 || c.dim(0) == 1);
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

  template <typename T>
  void RunGeneral(KernelContext& context, const Tensor& a, const Tensor& b, const Tensor& c, const Tensor& y) const {
    GeneralProduct<T> product;
    product.a = a.data<T>();
    product.b = b.data<T>();
    product.a_transposed = a_transposed_;
    product.b_transposed = b_transposed_;
    product.alpha = alpha_;
    product.activation = activation_;
    if (c) {
      product.residual = c.data<T>();
      product.beta = beta_;
      if (c.count() != y.count()) {
        T* whole = context.Scratch<T>(y.count());
        Spread<T>(context, c, y, whole);
        product.residual = whole;
      }
    }
    RunGeneralProduct(context, product, MatMulShape(a, a_transposed_, b, b_transposed_), y.data<T>());
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
  list.Add({.domain = "com.microsoft",
            .op = "FusedGemm",
            .types = {{"T", {kTypeOf<Float16>}}},  // those of Microsoft's definition
            .make = MakeWidened<GemmKernel>});
  list.Add({.domain = "com.microsoft",
            .op = "FusedGemm",
            .types = {{"T", GemmTypes::Values()}},
            .make = MakeKernel<GemmKernel>});
}

}  // namespace ortrun::cpu
