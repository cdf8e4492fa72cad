// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <vector>

#include "ortrun/kernel_info.h"
#include "plugins/cpu/kernels/rnn/gate_activation.h"

namespace ortrun::cpu {

/// The activations f, g, h of one direction; a cell with fewer leaves the rest alone.
using GateActivations = std::array<GateActivation, 3>;

/// What LSTM, GRU and RNN have in common.
struct RecurrentAttributes {
  std::vector<bool> reverse;                 ///< one entry a direction: true runs from the last time step to the first
  std::vector<GateActivations> activations;  ///< one entry a direction
  size_t hidden = 0;                         ///< 0: not given, the weights say it
  bool batch_first = false;                  ///< attribute layout
  float clip = 0.0F;                         ///< bound of what enters the gates' activations; infinity: none
};

/// `defaults` has an entry for each activation of the cell. Throws for what the standard does not allow.
///
/// As in ONNX Runtime, activation_alpha and activation_beta hold numbers only for the activations that have such a
/// parameter, in their order; where a list ends, the default of the ONNX operator of that name applies.
RecurrentAttributes ReadRecurrentAttributes(const KernelInfo& info, const std::vector<GateFunction>& defaults);

}  // namespace ortrun::cpu
