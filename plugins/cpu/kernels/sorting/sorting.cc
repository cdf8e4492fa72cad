// SPDX-License-Identifier: Apache-2.0
#include "plugins/cpu/kernels/sorting/sorting.h"

namespace ortrun::cpu {

void RegisterSorting(KernelList& list) {
  RegisterTopK(list);
  RegisterUnique(list);
}

}  // namespace ortrun::cpu
