// SPDX-License-Identifier: Apache-2.0
// MatMul, ortrun.FusedMatMul, com.microsoft.FusedMatMul.
#include <cstring>
#include <string>

#include "plugins/cpu/kernels/common/types.h"
#include "plugins/cpu/kernels/common/widened_kernel.h"
#include "plugins/cpu/kernels/nn/float_product.h"
#include "plugins/cpu/kernels/nn/fused_activation.h"
#include "plugins/cpu/kernels/nn/general_product.h"
#include "plugins/cpu/kernels/nn/matmul_shape.h"
#include "plugins/cpu/kernels/nn/nn.h"

namespace ortrun::cpu {
namespace {

using MatMulTypes = TypeList<float, double, int32_t, int64_t, uint32_t, uint64_t>;

/// A matrix operand as the product reads it.
struct Operand {
  Shape shape;
  const void* data = nullptr;

  template <typename T>
  const T* as() const {
    return static_cast<const T*>(data);
  }
};

/// [M, batch.., K] -> [batch.., M, K] for operands whose first axis stands among the last two; others as they are.
Operand ReadOperand(KernelContext& context, const Tensor& tensor, bool moves_first_axis) {
  const size_t rank = tensor.rank();
  if (!moves_first_axis || rank < 3 || tensor.count() == 0) {
    Operand plain{tensor.shape(), tensor.raw()};
    if (moves_first_axis && rank >= 3) {
      for (size_t i = 0; i + 2 < rank; ++i) plain.shape[i] = tensor.dim(i + 1);
      plain.shape[rank - 2] = tensor.dim(0);
    }
    return plain;
  }
  Operand moved{tensor.shape()};
  size_t batches = 1;
  for (size_t i = 0; i + 2 < rank; ++i) {
    moved.shape[i] = tensor.dim(i + 1);
    batches *= static_cast<size_t>(tensor.dim(i + 1));
  }
  moved.shape[rank - 2] = tensor.dim(0);
  const auto rows = static_cast<size_t>(tensor.dim(0));
  const size_t row_bytes = static_cast<size_t>(tensor.dim(rank - 1)) * ElementSize(tensor.type());
  auto* to = static_cast<char*>(context.Scratch(tensor.count() * ElementSize(tensor.type())));
  const auto* from = static_cast<const char*>(tensor.raw());
  for (size_t row = 0; row < rows; ++row)
    for (size_t batch = 0; batch < batches; ++batch)
      std::memcpy(to + (batch * rows + row) * row_bytes, from + (row * batches + batch) * row_bytes, row_bytes);
  moved.data = to;
  return moved;
}

/// MatMul and both fused forms: those have more attributes and inputs, which are absent here.
class MatMul : public Kernel {
 public:
  explicit MatMul(const KernelInfo& info) {
    const std::string op = info.OperatorType();
    if (op == "MatMul") return;
    a_transposed_ = info.Int("transA", 0) != 0;
    b_transposed_ = info.Int("transB", 0) != 0;
    a_moves_ = info.Int("transBatchA", 0) != 0;
    b_moves_ = info.Int("transBatchB", 0) != 0;
    alpha_ = info.Float("alpha", 1);
    activation_ = ReadFusedActivation(info);
    residual_after_ = info.Int("residual_after", 1) != 0;
    if (const auto type = info.InputType(0)) RequireActivation(activation_, type->type);
  }

  bool PrePack(size_t input, const ConstantTensor& tensor) override {
    return input == 1 && !b_moves_ && packed_.Pack(tensor, b_transposed_ && tensor.shape.size() > 1);
  }

  void Compute(KernelContext& context) const override {
    const Tensor a_tensor = context.Input(0);
    const Tensor b_tensor = context.Input(1);
    const Operand a = ReadOperand(context, a_tensor, a_moves_);
    const Operand b = ReadOperand(context, b_tensor, b_moves_);
    const bool a_transposed = a_transposed_ && a.shape.rank() > 1;  // a vector has no transpose
    const bool b_transposed = b_transposed_ && b.shape.rank() > 1;
    const MatMulShape shape(a.shape.dims(), a_transposed, b.shape.dims(), b_transposed);
    const Tensor bias = context.OptionalInput(2);
    const Tensor residual = context.OptionalInput(3);
    Require(!bias || bias.count() == shape.n, "input bias has ", bias ? bias.count() : 0, " elements, ", shape.n,
            " are needed");
    Require(!residual || residual.shape() == shape.output, "input residual has not the output's shape");
    const Tensor y = context.Output(0, shape.output);
    if (y.count() == 0) return;
    if (y.type() == kTypeOf<float>) {
      GemmArguments product;
      product.transpose_a = a_transposed;
      product.transpose_b = b_transposed;
      product.a = a.as<float>();
      product.b = packed_ ? nullptr : b.as<float>();
      product.c = y.data<float>();
      return ComputeFloat(context, shape, product, bias, residual);
    }
    DispatchType<GeneralProductTypes>(y.type(), [&]<typename T>(std::type_identity<T>) {
      GeneralProduct<T> product;
      product.a = a.as<T>();
      product.b = b.as<T>();
      product.a_transposed = a_transposed;
      product.b_transposed = b_transposed;
      product.alpha = alpha_;
      product.bias = bias ? bias.data<T>() : nullptr;
      product.residual = residual ? residual.data<T>() : nullptr;
      product.residual_after = residual_after_;
      product.activation = activation_;
      RunGeneralProduct(context, product, shape, y.data<T>());
    });
  }

 private:
  void ComputeFloat(KernelContext& context, const MatMulShape& shape, GemmArguments& product, const Tensor& bias,
                    const Tensor& residual) const {
    product.m = shape.m;
    product.n = shape.n;
    product.k = shape.k;
    product.alpha = alpha_;
    product.lda = product.transpose_a ? shape.m : shape.k;
    product.ldb = product.transpose_b ? shape.k : shape.n;
    product.ldc = shape.n;
    product.packed_b = packed_.get();
    product.epilogue.bias = bias ? bias.data<float>() : nullptr;
    product.epilogue.residual = residual ? residual.data<float>() : nullptr;
    product.epilogue.residual_ld = shape.n;
    product.epilogue.residual_after = residual_after_;
    product.epilogue.activation = activation_;
    if (shape.batches == 1) return RunProduct(context, product);
    RunProducts(context, product, shape);
  }

  bool a_transposed_ = false;
  bool b_transposed_ = false;
  bool a_moves_ = false;  ///< the first axis stands among the last two
  bool b_moves_ = false;
  float alpha_ = 1;
  Activation activation_;
  bool residual_after_ = false;
  PackedWeights packed_;
};

}  // namespace

void RegisterMatMul(KernelList& list) {
  const std::vector<TypeRule> halves = {{"T", Halves::Values()}};
  list.Add({.op = "MatMul", .types = {{"T", MatMulTypes::Values()}}, .make = MakeKernel<MatMul>});
  list.Add({.op = "MatMul", .types = halves, .make = MakeWidened<MatMul>});
  list.Add({.domain = "ortrun", .op = "FusedMatMul", .types = halves, .make = MakeWidened<MatMul>});
  list.Add({.domain = "com.microsoft", .op = "FusedMatMul", .types = halves, .make = MakeWidened<MatMul>});
  list.Add(
      {.domain = "ortrun", .op = "FusedMatMul", .types = {{"T", MatMulTypes::Values()}}, .make = MakeKernel<MatMul>});
  list.Add(
      {.domain = "com.microsoft", .op = "FusedMatMul", .types = {{"T", Floats::Values()}}, .make = MakeKernel<MatMul>});
}

}  // namespace ortrun::cpu
