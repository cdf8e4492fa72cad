// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "ortrun/kernel.h"
#include "plugins/cpu/kernels/common/packed_form.h"
#include "plugins/cpu/kernels/rnn/recurrent_attributes.h"
#include "plugins/cpu/kernels/rnn/recurrent_layer.h"

namespace ortrun::cpu {

/// LSTM, GRU or RNN, by its cell: checks, packed weights, element types.
class RecurrentKernel : public Kernel {
 public:
  /// `defaults`: the cell's activations where the node names none.
  RecurrentKernel(const KernelInfo& info, const RecurrentCell& cell, const std::vector<GateFunction>& defaults)
      : cell_(cell), attributes_(ReadRecurrentAttributes(info, defaults)) {}

  bool PrePack(size_t input, const ConstantTensor& tensor) override;
  void Compute(KernelContext& context) const override;

 private:
  RecurrentSizes CheckInputs(const KernelContext& context) const;

  RecurrentCell cell_;
  RecurrentAttributes attributes_;
  PackedForm packed_w_;
  PackedForm packed_r_;
};

}  // namespace ortrun::cpu
