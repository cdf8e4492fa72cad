// SPDX-License-Identifier: Apache-2.0
#include "plugins/cpu/kernels/image/image.h"

namespace ortrun::cpu {

void RegisterImage(KernelList& list) {
  RegisterNonMaxSuppression(list);
  RegisterResize(list);
}

}  // namespace ortrun::cpu
