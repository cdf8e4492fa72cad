// SPDX-License-Identifier: Apache-2.0
#pragma once

// The makers of all passes, one file each; pipeline.cc has their order. A pass is a function over a Rewriter.

#include <memory>

#include "core/optimizer/match.h"

namespace ortrun {

/// A pass from its facts and its function.
std::unique_ptr<Pass> MakePass(const char* name, PassStage stage, GraphOptimizationLevel level,
                               void (*run)(Rewriter& rewriter));

// Portable: plain ONNX in, plain ONNX out.
std::unique_ptr<Pass> MakeConstantIf();
std::unique_ptr<Pass> MakeIdentityRemoval();
std::unique_ptr<Pass> MakeConstantFolding();
std::unique_ptr<Pass> MakeShapeFolding();
std::unique_ptr<Pass> MakeAlgebra();
std::unique_ptr<Pass> MakeCastRemoval();
std::unique_ptr<Pass> MakeReshapeMerging();
std::unique_ptr<Pass> MakeTransposeMerging();
std::unique_ptr<Pass> MakeCommonSubexpressions();
std::unique_ptr<Pass> MakeBatchedTranspose();
std::unique_ptr<Pass> MakePackedProjectionSplit();
std::unique_ptr<Pass> MakePadIntoConvolution();
std::unique_ptr<Pass> MakeConvolutionScaling(PassStage stage = PassStage::kPortable);
std::unique_ptr<Pass> MakeMatMulScaling(PassStage stage = PassStage::kPortable);
std::unique_ptr<Pass> MakeGlobalPooling();

// Provider stage: fused operators, where the provider of the nodes has a kernel for them.
std::unique_ptr<Pass> MakeHalfWidening();
std::unique_ptr<Pass> MakeGeluFusion();
std::unique_ptr<Pass> MakeActivationForms();
std::unique_ptr<Pass> MakeLayerNormalizationFusion();
std::unique_ptr<Pass> MakeSimplifiedLayerNormalizationFusion();
std::unique_ptr<Pass> MakeRotaryEmbeddingFusion();
std::unique_ptr<Pass> MakeAttentionFusion();
std::unique_ptr<Pass> MakeMatMulFusion();
std::unique_ptr<Pass> MakeProductSplitting();
std::unique_ptr<Pass> MakeSkipNormalizationFusion();
std::unique_ptr<Pass> MakeConvolutionFusion();
std::unique_ptr<Pass> MakeChannelsLast();
std::unique_ptr<Pass> MakeElementwiseChains();

}  // namespace ortrun
