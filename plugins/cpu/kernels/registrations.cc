// SPDX-License-Identifier: Apache-2.0
#include "plugins/cpu/kernels/registrations.h"

#include "plugins/cpu/kernels/elementwise/elementwise.h"

namespace ortrun::cpu {

// One line a family; each family's own file lists its operators.
void RegisterAllKernels(KernelList& list) {  //
  RegisterElementwise(list);
}

}  // namespace ortrun::cpu
