// SPDX-License-Identifier: Apache-2.0
// What a matrix product or a convolution does to its result while it is still in registers or in the first cache.
#pragma once

#include <cstddef>
#include <cstdint>

namespace ortrun::cpu {

enum class ActivationKind : uint8_t {
  kNone,
  kRelu,
  kClip,         ///< between alpha and beta
  kLeakyRelu,    ///< alpha is the slope below zero
  kSigmoid,      ///< 1 / (1 + e^-x)
  kTanh,         ///<
  kHardSigmoid,  ///< clip(alpha x + beta, 0, 1)
  kHardSwish,    ///< x clip(x / 6 + 0.5, 0, 1)
  kSilu,         ///< x sigmoid(x)
  kGeluErf,      ///< x (1 + erf(x / sqrt 2)) / 2
  kGeluTanh,     ///< x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2
};

struct Activation {
  ActivationKind kind = ActivationKind::kNone;
  float alpha = 0.0F;
  float beta = 0.0F;
};

/// y = act(v + bias + residual), or act(v + bias) + residual. `v` is the product (already times its own alpha).
/// All pointers are borrowed for the call and may be null.
struct Epilogue {
  const float* bias = nullptr;      ///< one per column: of N; of the output channels of a convolution (both layouts)
  const float* row_bias = nullptr;  ///< one per row, matrix products only
  /// Same shape as the output, in the output's layout. Must not overlap the output.
  const float* residual = nullptr;
  size_t residual_ld = 0;       ///< floats from row to row, matrix products only; 0 adds one row to all rows
  float residual_scale = 1.0F;  ///< the residual's factor
  bool residual_after = false;  ///< true: added after the activation
  Activation activation;
};

/// Applies `activation` to count floats, in place allowed.
void Activate(const Activation& activation, const float* x, float* y, size_t count);

}  // namespace ortrun::cpu
