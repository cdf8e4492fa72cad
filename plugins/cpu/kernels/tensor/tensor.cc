// SPDX-License-Identifier: Apache-2.0
#include "plugins/cpu/kernels/tensor/tensor.h"

namespace ortrun::cpu {

void RegisterTensor(KernelList& list) {
  RegisterBitCast(list);
  RegisterConcat(list);
  RegisterDepthSpace(list);
  RegisterDropout(list);
  RegisterExpand(list);
  RegisterGather(list);
  RegisterGenerators(list);
  RegisterOneHot(list);
  RegisterPad(list);
  RegisterReshape(list);
  RegisterScatter(list);
  RegisterSelection(list);
  RegisterShape(list);
  RegisterSlice(list);
  RegisterSplit(list);
  RegisterTensorScatter(list);
  RegisterTranspose(list);
}

}  // namespace ortrun::cpu
