// SPDX-License-Identifier: Apache-2.0
#include "plugins/cpu/kernels/common/types.h"
#include "plugins/cpu/kernels/rnn/recurrent_kernel.h"
#include "plugins/cpu/kernels/rnn/rnn.h"

namespace ortrun::cpu {
namespace {

/// Where the reset gate comes before R, the product with R of the hidden gate waits for the other gates.
RecurrentCell CellOf(const KernelInfo& info) {
  if (info.Int("linear_before_reset", 0) != 0) return {.gates = 3, .phase = {Phase::kGruLinear}, .phase_count = 1};
  return {.gates = 3, .phase = {Phase::kGruGates, Phase::kGruHidden}, .phase_count = 2};
}

class GruKernel : public RecurrentKernel {
 public:
  explicit GruKernel(const KernelInfo& info)
      : RecurrentKernel(info, CellOf(info), {GateFunction::kSigmoid, GateFunction::kTanh}) {}
};

}  // namespace

void RegisterGru(KernelList& list) {
  list.Add({.op = "GRU", .types = {{"T", AllFloats::Values()}}, .make = MakeKernel<GruKernel>});
}

}  // namespace ortrun::cpu
