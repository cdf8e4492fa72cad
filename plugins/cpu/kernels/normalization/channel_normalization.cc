// SPDX-License-Identifier: Apache-2.0
#include "plugins/cpu/kernels/normalization/normalization.h"

namespace ortrun::cpu {

void RegisterChannelNormalization(KernelList& list) {
  RegisterBatchNormalization(list);
  RegisterGroupNormalization(list);
  RegisterLocalResponseNormalization(list);
  RegisterLpNormalization(list);
  RegisterMeanVarianceNormalization(list);
}

}  // namespace ortrun::cpu
