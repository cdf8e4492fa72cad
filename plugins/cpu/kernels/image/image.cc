// SPDX-License-Identifier: Apache-2.0
#include "plugins/cpu/kernels/image/image.h"

namespace ortrun::cpu {

void RegisterImage(KernelList& list) {
  RegisterAffineGrid(list);
  RegisterCenterCropPad(list);
  RegisterCol2Im(list);
  RegisterGridSample(list);
  RegisterNonMaxSuppression(list);
  RegisterResize(list);
  RegisterRoiAlign(list);
}

}  // namespace ortrun::cpu
