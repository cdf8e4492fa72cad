// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/base/logging.h"
#include "core/graph/graph.h"
#include "core/optimizer/dimension_names.h"

namespace ortrun {

/// What the providers of a session can do, as far as passes need it. Implemented by core/execution.
class KernelLookup {
 public:
  virtual ~KernelLookup() = default;

  /// The providers of the session that register kernels, in the caller's order.
  virtual const std::vector<std::string>& Providers() const = 0;

  /// Whether `provider` has a kernel for the node: operator, version, and the types of all inputs and outputs. The node
  /// may stand apart from any graph.
  virtual bool Serves(const std::string& provider, const Node& node) const = 0;

  /// The element type in which `provider` computes a node's elements of type `stored`: another one where its kernels
  /// widen them, compute and round.
  virtual ElementType ComputeType(const std::string& /*provider*/, const Node& /*node*/, ElementType stored) const {
    return stored;
  }

  /// Whether `provider` asked for channels-last for this operator.
  virtual bool WantsChannelsLast(const std::string& provider, const Node& node) const = 0;

  /// Computes a node whose inputs are all constants with some provider's kernel on the CPU. Nothing when no kernel
  /// serves it or it failed; passes then leave the node alone.
  virtual std::optional<std::vector<Value>> Evaluate(const Node& node) const = 0;
};

enum class PassStage {
  kPortable,  ///< before partitioning, on plain ONNX; the result is plain ONNX
  kProvider,  ///< after partitioning: may use fused operators that the node's provider has a kernel for, and joins only
              ///< nodes of one provider
};

/// How many patches were applied to a model, and how many may be: a wrong one is found by bisection.
struct PatchCount {
  size_t applied = 0;
  size_t most = std::numeric_limits<size_t>::max();
};

struct PassContext {
  Model& model;
  const KernelLookup& kernels;
  const Logger& logger;
  PatchCount& patches;
  bool deterministic = false;
  size_t max_folded_bytes = 16u << 20;  ///< constant folding never makes a constant larger than this from smaller ones
  DimensionNames* names = nullptr;      ///< hears which names of dimensions rewrites rely on; nullptr: nobody asks
};

/// One kind of rewrite. Stateless; Run is called for the main graph and for every subgraph.
class Pass {
 public:
  virtual ~Pass() = default;
  virtual const char* name() const = 0;
  virtual PassStage stage() const = 0;
  /// The lowest GraphOptimizationLevel at which it runs.
  virtual GraphOptimizationLevel level() const = 0;
  /// Rewrites `graph` (not its subgraphs); answers how many patches it applied. The graph is sorted before and may be
  /// unsorted after. Values that are graph outputs keep their names.
  virtual size_t Run(Graph& graph, const PassContext& context) const = 0;
};

/// Every pass, in the order in which they run. One file a pass; this list is the whole optimizer.
const std::vector<std::unique_ptr<Pass>>& AllPasses();

struct OptimizerOptions {
  GraphOptimizationLevel level = ORT_ENABLE_ALL;
  std::set<std::string> disabled;  ///< names of passes that must not run
  std::function<bool()> canceled;  ///< asked between passes; true ends with Error(ORT_MODEL_LOAD_CANCELED)
};

/// Runs the passes of one stage that the options allow over the whole model, each through one wrapper: switched off by
/// name, timed (logged at verbose), counted; afterwards the graph is pruned and sorted. What a pass changes goes
/// through one wrapper, too (rewriter.h). ORT_DISABLE_ALL rewrites nothing.
void Optimize(PassStage stage, const PassContext& context, const OptimizerOptions& options);

}  // namespace ortrun
