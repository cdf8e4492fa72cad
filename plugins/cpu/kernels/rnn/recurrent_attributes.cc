// SPDX-License-Identifier: Apache-2.0
#include "plugins/cpu/kernels/rnn/recurrent_attributes.h"

#include <algorithm>
#include <cctype>
#include <limits>
#include <string>
#include <string_view>

namespace ortrun::cpu {
namespace {

struct Named {
  std::string_view name;
  GateFunction function;
  size_t parameters;  ///< 1: alpha, 2: alpha and beta
  float alpha;        ///< defaults
  float beta;
};

constexpr Named kFunctions[] = {
    {"Sigmoid", GateFunction::kSigmoid, 0, 0.0F, 0.0F},
    {"Tanh", GateFunction::kTanh, 0, 0.0F, 0.0F},
    {"Relu", GateFunction::kRelu, 0, 0.0F, 0.0F},
    {"HardSigmoid", GateFunction::kHardSigmoid, 2, 0.2F, 0.5F},
    {"Affine", GateFunction::kAffine, 2, 1.0F, 0.0F},
    {"LeakyRelu", GateFunction::kLeakyRelu, 1, 0.01F, 0.0F},
    {"ThresholdedRelu", GateFunction::kThresholdedRelu, 1, 1.0F, 0.0F},
    {"ScaledTanh", GateFunction::kScaledTanh, 2, 1.0F, 1.0F},
    {"Elu", GateFunction::kElu, 1, 1.0F, 0.0F},
    {"Softsign", GateFunction::kSoftsign, 0, 0.0F, 0.0F},
    {"Softplus", GateFunction::kSoftplus, 0, 0.0F, 0.0F},
};

/// Exporters disagree on the case of the names.
bool SameName(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return std::tolower(static_cast<unsigned char>(c)); };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](char x, char y) { return lower(x) == lower(y); });
}

const Named& FunctionOf(std::string_view name) {
  const auto* found = std::find_if(std::begin(kFunctions), std::end(kFunctions),
                                   [&](const Named& f) { return SameName(f.name, name); });
  Require(found != std::end(kFunctions), "attribute activations names \"", name,
          "\"; known are Affine, Elu, HardSigmoid, LeakyRelu, Relu, ScaledTanh, Sigmoid, Softplus, Softsign, Tanh and "
          "ThresholdedRelu");
  return *found;
}

std::vector<GateActivations> ReadActivations(const KernelInfo& info, const std::vector<GateFunction>& defaults,
                                             size_t directions) {
  std::vector<GateActivations> result(directions);
  const std::vector<std::string> names = info.Strings("activations");
  if (names.empty()) {
    for (GateActivations& direction : result)
      for (size_t i = 0; i < defaults.size(); ++i) direction[i].function = defaults[i];
    return result;
  }
  const size_t needed = directions * defaults.size();
  // The schema of RNN gives one direction two entries as well.
  const bool is_schema_default = defaults.size() == 1 && names.size() == 2;
  Require(names.size() == needed || is_schema_default, "attribute activations has ", names.size(), " entries, ",
          directions, " direction(s) need ", needed);
  const std::vector<float> alphas = info.Floats("activation_alpha");
  const std::vector<float> betas = info.Floats("activation_beta");
  size_t alpha = 0;
  size_t beta = 0;
  for (size_t i = 0; i < needed; ++i) {
    const Named& named = FunctionOf(names[i]);
    GateActivation& activation = result[i / defaults.size()][i % defaults.size()];
    activation = {named.function, named.alpha, named.beta};
    if (named.parameters > 0 && alpha < alphas.size()) activation.alpha = alphas[alpha++];
    if (named.parameters > 1 && beta < betas.size()) activation.beta = betas[beta++];
  }
  return result;
}

std::vector<bool> ReadDirections(const KernelInfo& info) {
  const std::string direction = info.String("direction", "forward");
  if (direction == "forward") return {false};
  if (direction == "reverse") return {true};
  Require(direction == "bidirectional", "attribute direction is \"", direction,
          "\"; it must be forward, reverse or bidirectional");
  return {false, true};
}

}  // namespace

RecurrentAttributes ReadRecurrentAttributes(const KernelInfo& info, const std::vector<GateFunction>& defaults) {
  RecurrentAttributes attributes;
  attributes.reverse = ReadDirections(info);
  attributes.activations = ReadActivations(info, defaults, attributes.reverse.size());
  const int64_t hidden = info.Int("hidden_size", 0);
  Require(hidden >= 0 && (hidden > 0 || !info.HasAttribute("hidden_size")), "attribute hidden_size is ", hidden,
          "; it must be positive");
  attributes.hidden = static_cast<size_t>(hidden);
  const int64_t layout = info.Int("layout", 0);
  Require(layout == 0 || layout == 1, "attribute layout is ", layout, "; it must be 0 or 1");
  attributes.batch_first = layout == 1;
  attributes.clip = info.Float("clip", std::numeric_limits<float>::infinity());
  Require(attributes.clip > 0.0F, "attribute clip is ", attributes.clip, "; it must be positive");
  return attributes;
}

}  // namespace ortrun::cpu
