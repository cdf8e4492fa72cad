// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string_view>

namespace ortrun::cpu {

/// What ai.onnx.ml's models do to the scores of one row.
enum class PostTransform { kNone, kSoftmax, kLogistic, kSoftmaxZero, kProbit };

/// Throws for a name that the standard does not know.
PostTransform ParsePostTransform(std::string_view name);

/// 1 / (1 + exp(-x)), without overflow.
float Logistic(float x);

/// Applies `transform` to the `n` scores of one row in place.
void ApplyPostTransform(PostTransform transform, float* scores, size_t n);

/// The scores of a two-class model that has one score: writes two. `from_probability` says that the score is one (all
/// weights positive), else it is a margin around 0. As in ONNX Runtime, a softmax is not taken of them.
void WriteTwoClassScores(PostTransform transform, float score, bool from_probability, float* scores);

}  // namespace ortrun::cpu
