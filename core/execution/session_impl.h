// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "core/execution/input_check.h"
#include "core/execution/program.h"
#include "core/execution/session.h"
#include "core/execution/session_state.h"
#include "core/optimizer/pass.h"
#include "core/providers/custom_ops.h"

struct OrtSession::Impl {
  ~Impl();

  // The order matters at the end: programs release kernels before their providers go, and the model goes last.
  std::unique_ptr<OrtModel> model;
  std::unique_ptr<ortrun::CustomOpSchemas> custom_ops;
  ortrun::SessionState state;
  std::unique_ptr<ortrun::Program> program;
  std::unique_ptr<ortrun::InputCheck> input_check;

  std::unique_ptr<ortrun::DimensionNames> names;  ///< which of them rewrites relied on
  ortrun::PatchCount patches;                     ///< of the optimizer, both stages

  std::vector<const OrtValueInfo*> inputs;
  std::vector<const OrtValueInfo*> outputs;
  std::vector<const OrtValueInfo*> overridable;
  /// Declared types of inputs, as the file says them: passes may refine the graph's own.
  std::map<std::string, size_t, std::less<>> input_index;   ///< in the program's list of inputs
  std::map<std::string, size_t, std::less<>> output_index;  ///< in the program's list of outputs
  std::vector<std::string> input_names;                     ///< required and overridable, for messages
  std::vector<std::string> output_names;
  std::vector<std::string> provider_names;
  std::vector<std::unique_ptr<OrtEpAssignedSubgraph>> assignment;
  std::vector<const OrtEpAssignedSubgraph*> assignment_pointers;
  /// Initialisers of a model that the caller built, over memory that may be the caller's. While the session is made.
  std::vector<std::shared_ptr<const OrtValue>> borrowed_initializers;
  size_t copies = 0;  ///< device copies in one run of the main graph
  bool denormals_as_zero = false;
  std::mutex serial_runs;  ///< held during a run when a provider cannot run concurrently

  void Prepare(OrtEnv& env, const OrtSessionOptions& options);
  void Build(std::unique_ptr<OrtModel> read);
  void Optimize(ortrun::PassStage stage);
  /// Writes the optimized model where the options ask for it.
  void Save() const;
  void CountWeightUses();
  void ReleasePackedWeights(const OrtGraph& graph);
  void CollectNames();
  void CollectAssignment();
  /// What an input is that a caller leaves out; nullptr: it must be given where it is read.
  const OrtValue* DefaultInput(size_t index) const;
  /// Throws Error(ORT_INVALID_ARGUMENT) that names the inputs which a run of this selection lacks.
  void RequireInputs(const ortrun::Selection& selection, std::span<const OrtValue* const> given) const;
  std::unique_ptr<OrtValue> CopyOf(const OrtValue& value) const;
  const OrtEpDevice* DeviceOf(const OrtMemoryInfo& memory) const;
};
