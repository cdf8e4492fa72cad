// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "ortrun/kernel_info.h"
#include "plugins/cpu/kernels/elementwise/float_loops.h"

namespace ortrun::cpu {

/// The activation that a fused operator applies to its result: attributes `activation` and `activation_params`.
/// The names are those of ortrun.ElementwiseChain; none and "" mean no activation.
struct FusedActivation {
  UnaryFloatLoop loop = nullptr;
  float p0 = 0;
  float p1 = 0;

  FusedActivation() = default;
  explicit FusedActivation(const KernelInfo& info) {
    const std::string name = info.String("activation", "");
    const std::vector<float> params = info.Floats("activation_params");
    if (name.empty()) return;
    loop = FindUnaryFloatLoop(name);
    Require(loop != nullptr, "attribute activation names \"", name, "\", which is not known");
    if (!params.empty()) p0 = params[0];
    if (params.size() > 1) p1 = params[1];
  }

  void Apply(float* values, size_t count) const {
    if (loop != nullptr) loop(values, values, count, p0, p1);
  }
};

}  // namespace ortrun::cpu
