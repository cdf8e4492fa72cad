// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ortrun/kernel_context.h"
#include "ortrun/kernel_info.h"
#include "plugins/cpu/gemm/gemm.h"
#include "plugins/cpu/kernels/common/packed_form.h"
#include "plugins/cpu/kernels/nn/matmul_shape.h"

namespace ortrun::cpu {

// Float matrix products of kernels on the inner loops of plugins/cpu/gemm, with the threads and scratch of the call.

/// The right-hand matrix of a product in the inner loops' own form, made once from a constant.
class PackedWeights {
 public:
  /// Packs a float tensor that is one matrix (leading dimensions of 1 allowed); answers false for anything else.
  bool Pack(const ConstantTensor& tensor, bool transposed);
  const void* get() const { return buffer_.get(); }
  explicit operator bool() const { return static_cast<bool>(buffer_); }

 private:
  PackedForm buffer_;
};

/// One product.
void RunProduct(KernelContext& context, const GemmArguments& product);

/// The batches of a numpy product: `product` has the first matrices, the shape says where the others lie. Outputs and
/// residuals are dense.
void RunProducts(KernelContext& context, const GemmArguments& product, const MatMulShape& shape);

}  // namespace ortrun::cpu
