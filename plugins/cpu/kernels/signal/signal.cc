// SPDX-License-Identifier: Apache-2.0
#include "plugins/cpu/kernels/signal/signal.h"

namespace ortrun::cpu {

void RegisterSignal(KernelList& list) {
  RegisterFourierTransforms(list);
  RegisterMelWeightMatrix(list);
  RegisterWindows(list);
}

}  // namespace ortrun::cpu
