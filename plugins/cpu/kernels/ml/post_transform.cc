// SPDX-License-Identifier: Apache-2.0
#include "plugins/cpu/kernels/ml/post_transform.h"

#include <algorithm>
#include <cmath>

#include "ortrun/error.h"

namespace ortrun::cpu {
namespace {

/// Winitzki's approximation of the inverse error function, the one that the standard's reference uses.
float InverseErf(float x) {
  constexpr float kA = 0.147f;
  const float log_term = std::log((1.0f - x) * (1.0f + x));
  const float first = 2.0f / (3.14159f * kA) + 0.5f * log_term;
  const float value = std::sqrt(-first + std::sqrt(first * first - log_term / kA));
  return x < 0 ? -value : value;
}

float Probit(float x) { return 1.41421356f * InverseErf(2.0f * x - 1.0f); }

void Softmax(float* scores, size_t n) {
  const float largest = *std::max_element(scores, scores + n);
  float sum = 0;
  for (size_t i = 0; i < n; ++i) sum += scores[i] = std::exp(scores[i] - largest);
  for (size_t i = 0; i < n; ++i) scores[i] /= sum;
}

/// A softmax that leaves scores of 0 out of the sum.
void SoftmaxZero(float* scores, size_t n) {
  constexpr float kZero = 1e-7f;
  const float largest = *std::max_element(scores, scores + n);
  const float shrink = std::exp(-largest);
  float sum = 0;
  for (size_t i = 0; i < n; ++i) {
    if (std::abs(scores[i]) > kZero)
      sum += scores[i] = std::exp(scores[i] - largest);
    else
      scores[i] *= shrink;
  }
  if (sum == 0) return;
  for (size_t i = 0; i < n; ++i) scores[i] /= sum;
}

}  // namespace

PostTransform ParsePostTransform(std::string_view name) {
  if (name == "NONE" || name.empty()) return PostTransform::kNone;
  if (name == "SOFTMAX") return PostTransform::kSoftmax;
  if (name == "LOGISTIC") return PostTransform::kLogistic;
  if (name == "SOFTMAX_ZERO") return PostTransform::kSoftmaxZero;
  if (name == "PROBIT") return PostTransform::kProbit;
  throw Error(ORT_INVALID_ARGUMENT,
              Concat("post_transform '", name, "' is none of NONE, SOFTMAX, LOGISTIC, SOFTMAX_ZERO, PROBIT"));
}

float Logistic(float x) {
  const float value = 1.0f / (1.0f + std::exp(-std::abs(x)));
  return x < 0 ? 1.0f - value : value;
}

void ApplyPostTransform(PostTransform transform, float* scores, size_t n) {
  if (n == 0) return;
  switch (transform) {
    case PostTransform::kNone:
      return;
    case PostTransform::kSoftmax:
      return Softmax(scores, n);
    case PostTransform::kSoftmaxZero:
      return SoftmaxZero(scores, n);
    case PostTransform::kLogistic:
      for (size_t i = 0; i < n; ++i) scores[i] = Logistic(scores[i]);
      return;
    case PostTransform::kProbit:
      for (size_t i = 0; i < n; ++i) scores[i] = Probit(scores[i]);
      return;
  }
}

void WriteTwoClassScores(PostTransform transform, float score, bool from_probability, float* scores) {
  if (transform == PostTransform::kLogistic) {
    scores[0] = Logistic(-score);
    scores[1] = Logistic(score);
  } else if (from_probability) {
    scores[0] = 1.0f - score;
    scores[1] = score;
  } else {
    scores[0] = -score;
    scores[1] = score;
  }
  if (transform == PostTransform::kProbit) ApplyPostTransform(transform, scores, 2);
}

}  // namespace ortrun::cpu
