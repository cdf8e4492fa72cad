// SPDX-License-Identifier: Apache-2.0
#include "core/optimizer/activation.h"

#include <limits>

namespace ortrun {

namespace {

std::optional<std::vector<float>> ClipLimits(const Node* node) {
  if (node->since_version < 11) {
    return std::vector<float>{node->Float("min", std::numeric_limits<float>::lowest()),
                              node->Float("max", std::numeric_limits<float>::max())};
  }
  constexpr float kNone = std::numeric_limits<float>::infinity();
  std::vector<float> limits = {-kNone, kNone};
  for (size_t i : {size_t{1}, size_t{2}}) {
    if (Input(node, i) == nullptr) continue;
    const auto limit = ScalarOf(node->inputs[i]);
    if (!limit || !IsExactFloat(*limit)) return std::nullopt;
    limits[i - 1] = static_cast<float>(*limit);
  }
  return limits;
}

/// x * Sigmoid(x), from the Sigmoid.
std::optional<Activation> Silu(const ValueInfo* value) {
  if (value->is_output || value->uses.size() != 2) return std::nullopt;
  Node* sigmoid = nullptr;
  Node* product = nullptr;
  for (const Use& use : value->uses) {
    if (use.index < 0) return std::nullopt;
    (use.node->Is("Sigmoid") ? sigmoid : product) = use.node;
  }
  if (sigmoid == nullptr || product == nullptr || !product->Is("Mul") || product->inputs.size() != 2 ||
      OnlyUser(sigmoid->outputs[0]) != product) {
    return std::nullopt;
  }
  return Activation{"Silu", {}, {sigmoid, product}, product->outputs[0]};
}

}  // namespace

std::optional<Activation> AsActivation(Node* node) {
  if (node == nullptr || node->outputs.empty() || node->outputs[0] == nullptr) return std::nullopt;
  Activation made{node->op_type, {}, {node}, node->outputs[0]};
  if (node->domain.empty()) {
    if (node->Is("Relu") || node->Is("Sigmoid") || node->Is("Tanh") || node->Is("HardSwish")) return made;
    if (node->Is("LeakyRelu")) {
      made.params = {node->Float("alpha", 0.01f)};
      return made;
    }
    if (node->Is("HardSigmoid")) {
      made.params = {node->Float("alpha", 0.2f), node->Float("beta", 0.5f)};
      return made;
    }
    if (node->Is("Clip")) {
      const auto limits = ClipLimits(node);
      if (!limits) return std::nullopt;
      made.params = *limits;
      return made;
    }
    if (node->Is("Gelu")) {
      made.name = node->String("approximate", "none") == "tanh" ? "GeluTanh" : "Gelu";
      return made;
    }
    if (node->Is("Swish") && node->Float("alpha", 1) == 1) {
      made.name = "Silu";
      return made;
    }
    return std::nullopt;
  }
  if (node->domain != "com.microsoft") return std::nullopt;
  if (node->op_type == "Gelu") return made;
  if (node->op_type == "FastGelu" && Input(node, 1) == nullptr) {
    made.name = "GeluTanh";
    return made;
  }
  if (node->op_type == "QuickGelu" && node->Float("alpha", 1.702f) == 1) {
    made.name = "Silu";
    return made;
  }
  return std::nullopt;
}

std::optional<Activation> FollowingActivation(const ValueInfo* value) {
  Node* user = OnlyUser(value);
  std::optional<Activation> found;
  if (user != nullptr) {
    if (user->inputs.empty() || user->inputs[0] != value) return std::nullopt;
    found = AsActivation(user);
  } else if (value != nullptr) {
    found = Silu(value);
  }
  return found;
}

}  // namespace ortrun
