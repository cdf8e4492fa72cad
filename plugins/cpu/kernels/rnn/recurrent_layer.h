// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "ortrun/kernel_context.h"
#include "plugins/cpu/kernels/rnn/recurrent_attributes.h"
#include "plugins/cpu/kernels/rnn/recurrent_loops.h"

namespace ortrun::cpu {

/// How a cell computes a time step.
struct RecurrentCell {
  size_t gates = 1;
  std::array<Phase, 2> phase = {};
  size_t phase_count = 1;
  bool input_forget = false;  ///< LSTM: f = 1 - i

  std::span<const Phase> phases() const { return {phase.data(), phase_count}; }
  bool is_lstm() const { return phase[0] == Phase::kLstm; }
};

struct RecurrentSizes {
  size_t steps;  ///< of X, the sequences may be shorter
  size_t batch;
  size_t input;
  size_t hidden;
  size_t directions;
};

/// The tensors of a node as the standard lays them out; NULL where omitted. T is float or double.
template <typename T>
struct RecurrentOperands {
  const T* x = nullptr;
  const T* w = nullptr;
  const T* r = nullptr;
  const T* bias = nullptr;
  const int32_t* lengths = nullptr;  ///< each within [0, steps]
  const T* initial_h = nullptr;
  const T* initial_c = nullptr;
  const T* peephole = nullptr;
  T* y = nullptr;
  T* y_h = nullptr;
  T* y_c = nullptr;

  /// W and R in the loops' own form, direction after direction, or NULL: then w and r are read. See PackedInputSize.
  const void* packed_w = nullptr;
  const T* packed_r = nullptr;
};

/// Bytes of W, and elements of R, packed for one direction.
size_t PackedInputSize(const RecurrentCell& cell, const RecurrentSizes& sizes);
template <typename T>
size_t PackedRecurrentSize(const RecurrentCell& cell, size_t hidden);

/// Packs one direction: W for the float product, R for all phases of the cell.
void PackInputWeights(const RecurrentCell& cell, const RecurrentSizes& sizes, const float* w, void* packed);
template <typename T>
void PackRecurrentWeights(const RecurrentCell& cell, size_t hidden, const T* r, T* packed);

/// Runs all directions. A row without a time step has a final state of zero, as in ONNX Runtime.
template <typename T>
void RunRecurrentLayer(KernelContext& context, const RecurrentCell& cell, const RecurrentAttributes& attributes,
                       const RecurrentSizes& sizes, const RecurrentOperands<T>& operands);

}  // namespace ortrun::cpu
