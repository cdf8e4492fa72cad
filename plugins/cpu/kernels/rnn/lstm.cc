// SPDX-License-Identifier: Apache-2.0
#include "plugins/cpu/kernels/common/types.h"
#include "plugins/cpu/kernels/rnn/recurrent_kernel.h"
#include "plugins/cpu/kernels/rnn/rnn.h"

namespace ortrun::cpu {
namespace {

class LstmKernel : public RecurrentKernel {
 public:
  explicit LstmKernel(const KernelInfo& info)
      : RecurrentKernel(
            info,
            {.gates = 4, .phase = {Phase::kLstm}, .phase_count = 1, .input_forget = info.Int("input_forget", 0) != 0},
            {GateFunction::kSigmoid, GateFunction::kTanh, GateFunction::kTanh}) {}
};

}  // namespace

void RegisterLstm(KernelList& list) {
  list.Add({.op = "LSTM", .types = {{"T", AllFloats::Values()}}, .make = MakeKernel<LstmKernel>});
}

}  // namespace ortrun::cpu
