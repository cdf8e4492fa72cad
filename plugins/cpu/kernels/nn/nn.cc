// SPDX-License-Identifier: Apache-2.0
#include "plugins/cpu/kernels/nn/nn.h"

namespace ortrun::cpu {

void RegisterNn(KernelList& list) {
  RegisterConv(list);
  RegisterConvTranspose(list);
  RegisterGemm(list);
  RegisterGlobalPools(list);
  RegisterMatMul(list);
  RegisterPools(list);
}

}  // namespace ortrun::cpu
