// SPDX-License-Identifier: Apache-2.0
#include "plugins/cpu/kernels/nn/fused_activation.h"

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

namespace ortrun::cpu {
namespace {

struct Named {
  const char* name;
  ActivationKind kind;
  size_t parameters;
  float alpha = 0;  ///< where the node gives no parameters: the operator's own defaults
  float beta = 0;
};

constexpr Named kActivations[] = {
    {"Relu", ActivationKind::kRelu, 0},
    {"Clip", ActivationKind::kClip, 2, std::numeric_limits<float>::lowest(), std::numeric_limits<float>::max()},
    {"LeakyRelu", ActivationKind::kLeakyRelu, 1, 0.01F},
    {"Sigmoid", ActivationKind::kSigmoid, 0},
    {"Tanh", ActivationKind::kTanh, 0},
    {"HardSigmoid", ActivationKind::kHardSigmoid, 2, 0.2F, 0.5F},
    {"HardSwish", ActivationKind::kHardSwish, 0},
    {"Silu", ActivationKind::kSilu, 0},
    {"Gelu", ActivationKind::kGeluErf, 0},
    {"GeluTanh", ActivationKind::kGeluTanh, 0},
};

}  // namespace

Activation ReadFusedActivation(const KernelInfo& info) {
  const std::string name = info.String("activation", "");
  std::vector<float> parameters = info.Floats("activation_params");
  if (name.empty()) return {};
  const auto* found = std::find_if(std::begin(kActivations), std::end(kActivations),
                                   [&](const Named& known) { return name == known.name; });
  Require(found != std::end(kActivations), "attribute activation names \"", name, "\", which is not known");
  // com.microsoft.FusedGemm has an attribute for each instead of a list.
  if (parameters.empty())
    parameters = {info.Float("activation_alpha", found->alpha), info.Float("activation_beta", found->beta)};
  Require(parameters.size() >= found->parameters, "attribute activation_params has ", parameters.size(), " entries, ",
          name, " needs ", found->parameters);
  Activation activation;
  activation.kind = found->kind;
  if (found->parameters > 0) activation.alpha = parameters[0];
  if (found->parameters > 1) activation.beta = parameters[1];
  return activation;
}

}  // namespace ortrun::cpu
