// SPDX-License-Identifier: Apache-2.0
// The recurrent part of LSTM, GRU and RNN: one time step for some rows of the batch and some hidden units, the product
// with R and the gates in one pass. Built for several instruction sets, chosen at load.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "plugins/cpu/gemm/parallel.h"
#include "plugins/cpu/kernels/rnn/recurrent_attributes.h"

namespace ortrun::cpu {

/// What needs all hidden units of the phase before it. Steps of GRU have two where the reset gate comes first.
enum class Phase : uint8_t {
  kLstm,       ///< gates i o f c
  kGruLinear,  ///< gates z r h, linear_before_reset
  kGruGates,   ///< gates z r
  kGruHidden,  ///< gate h of the state that r has reset
  kRnn,        ///< the only gate
};
inline constexpr size_t kPhases = 5;

/// Which gates a phase multiplies.
struct PhaseGates {
  size_t first;
  size_t count;
};
inline constexpr std::array<PhaseGates, kPhases> kPhaseGates = {{{0, 4}, {0, 3}, {0, 2}, {2, 1}, {0, 1}}};

/// One direction of a layer; all memory is the caller's. Rows are those of the batch. T is float or double.
///
/// Arrays "per row" have `stride` elements from row to row: the hidden units and what fills the last vector, which may
/// hold anything.
template <typename T>
struct RecurrentDirection {
  size_t batch = 0;
  size_t hidden = 0;
  size_t gates = 0;
  size_t stride = 0;  ///< hidden, rounded up to whole vectors
  bool reverse = false;
  const int32_t* lengths = nullptr;  ///< time steps of each row, or NULL: `steps` for all
  size_t steps = 0;                  ///< the longest row's time steps

  std::array<const T*, 2> packed = {};  ///< R of each phase of a step, see PackRecurrent

  /// X W^T and bias for the steps from first_step on: step after step, in it row after row of gates x hidden elements.
  /// The buffer goes on for one vector at its end.
  const T* input = nullptr;
  size_t first_step = 0;

  std::array<T*, 2> state = {};    ///< per row: h before even and after odd steps, h after even and before odd ones
  T* cell = nullptr;               ///< per row: c of LSTM, in place
  T* update = nullptr;             ///< per row: z of GRU in two phases
  T* reset = nullptr;              ///< per row: r h of GRU in two phases
  const T* peephole = nullptr;     ///< 3 x stride: P of i, o, f, or NULL
  const T* hidden_bias = nullptr;  ///< stride: Rb of h, inside the reset of kGruLinear, or NULL

  T* output = nullptr;  ///< Y at time 0, row 0, or NULL
  size_t output_time_stride = 0;
  size_t output_row_stride = 0;

  GateActivations activations;
  float clip = 0.0F;
  bool input_forget = false;  ///< LSTM: f = 1 - i
};

template <typename T>
struct RecurrentLoops {
  size_t lanes;      ///< hidden units in a block
  size_t tile_rows;  ///< most rows of the batch in a tile

  /// Runs a phase of step `step` for the row tiles and unit blocks given; `index` is the phase's place in its step.
  /// The result does not depend on how tiles and blocks are shared out.
  using Run = void (*)(const RecurrentDirection<T>& direction, size_t index, size_t step, Range tiles, Range blocks);
  std::array<Run, kPhases> run;

  size_t Blocks(size_t hidden) const { return (hidden + lanes - 1) / lanes; }
  size_t Tiles(size_t batch) const { return (batch + tile_rows - 1) / tile_rows; }
};

/// The set for this machine.
template <typename T>
const RecurrentLoops<T>& BestRecurrentLoops();

/// Elements of R packed for a phase.
template <typename T>
size_t PackedRecurrentSize(const RecurrentLoops<T>& loops, Phase phase, size_t hidden) {
  return loops.Blocks(hidden) * loops.lanes * kPhaseGates[static_cast<size_t>(phase)].count * hidden;
}

/// Packs R of one direction (gates x hidden rows of hidden elements) for a phase: block after block of units, in it for
/// each column of R the units of each gate.
template <typename T>
void PackRecurrent(const RecurrentLoops<T>& loops, Phase phase, size_t hidden, const T* r, T* packed);

}  // namespace ortrun::cpu
