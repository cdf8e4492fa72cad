// SPDX-License-Identifier: Apache-2.0
#include <chrono>

#include "core/optimizer/passes.h"

namespace ortrun {

namespace {

class FunctionPass : public Pass {
 public:
  FunctionPass(const char* name, PassStage stage, GraphOptimizationLevel level, void (*run)(Rewriter&))
      : name_(name), stage_(stage), level_(level), run_(run) {}
  const char* name() const override { return name_; }
  PassStage stage() const override { return stage_; }
  GraphOptimizationLevel level() const override { return level_; }
  size_t Run(Graph& graph, const PassContext& context) const override {
    Rewriter rewriter(name_, graph, context);
    run_(rewriter);
    return rewriter.count();
  }

 private:
  const char* name_;
  PassStage stage_;
  GraphOptimizationLevel level_;
  void (*run_)(Rewriter&);
};

std::vector<std::unique_ptr<Pass>> MakeAllPasses() {
  std::vector<std::unique_ptr<Pass>> passes;
  // What is known before a run becomes constant. Folding comes again after shapes became constants.
  passes.push_back(MakeIdentityRemoval());
  passes.push_back(MakeCommonSubexpressions());  // what many nodes make of one weight becomes one constant
  passes.push_back(MakeConstantFolding());
  passes.push_back(MakeConstantIf());
  passes.push_back(MakeCommonSubexpressions());
  passes.push_back(MakeShapeFolding());
  passes.push_back(MakeConstantFolding());
  // Fewer and simpler nodes.
  passes.push_back(MakeCastRemoval());
  passes.push_back(MakeAlgebra());
  passes.push_back(MakePackedProjectionSplit());
  passes.push_back(MakeBatchedTranspose());
  passes.push_back(MakeReshapeMerging());
  passes.push_back(MakeTransposeMerging());
  passes.push_back(MakeGlobalPooling());
  passes.push_back(MakeCommonSubexpressions());
  // Constants into weights.
  passes.push_back(MakePadIntoConvolution());
  passes.push_back(MakeConvolutionScaling());
  passes.push_back(MakeMatMulScaling());
  // Provider stage: what ran in 16 bits by way of float becomes float, and constants go into its weights too.
  passes.push_back(MakeHalfWidening());
  passes.push_back(MakeConvolutionScaling(PassStage::kProvider));
  passes.push_back(MakeMatMulScaling(PassStage::kProvider));
  // Big patterns before the small ones that they are made of.
  passes.push_back(MakeGeluFusion());
  passes.push_back(MakeLayerNormalizationFusion());
  passes.push_back(MakeSimplifiedLayerNormalizationFusion());
  passes.push_back(MakeRotaryEmbeddingFusion());
  passes.push_back(MakeAttentionFusion());
  passes.push_back(MakeActivationForms());
  passes.push_back(MakeMatMulFusion());
  passes.push_back(MakeProductSplitting());
  passes.push_back(MakeConvolutionFusion());
  passes.push_back(MakeSkipNormalizationFusion());
  passes.push_back(MakeElementwiseChains());
  passes.push_back(MakeChannelsLast());
  return passes;
}

size_t RunOn(Graph& graph, const Pass& pass, const PassContext& context) {
  graph.Sort();
  size_t count = pass.Run(graph, context);
  if (count != 0) {
    graph.RemoveUnused();
    graph.Sort();
  }
  for (const auto& node : graph.nodes()) {
    for (const auto& [attribute, body] : node->subgraphs) count += RunOn(*body, pass, context);
  }
  return count;
}

}  // namespace

std::unique_ptr<Pass> MakePass(const char* name, PassStage stage, GraphOptimizationLevel level,
                               void (*run)(Rewriter&)) {
  return std::make_unique<FunctionPass>(name, stage, level, run);
}

const std::vector<std::unique_ptr<Pass>>& AllPasses() {
  static const std::vector<std::unique_ptr<Pass>> passes = MakeAllPasses();
  return passes;
}

void Optimize(PassStage stage, const PassContext& context, const OptimizerOptions& options) {
  if (options.level == ORT_DISABLE_ALL || context.model.graph == nullptr) return;
  for (const std::unique_ptr<Pass>& pass : AllPasses()) {
    if (pass->stage() != stage || pass->level() > options.level || options.disabled.count(pass->name()) != 0) continue;
    if (options.canceled && options.canceled()) {
      throw Error(ORT_MODEL_LOAD_CANCELED, Concat("loading was canceled before optimizer pass '", pass->name(), "'"));
    }
    const auto start = std::chrono::steady_clock::now();
    const size_t count = RunOn(*context.model.graph, *pass, context);
    const double milliseconds =
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
    context.logger.Log(ORT_LOGGING_LEVEL_VERBOSE, "pass ", pass->name(), ": ", count, " rewrites in ", milliseconds,
                       " ms");
  }
  context.model.graph->RemoveUnused();
  context.model.graph->Sort();
}

}  // namespace ortrun
