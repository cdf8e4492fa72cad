// SPDX-License-Identifier: Apache-2.0
// MatMul, ortrun.FusedMatMul, com.microsoft.FusedMatMul.
#include <algorithm>

#include "plugins/cpu/kernels/common/types.h"
#include "plugins/cpu/kernels/nn/matmul_shape.h"
#include "plugins/cpu/kernels/nn/matrix_product.h"
#include "plugins/cpu/kernels/nn/nn.h"

namespace ortrun::cpu {
namespace {

using MatMulTypes = TypeList<float, double, int32_t, int64_t, uint32_t, uint64_t, Float16, BFloat16>;

struct Form {
  bool a_transposed = false;
  bool b_transposed = false;
  float alpha = 1;
};

/// Types without a library: integers wrap, halves are summed in float.
template <typename T>
void MultiplySimply(const KernelContext& context, const MatMulShape& shape, const Form& form, const T* a, const T* b,
                    T* y) {
  using Sum = std::conditional_t<std::is_integral_v<T>, std::make_unsigned_t<std::conditional_t<std::is_integral_v<T>, T, int>>,
                                 float>;
  const size_t m = shape.m;
  const size_t n = shape.n;
  const size_t k = shape.k;
  context.ParallelRange(shape.batches * m, std::max<size_t>(1, (size_t{1} << 16) / std::max<size_t>(1, n * k)),
                        [&](size_t begin, size_t end) {
    std::vector<Sum> sums(n);
    for (size_t i = begin; i < end; ++i) {
      const size_t row = i % m;
      const T* left = a + shape.a_matrix(i / m) * m * k;
      const T* right = b + shape.b_matrix(i / m) * k * n;
      std::fill(sums.begin(), sums.end(), Sum{0});
      for (size_t p = 0; p < k; ++p) {
        const auto factor = static_cast<Sum>(form.a_transposed ? left[p * m + row] : left[row * k + p]);
        for (size_t j = 0; j < n; ++j)
          sums[j] += factor * static_cast<Sum>(form.b_transposed ? right[j * k + p] : right[p * n + j]);
      }
      for (size_t j = 0; j < n; ++j) {
        if constexpr (std::is_integral_v<T>)
          y[i * n + j] = static_cast<T>(sums[j]);
        else
          y[i * n + j] = static_cast<T>(sums[j] * form.alpha);
      }
    }
  });
}

void MultiplyDouble(const KernelContext& context, const MatMulShape& shape, const Form& form, const double* a,
                    const double* b, double* y) {
  context.ParallelFor(shape.batches, [&](size_t batch) {
    Multiply(shape.m, shape.n, shape.k, static_cast<double>(form.alpha),
             a + shape.a_matrix(batch) * shape.m * shape.k, form.a_transposed ? shape.m : shape.k, form.a_transposed,
             b + shape.b_matrix(batch) * shape.k * shape.n, form.b_transposed ? shape.k : shape.n, form.b_transposed,
             0.0, y + batch * shape.m * shape.n, shape.n);
  });
}

void MultiplyFloat(const KernelContext& context, const MatMulShape& shape, const Form& form, const float* a,
                   const float* b, float* y, const float* residual, const ProductEpilogue& epilogue) {
  BatchedProduct product;
  product.batches = shape.batches;
  product.m = shape.m;
  product.n = shape.n;
  product.k = shape.k;
  product.alpha = form.alpha;
  product.a = {a, form.a_transposed ? shape.m : shape.k, form.a_transposed};
  product.b = {b, form.b_transposed ? shape.k : shape.n, form.b_transposed};
  product.c = y;
  product.residual = residual;
  product.epilogue = epilogue;
  product.Run(context, [&](size_t batch, size_t& a_offset, size_t& b_offset) {
    a_offset = shape.a_matrix(batch) * shape.m * shape.k;
    b_offset = shape.b_matrix(batch) * shape.k * shape.n;
  });
}

void MultiplyAny(KernelContext& context, const Tensor& a, const Tensor& b, const Form& form) {
  const MatMulShape shape(a, form.a_transposed, b, form.b_transposed);
  const Tensor y = context.Output(0, shape.output);
  if (y.count() == 0) return;
  Form plain = form;  // a vector has no transpose
  plain.a_transposed = form.a_transposed && a.rank() > 1;
  plain.b_transposed = form.b_transposed && b.rank() > 1;
  DispatchType<MatMulTypes>(a.type(), [&]<typename T>(std::type_identity<T>) {
    if constexpr (std::is_same_v<T, float>)
      MultiplyFloat(context, shape, plain, a.data<float>(), b.data<float>(), y.data<float>(), nullptr, {});
    else if constexpr (std::is_same_v<T, double>)
      MultiplyDouble(context, shape, plain, a.data<double>(), b.data<double>(), y.data<double>());
    else
      MultiplySimply(context, shape, plain, a.data<T>(), b.data<T>(), y.data<T>());
  });
}

class MatMul : public Kernel {
 public:
  explicit MatMul(const KernelInfo&) {}
  void Compute(KernelContext& context) const override {
    MultiplyAny(context, context.Input(0), context.Input(1), {});
  }
};

Form ReadForm(const KernelInfo& info) {
  return {info.Int("transA", 0) != 0, info.Int("transB", 0) != 0, info.Float("alpha", 1)};
}

class MicrosoftFusedMatMul : public Kernel {
 public:
  explicit MicrosoftFusedMatMul(const KernelInfo& info) : form_(ReadForm(info)) {
    Require(info.Int("transBatchA", 0) == 0 && info.Int("transBatchB", 0) == 0,
            "attributes transBatchA and transBatchB are not served");
  }
  void Compute(KernelContext& context) const override {
    MultiplyAny(context, context.Input(0), context.Input(1), form_);
  }

 private:
  Form form_;
};

/// Product, bias, activation and residual in one.
class FusedMatMul : public Kernel {
 public:
  explicit FusedMatMul(const KernelInfo& info) : form_(ReadForm(info)) {
    epilogue_.activation = FusedActivation(info);
    epilogue_.residual_after = info.Int("residual_after", 1) != 0;
  }

  void Compute(KernelContext& context) const override {
    const Tensor a = context.Input(0);
    const Tensor b = context.Input(1);
    const Tensor bias = context.OptionalInput(2);
    const Tensor residual = context.OptionalInput(3);
    Form form = form_;
    form.a_transposed = form.a_transposed && a.rank() > 1;
    form.b_transposed = form.b_transposed && b.rank() > 1;
    const MatMulShape shape(a, form.a_transposed, b, form.b_transposed);
    Require(!bias || bias.count() == shape.n, "input bias has ", bias ? bias.count() : 0, " elements, ", shape.n,
            " are needed");
    Require(!residual || residual.shape() == shape.output, "input residual has not the output's shape");
    const Tensor y = context.Output(0, shape.output);
    if (y.count() == 0) return;
    ProductEpilogue epilogue = epilogue_;
    epilogue.column_bias = bias ? bias.data<float>() : nullptr;
    MultiplyFloat(context, shape, form, a.data<float>(), b.data<float>(), y.data<float>(),
                  residual ? residual.data<float>() : nullptr, epilogue);
  }

 private:
  Form form_;
  ProductEpilogue epilogue_;
};

}  // namespace

void RegisterMatMul(KernelList& list) {
  list.Add({.op = "MatMul", .types = {{"T", MatMulTypes::Values()}}, .make = MakeKernel<MatMul>});
  list.Add({.domain = "ortrun", .op = "FusedMatMul", .make = MakeKernel<FusedMatMul>});
  list.Add({.domain = "com.microsoft",
            .op = "FusedMatMul",
            .types = {{"T", Floats::Values()}},
            .make = MakeKernel<MicrosoftFusedMatMul>});
}

}  // namespace ortrun::cpu
