// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ortrun/kernel.h"

namespace ortrun::cpu {

void RegisterTreeEnsembles(KernelList& list);
void RegisterLinearModels(KernelList& list);
void RegisterSupportVectorMachines(KernelList& list);
void RegisterFeatureTransforms(KernelList& list);
void RegisterLabelEncoders(KernelList& list);
void RegisterMaps(KernelList& list, const Host& host);

/// The operators of the ai.onnx.ml domain; those that make maps only where the host lets a kernel do it.
void RegisterMachineLearning(KernelList& list, const Host& host);

}  // namespace ortrun::cpu
