// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ortrun/kernel.h"

namespace ortrun::cpu {

/// Steps of gradient descent (ai.onnx.preview.training): Adagrad, Adam, Momentum.
void RegisterTraining(KernelList& list);

}  // namespace ortrun::cpu
