// SPDX-License-Identifier: Apache-2.0
#include "plugins/cpu/kernels/elementwise/elementwise.h"

namespace ortrun::cpu {

void RegisterElementwise(KernelList& list) {  //
  RegisterRelu(list);
}

}  // namespace ortrun::cpu
