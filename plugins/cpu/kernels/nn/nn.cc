// SPDX-License-Identifier: Apache-2.0
#include "plugins/cpu/kernels/nn/nn.h"

namespace ortrun::cpu {

void RegisterNn(KernelList& list) {
  RegisterCausalConvWithState(list);
  RegisterConv(list);
  RegisterConvTranspose(list);
  RegisterDeformConv(list);
  RegisterDet(list);
  RegisterEinsum(list);
  RegisterGemm(list);
  RegisterGlobalPools(list);
  RegisterLosses(list);
  RegisterMatMul(list);
  RegisterMaxRoiPool(list);
  RegisterMaxUnpool(list);
  RegisterPools(list);
}

}  // namespace ortrun::cpu
