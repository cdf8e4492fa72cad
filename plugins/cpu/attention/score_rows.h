// SPDX-License-Identifier: Apache-2.0
// What happens to a row of float scores between the two products of an attention: vector loops, in place.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>

namespace ortrun::cpu {

/// x *= factor, then, where softcap is not 0, x = softcap * tanh(x / softcap).
void ScaleScores(float factor, float softcap, float* x, size_t n);

/// x += mask; -inf where the mask is -inf, whatever x is.
void AddMask(const float* mask, float* x, size_t n);

/// x = -inf where the mask is zero.
void SelectMask(const uint8_t* mask, float* x, size_t n);

/// A softmax that sees its row piece by piece: the largest element so far and the sum of exp(x - largest).
struct SoftmaxState {
  float largest = -std::numeric_limits<float>::infinity();
  float sum = 0;
};

/// Takes in the next n elements: x = exp(x - largest). Answers the factor that the results of earlier pieces need.
float FoldSoftmax(float* x, size_t n, SoftmaxState& state);

/// y = (keep * y + x) * factor; with keep 0, y is not read.
void BlendRow(const float* x, float keep, float factor, float* y, size_t n);

}  // namespace ortrun::cpu
