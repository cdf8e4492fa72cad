// SPDX-License-Identifier: Apache-2.0
#include "plugins/cpu/kernels/normalization/normalization.h"

namespace ortrun::cpu {

void RegisterNormalization(KernelList& list) {
  RegisterChannelNormalization(list);
  RegisterHardmax(list);
  RegisterLayerNormalization(list);
  RegisterSoftmax(list);
}

}  // namespace ortrun::cpu
