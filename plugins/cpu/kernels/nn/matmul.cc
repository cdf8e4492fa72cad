// SPDX-License-Identifier: Apache-2.0
// MatMul, ortrun.FusedMatMul, com.microsoft.FusedMatMul.
#include <algorithm>

#include "plugins/cpu/kernels/common/types.h"
#include "plugins/cpu/kernels/common/widened_kernel.h"
#include "plugins/cpu/kernels/nn/float_product.h"
#include "plugins/cpu/kernels/nn/fused_activation.h"
#include "plugins/cpu/kernels/nn/matmul_shape.h"
#include "plugins/cpu/kernels/nn/matrix_product.h"
#include "plugins/cpu/kernels/nn/nn.h"

namespace ortrun::cpu {
namespace {

using MatMulTypes = TypeList<float, double, int32_t, int64_t, uint32_t, uint64_t>;

struct Form {
  bool a_transposed = false;
  bool b_transposed = false;
  float alpha = 1;
};

/// Types without a library: integers wrap.
template <typename T>
void MultiplySimply(KernelContext& context, const MatMulShape& shape, const Form& form, const T* a, const T* b, T* y) {
  using Sum = uint64_t;
  const size_t m = shape.m;
  const size_t n = shape.n;
  const size_t k = shape.k;
  const size_t workers = std::min(shape.batches * m, context.Concurrency());
  Sum* scratch = context.Scratch<Sum>(workers * n);
  context.ParallelFor(workers, [&](size_t worker) {
    Sum* sums = scratch + worker * n;
    for (size_t i = shape.batches * m * worker / workers; i < shape.batches * m * (worker + 1) / workers; ++i) {
      const size_t row = i % m;
      const T* left = a + shape.a_matrix(i / m) * m * k;
      const T* right = b + shape.b_matrix(i / m) * k * n;
      std::fill_n(sums, n, Sum{0});
      for (size_t p = 0; p < k; ++p) {
        const auto factor = static_cast<Sum>(form.a_transposed ? left[p * m + row] : left[row * k + p]);
        for (size_t j = 0; j < n; ++j)
          sums[j] += factor * static_cast<Sum>(form.b_transposed ? right[j * k + p] : right[p * n + j]);
      }
      for (size_t j = 0; j < n; ++j) y[i * n + j] = static_cast<T>(sums[j]);
    }
  });
}

void MultiplyDouble(const KernelContext& context, const MatMulShape& shape, const Form& form, const double* a,
                    const double* b, double* y) {
  context.ParallelFor(shape.batches, [&](size_t batch) {
    const double* left = a + shape.a_matrix(batch) * shape.m * shape.k;
    const double* right = b + shape.b_matrix(batch) * shape.k * shape.n;
    Multiply(shape.m, shape.n, shape.k, static_cast<double>(form.alpha),
             MatrixView<double>{left, form.a_transposed ? shape.m : shape.k, form.a_transposed},
             MatrixView<double>{right, form.b_transposed ? shape.k : shape.n, form.b_transposed}, 0.0,
             y + batch * shape.m * shape.n, shape.n);
  });
}

/// MatMul and both fused forms: those have more attributes and inputs, which are absent here.
class MatMul : public Kernel {
 public:
  explicit MatMul(const KernelInfo& info) {
    const std::string op = info.OperatorType();
    if (op == "MatMul") return;
    form_ = {info.Int("transA", 0) != 0, info.Int("transB", 0) != 0, info.Float("alpha", 1)};
    Require(info.Int("transBatchA", 0) == 0 && info.Int("transBatchB", 0) == 0,
            "attributes transBatchA and transBatchB are not served");
    activation_ = ReadFusedActivation(info);
    residual_after_ = info.Int("residual_after", 1) != 0;
  }

  bool PrePack(size_t input, const ConstantTensor& tensor) override {
    return input == 1 && packed_.Pack(tensor, form_.b_transposed && tensor.shape.size() > 1);
  }

  void Compute(KernelContext& context) const override {
    const Tensor a = context.Input(0);
    const Tensor b = context.Input(1);
    Form form = form_;  // a vector has no transpose
    form.a_transposed = form.a_transposed && a.rank() > 1;
    form.b_transposed = form.b_transposed && b.rank() > 1;
    const MatMulShape shape(a, form.a_transposed, b, form.b_transposed);
    const Tensor y = context.Output(0, shape.output);
    if (y.count() == 0) return;
    if (a.type() == kTypeOf<float>) return ComputeFloat(context, shape, form, a, b, y);
    DispatchType<MatMulTypes>(a.type(), [&]<typename T>(std::type_identity<T>) {
      if constexpr (std::is_same_v<T, double>)
        MultiplyDouble(context, shape, form, a.data<double>(), b.data<double>(), y.data<double>());
      else if constexpr (!std::is_same_v<T, float>)
        MultiplySimply(context, shape, form, a.data<T>(), b.data<T>(), y.data<T>());
    });
  }

 private:
  void ComputeFloat(KernelContext& context, const MatMulShape& shape, const Form& form, const Tensor& a,
                    const Tensor& b, const Tensor& y) const {
    const Tensor bias = context.OptionalInput(2);
    const Tensor residual = context.OptionalInput(3);
    Require(!bias || bias.count() == shape.n, "input bias has ", bias ? bias.count() : 0, " elements, ", shape.n,
            " are needed");
    Require(!residual || residual.shape() == shape.output, "input residual has not the output's shape");
    GemmArguments product;
    product.m = shape.m;
    product.n = shape.n;
    product.k = shape.k;
    product.alpha = form.alpha;
    product.transpose_a = form.a_transposed;
    product.lda = form.a_transposed ? shape.m : shape.k;
    product.transpose_b = form.b_transposed;
    product.ldb = form.b_transposed ? shape.k : shape.n;
    product.ldc = shape.n;
    product.packed_b = packed_.get();
    product.epilogue.bias = bias ? bias.data<float>() : nullptr;
    product.epilogue.residual = residual ? residual.data<float>() : nullptr;
    product.epilogue.residual_ld = shape.n;
    product.epilogue.residual_after = residual_after_;
    product.epilogue.activation = activation_;
    product.a = a.data<float>();
    product.b = packed_ ? nullptr : b.data<float>();
    product.c = y.data<float>();
    if (shape.batches == 1) return RunProduct(context, product);
    RunProducts(context, product, shape);
  }

  Form form_;
  Activation activation_;
  bool residual_after_ = false;
  PackedWeights packed_;
};

}  // namespace

void RegisterMatMul(KernelList& list) {
  const std::vector<TypeRule> halves = {{"T", Halves::Values()}};
  list.Add({.op = "MatMul", .types = {{"T", MatMulTypes::Values()}}, .make = MakeKernel<MatMul>});
  list.Add({.op = "MatMul", .types = halves, .make = MakeWidened<MatMul>});
  list.Add({.domain = "ortrun", .op = "FusedMatMul", .types = {{"T", {kTypeOf<float>}}}, .make = MakeKernel<MatMul>});
  list.Add({.domain = "ortrun", .op = "FusedMatMul", .types = halves, .make = MakeWidened<MatMul>});
  list.Add({.domain = "com.microsoft", .op = "FusedMatMul", .types = halves, .make = MakeWidened<MatMul>});
  list.Add(
      {.domain = "com.microsoft", .op = "FusedMatMul", .types = {{"T", Floats::Values()}}, .make = MakeKernel<MatMul>});
}

}  // namespace ortrun::cpu
