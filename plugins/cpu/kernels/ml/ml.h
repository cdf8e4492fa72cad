// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ortrun/kernel.h"

namespace ortrun::cpu {

void RegisterTreeEnsembles(KernelList& list);
void RegisterLinearModels(KernelList& list);
void RegisterSupportVectorMachines(KernelList& list);
void RegisterFeatureTransforms(KernelList& list);
void RegisterLabelEncoders(KernelList& list);

/// The operators of the ai.onnx.ml domain.
void RegisterMachineLearning(KernelList& list);

}  // namespace ortrun::cpu
