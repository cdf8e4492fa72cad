// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ortrun/kernel_context.h"
#include "plugins/cpu/gemm/epilogue.h"
#include "plugins/cpu/kernels/common/types.h"
#include "plugins/cpu/kernels/nn/matmul_shape.h"

namespace ortrun::cpu {

/// Types of matrix products other than float, which has inner loops of its own, and those that are widened to it.
using GeneralProductTypes = TypeList<double, int32_t, int64_t, uint32_t, uint64_t>;

/// y = act(alpha a b + bias + beta residual), or act(alpha a b + bias) + beta residual, for each batch of matrices.
/// double: in double. Integers wrap; with a factor that is no integer they
/// are scaled in double and cut off towards zero.
/// Pointers are borrowed for the call and may be NULL, a and b excepted.
template <typename T>
struct GeneralProduct {
  const T* a = nullptr;
  const T* b = nullptr;
  bool a_transposed = false;
  bool b_transposed = false;
  float alpha = 1;
  const T* bias = nullptr;      ///< one number a column
  const T* residual = nullptr;  ///< the output's shape, dense
  float beta = 1;
  bool residual_after = false;
  Activation activation;
};

/// Throws where the activation has no meaning for the type: integers have Relu and Clip only.
void RequireActivation(const Activation& activation, ElementType type);

/// Computes the product of T in GeneralProductTypes; the shape says which matrices belong together.
template <typename T>
void RunGeneralProduct(KernelContext& context, const GeneralProduct<T>& product, const MatMulShape& shape, T* y);

}  // namespace ortrun::cpu
