// SPDX-License-Identifier: Apache-2.0
#include "plugins/cpu/kernels/rnn/rnn.h"

#include "plugins/cpu/kernels/common/types.h"
#include "plugins/cpu/kernels/rnn/recurrent_kernel.h"

namespace ortrun::cpu {
namespace {

class RnnKernel : public RecurrentKernel {
 public:
  explicit RnnKernel(const KernelInfo& info)
      : RecurrentKernel(info, {.gates = 1, .phase = {Phase::kRnn}, .phase_count = 1}, {GateFunction::kTanh}) {}
};

}  // namespace

void RegisterRecurrent(KernelList& list) {
  RegisterGru(list);
  RegisterLstm(list);
  list.Add({.op = "RNN", .types = {{"T", AllFloats::Values()}}, .make = MakeKernel<RnnKernel>});
}

}  // namespace ortrun::cpu
