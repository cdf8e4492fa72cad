// SPDX-License-Identifier: Apache-2.0
// Single-precision matrix products: C = epilogue(alpha op(A) op(B)), row-major, any size, tail and stride.
//
// Every element of C is summed over k in an order that depends on the sizes and on the form of B alone, so the bits do
// not depend on the number of threads. K = 0 gives the epilogue of 0; an empty C is left alone.
// Pure functions: no state, no allocation, safe from any number of threads.
#pragma once

#include <cstddef>

#include "plugins/cpu/gemm/epilogue.h"
#include "plugins/cpu/gemm/parallel.h"

namespace ortrun::cpu {

/// Bytes of a packed K x N matrix on this machine. The layout is private to this process: do not store it.
size_t PackedBSize(size_t k, size_t n);

/// Packs B, K x N with rows ldb floats apart, or (transposed) N x K with rows ldb apart, into `packed`, which holds
/// PackedBSize(k, n) bytes, 64-byte aligned for speed.
void PackB(bool transposed, size_t k, size_t n, const float* b, size_t ldb, void* packed, const Parallel& parallel);

struct GemmArguments {
  size_t m = 0, n = 0, k = 0;
  float alpha = 1.0F;
  const float* a = nullptr;  ///< M x K, rows lda floats apart; transposed: K x M, rows lda apart
  size_t lda = 0;
  bool transpose_a = false;
  const void* packed_b = nullptr;  ///< from PackB; else `b` is read
  const float* b = nullptr;        ///< K x N, rows ldb floats apart; transposed: N x K, rows ldb apart
  size_t ldb = 0;
  bool transpose_b = false;
  float* c = nullptr;  ///< M x N, rows ldc floats apart
  size_t ldc = 0;
  Epilogue epilogue;
};

/// Bytes of scratch that Gemm wants for such arguments (only sizes and flags are read, and whether packed_b is null).
size_t GemmScratchSize(const GemmArguments& arguments, size_t threads);

/// `scratch` holds GemmScratchSize(arguments, parallel.threads) bytes, 64-byte aligned for speed.
void Gemm(const GemmArguments& arguments, void* scratch, const Parallel& parallel);

/// `count` products of one shape: product i reads a[i], b[i] (or packed_b[i]), residual[i] and writes c[i]. The
/// pointers in `shape` are not read, bias and row_bias excepted. Arrays that do not apply are null.
struct GemmBatch {
  GemmArguments shape;
  size_t count = 0;
  const float* const* a = nullptr;
  const float* const* b = nullptr;
  const void* const* packed_b = nullptr;
  const float* const* residual = nullptr;
  float* const* c = nullptr;
};

size_t GemmBatchScratchSize(const GemmBatch& batch, size_t threads);
void RunGemmBatch(const GemmBatch& batch, void* scratch, const Parallel& parallel);

}  // namespace ortrun::cpu
