// SPDX-License-Identifier: Apache-2.0
#include "plugins/cpu/kernels/quantization/quantization.h"

namespace ortrun::cpu {

void RegisterQuantization(KernelList& list) {
  RegisterConvInteger(list);
  RegisterDequantizeLinear(list);
  RegisterDynamicQuantizeLinear(list);
  RegisterMatMulInteger(list);
  RegisterQuantizeLinear(list);
}

}  // namespace ortrun::cpu
