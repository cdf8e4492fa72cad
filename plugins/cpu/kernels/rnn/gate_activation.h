// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace ortrun::cpu {

/// The functions that the ONNX standard names for the gates of LSTM, GRU and RNN.
enum class GateFunction : uint8_t {
  kSigmoid,          ///< 1 / (1 + e^-x)
  kTanh,             ///<
  kRelu,             ///< max(0, x)
  kHardSigmoid,      ///< min(max(alpha x + beta, 0), 1)
  kAffine,           ///< alpha x + beta
  kLeakyRelu,        ///< x where x >= 0, else alpha x
  kThresholdedRelu,  ///< x where x >= alpha, else 0
  kScaledTanh,       ///< alpha tanh(beta x)
  kElu,              ///< x where x >= 0, else alpha (e^x - 1)
  kSoftsign,         ///< x / (1 + |x|)
  kSoftplus,         ///< log(1 + e^x)
};

struct GateActivation {
  GateFunction function = GateFunction::kSigmoid;
  float alpha = 0.0F;
  float beta = 0.0F;
};

/// One element, T float or double.
template <typename T>
T ActivateElement(const GateActivation& activation, T x) {
  const T alpha = activation.alpha;
  const T beta = activation.beta;
  switch (activation.function) {
    case GateFunction::kSigmoid:
      return 1 / (1 + std::exp(-x));
    case GateFunction::kTanh:
      return std::tanh(x);
    case GateFunction::kRelu:
      return x < 0 ? 0 : x;
    case GateFunction::kHardSigmoid:
      return std::clamp<T>(alpha * x + beta, 0, 1);
    case GateFunction::kAffine:
      return alpha * x + beta;
    case GateFunction::kLeakyRelu:
      return x < 0 ? alpha * x : x;
    case GateFunction::kThresholdedRelu:
      return x < alpha ? 0 : x;
    case GateFunction::kScaledTanh:
      return alpha * std::tanh(beta * x);
    case GateFunction::kElu:
      return x < 0 ? alpha * std::expm1(x) : x;
    case GateFunction::kSoftsign:
      return x / (1 + std::abs(x));
    case GateFunction::kSoftplus:
      return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x));
  }
  return x;
}

}  // namespace ortrun::cpu
