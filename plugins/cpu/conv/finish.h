// SPDX-License-Identifier: Apache-2.0
// How the epilogue of a convolution splits: what is done to the sums in registers, and what in a second pass while the
// output is in the first cache. Internal to conv/.
#pragma once

#include <limits>

#include "plugins/cpu/gemm/epilogue.h"

namespace ortrun::cpu {

struct ConvFinish {
  bool residual_first = false;
  float low = -std::numeric_limits<float>::infinity();
  float high = std::numeric_limits<float>::infinity();
  bool clamp = false;
  bool second_pass = false;
};

inline ConvFinish MakeFinish(const Epilogue& e) {
  ConvFinish finish;
  const bool residual_after = e.residual != nullptr && e.residual_after;
  finish.residual_first = e.residual != nullptr && !e.residual_after;
  switch (e.activation.kind) {
    case ActivationKind::kNone:
      break;
    case ActivationKind::kRelu:
      finish.clamp = true;
      finish.low = 0.0F;
      break;
    case ActivationKind::kClip:
      finish.clamp = true;
      finish.low = e.activation.alpha;
      finish.high = e.activation.beta;
      break;
    default:
      finish.second_pass = true;
  }
  if (residual_after) finish.second_pass = true;
  return finish;
}

}  // namespace ortrun::cpu
