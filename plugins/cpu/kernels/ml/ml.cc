// SPDX-License-Identifier: Apache-2.0
#include "plugins/cpu/kernels/ml/ml.h"

namespace ortrun::cpu {

void RegisterMachineLearning(KernelList& list, const Host& host) {
  RegisterTreeEnsembles(list);
  RegisterLinearModels(list);
  RegisterSupportVectorMachines(list);
  RegisterFeatureTransforms(list);
  RegisterLabelEncoders(list);
  RegisterMaps(list, host);
}

}  // namespace ortrun::cpu
