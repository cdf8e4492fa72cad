// SPDX-License-Identifier: Apache-2.0
#include "plugins/cpu/kernels/nn/float_product.h"

#include "plugins/cpu/kernels/common/context_parallel.h"

namespace ortrun::cpu {

bool PackedWeights::Pack(const ConstantTensor& tensor, bool transposed) {
  const size_t rank = tensor.shape.size();
  if (tensor.type != ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT || rank < 2 || tensor.count == 0) return false;
  for (size_t i = 0; i + 2 < rank; ++i)
    if (tensor.shape[i] != 1) return false;
  const auto rows = static_cast<size_t>(tensor.shape[rank - 2]);
  const auto columns = static_cast<size_t>(tensor.shape[rank - 1]);
  const size_t k = transposed ? columns : rows;
  const size_t n = transposed ? rows : columns;
  buffer_ = cpu::Pack(tensor, Concat("product ", k, 'x', n, transposed ? " transposed" : ""), PackedBSize(k, n),
                      [&](void* to) { PackB(transposed, k, n, tensor.as<float>(), columns, to, Parallel{}); });
  return true;
}

void RunProduct(KernelContext& context, const GemmArguments& product) {
  const Parallel parallel = ParallelOf(context);
  const size_t bytes = GemmScratchSize(product, parallel.threads);
  Gemm(product, bytes == 0 ? nullptr : context.Scratch(bytes), parallel);
}

void RunProducts(KernelContext& context, const GemmArguments& product, const MatMulShape& shape) {
  const size_t count = shape.batches;
  const auto** a = context.Scratch<const float*>(count);
  const auto** b = context.Scratch<const float*>(count);
  const auto** residual = context.Scratch<const float*>(count);
  const auto** packed = context.Scratch<const void*>(count);
  auto** c = context.Scratch<float*>(count);
  const bool has_residual = product.epilogue.residual != nullptr;
  for (size_t i = 0; i < count; ++i) {
    a[i] = product.a + shape.a_matrix(i) * shape.m * shape.k;
    b[i] = product.b == nullptr ? nullptr : product.b + shape.b_matrix(i) * shape.k * shape.n;
    packed[i] = product.packed_b;
    residual[i] = has_residual ? product.epilogue.residual + i * shape.m * shape.n : nullptr;
    c[i] = product.c + i * shape.m * shape.n;
  }
  GemmBatch batch;
  batch.shape = product;
  batch.count = count;
  batch.a = a;
  batch.b = product.packed_b == nullptr ? b : nullptr;
  batch.packed_b = product.packed_b != nullptr ? packed : nullptr;
  batch.residual = has_residual ? residual : nullptr;
  batch.c = c;
  const Parallel parallel = ParallelOf(context);
  const size_t bytes = GemmBatchScratchSize(batch, parallel.threads);
  RunGemmBatch(batch, bytes == 0 ? nullptr : context.Scratch(bytes), parallel);
}

}  // namespace ortrun::cpu
