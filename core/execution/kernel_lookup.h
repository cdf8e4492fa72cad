// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "core/execution/session_state.h"
#include "core/optimizer/pass.h"

namespace ortrun {

/// Session config entry; "1": passes make only operators that ONNX Runtime's own cpu provider runs too, so that a model
/// that is saved loads there.
inline constexpr const char* kOnnxRuntimeOperatorsOnly = "ortrun.save.onnxruntime_operators_only";

/// What passes may ask of the providers of a session.
class SessionKernels : public KernelLookup {
 public:
  /// `model` is the one that passes rewrite.
  SessionKernels(SessionState& session, const Model& model);
  const std::vector<std::string>& Providers() const override { return providers_; }
  bool Serves(const std::string& provider, const Node& node) const override;
  ElementType ComputeType(const std::string& provider, const Node& node, ElementType stored) const override;
  bool WantsChannelsLast(const std::string& provider, const Node& node) const override;
  std::optional<std::vector<Value>> Evaluate(const Node& node) const override;

 private:
  const Provider* Find(const std::string& name) const;
  SessionState& session_;
  const Model& model_;
  bool onnxruntime_only_;
  std::vector<std::string> providers_;
};

}  // namespace ortrun
