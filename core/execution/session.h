// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/execution/options.h"
#include "core/execution/value.h"
#include "core/graph/graph.h"

struct OrtEnv;

/// Nodes of the model that one provider runs together.
struct OrtEpAssignedNode {
  std::string name;
  std::string domain;
  std::string op_type;
};
struct OrtEpAssignedSubgraph {
  std::string provider;
  std::vector<OrtEpAssignedNode> nodes;
  std::vector<const OrtEpAssignedNode*> node_pointers;
};

/// A model made ready to run. Run may be called from several threads at once.
struct OrtSession {
 public:
  /// Reads, optimises, partitions and prepares a model. See core/graph/onnx_reader.h for the errors of reading;
  /// ORT_FAIL when a requested provider is not to be had, ORT_NOT_IMPLEMENTED when no provider takes a node.
  /// `shared` may be null: else packed weights are taken from there where the bytes are equal, and added to it.
  static std::unique_ptr<OrtSession> FromFile(OrtEnv& env, const std::filesystem::path& path,
                                              const OrtSessionOptions& options,
                                              OrtPrepackedWeightsContainer* shared = nullptr);
  static std::unique_ptr<OrtSession> FromMemory(OrtEnv& env, const void* data, size_t bytes,
                                                const OrtSessionOptions& options,
                                                OrtPrepackedWeightsContainer* shared = nullptr);
  static std::unique_ptr<OrtSession> FromModel(OrtEnv& env, std::unique_ptr<OrtModel> model,
                                               const OrtSessionOptions& options);
  OrtSession(const OrtSession&) = delete;
  OrtSession& operator=(const OrtSession&) = delete;
  ~OrtSession();

  /// Inputs, outputs and overridable initialisers as the model declares them.
  const std::vector<const OrtValueInfo*>& inputs() const;
  const std::vector<const OrtValueInfo*>& outputs() const;
  const std::vector<const OrtValueInfo*>& overridable() const;
  const OrtModel& model() const;  ///< what the file says about itself; its graph is the optimised one
  const OrtSessionOptions& options() const;
  OrtEnv& env() const;

  /// Computes `output_names`, and nothing that they do not need when they are fewer than all or inputs are left out.
  /// given_outputs[i] (or all: empty) is either nullptr, and then new_outputs[i] is a new value that the caller owns,
  /// or a value of the caller's, of the right type and shape, that receives the result; see given_outputs.h. An output
  /// that is named twice is given twice, in new values. `output_memory` (empty, or one entry per output, nullptr: CPU)
  /// says in which memory new values are made.
  void Run(const OrtRunOptions* options, std::span<const char* const> input_names,
           std::span<const OrtValue* const> inputs, std::span<const char* const> output_names,
           std::span<std::unique_ptr<OrtValue>> new_outputs, std::span<OrtValue* const> given_outputs,
           std::span<const OrtMemoryInfo* const> output_memory);

  /// Memory in which an input is wanted or an output is made, and the device behind it (nullptr: the CPU without one).
  const OrtMemoryInfo* InputMemory(size_t index) const;
  const OrtMemoryInfo* OutputMemory(size_t index) const;
  const OrtEpDevice* InputDevice(size_t index) const;
  const OrtEpDevice* OutputDevice(size_t index) const;

  /// The allocator for a memory of this session's providers; throws Error(ORT_INVALID_ARGUMENT) when there is none.
  std::shared_ptr<OrtAllocator> AllocatorFor(const OrtMemoryInfo& memory) const;

  const std::vector<std::string>& provider_names() const;
  /// Who runs which nodes of the model; owned by the session.
  const std::vector<const OrtEpAssignedSubgraph*>& assignment_pointers() const;
  std::string Explain() const;   ///< see ORTRUN_EXPLAIN_SESSION
  std::string Counters() const;  ///< see ORTRUN_SESSION_COUNTERS

  /// Ends profiling and answers the trace file's path ("" when it was not on).
  std::string EndProfiling();
  uint64_t ProfilingStartNs() const;

  void SetProviderOptions(const std::string& provider, std::span<const char* const> keys,
                          std::span<const char* const> values);

  /// Throws Error(ORT_INVALID_ARGUMENT) that names the inputs which these outputs need and that are not among the
  /// given. Names that the model does not have are left to Run.
  void RequireInputs(std::span<const char* const> input_names, std::span<const char* const> output_names) const;

  /// Runs `task` on the session's pool, for RunAsync; ORT_INVALID_ARGUMENT when that has no thread beside the caller's.
  void Schedule(std::function<void()> task);

  struct Impl;  ///< private to core/execution

 private:
  explicit OrtSession(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// Inputs and outputs bound to names. Not thread-safe.
struct OrtIoBinding {
  OrtSession* session = nullptr;
  std::vector<std::pair<std::string, OrtValue>> inputs;
  struct Output {
    std::string name;
    bool has_value = false;
    OrtValue value;
    OrtMemoryInfo memory;  ///< where a new value is wanted
  };
  std::vector<Output> outputs;
};

namespace ortrun {
using Session = ::OrtSession;
}
