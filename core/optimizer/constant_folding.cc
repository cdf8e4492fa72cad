// SPDX-License-Identifier: Apache-2.0
// Computes nodes whose inputs are all constants, once, with a provider's kernel.
#include <limits>
#include <set>

#include "core/graph/schema.h"
#include "core/optimizer/match.h"
#include "core/optimizer/passes.h"

namespace ortrun {

namespace {

bool IsRandom(const Node& node) {
  static const std::set<std::string> names = {"RandomNormal", "RandomUniform", "RandomNormalLike", "RandomUniformLike",
                                              "Multinomial",  "Bernoulli",     "Dropout"};
  const OperatorSchema* schema = FindSchema(node.domain, node.op_type, node.since_version);
  return schema == nullptr || !schema->deterministic || names.count(node.op_type) != 0;
}

/// Operators whose result may be larger than the product of their inputs' sizes.
bool MayGrow(const Node& node) {
  static const std::set<std::string> names = {"ConstantOfShape", "Expand",         "Tile",       "Range",
                                              "Resize",          "Upsample",       "Pad",        "OneHot",
                                              "EyeLike",         "CenterCropPad",  "Col2Im",     "MaxUnpool",
                                              "ConvTranspose",   "AffineGrid",     "HannWindow", "HammingWindow",
                                              "BlackmanWindow",  "MelWeightMatrix"};
  return names.count(node.op_type) != 0;
}

/// An upper bound of the bytes of the results, or nothing when there is none.
std::optional<size_t> ResultBytes(const Node& node) {
  size_t total = 0;
  for (const ValueInfo* output : node.outputs) {
    if (output == nullptr) continue;
    std::vector<int64_t> dims;
    if (StaticShape(output, &dims)) {
      size_t bytes = std::max<size_t>(1, ElementBits(TypeOf(output)) / 8);
      for (int64_t dim : dims) {
        if (__builtin_mul_overflow(bytes, static_cast<size_t>(dim), &bytes)) return std::nullopt;
      }
      total += bytes;
      continue;
    }
    size_t bytes = 8;
    if (node.Is("ConstantOfShape")) {
      const auto shape = IntsOf(node.inputs[0]);
      if (!shape) return std::nullopt;
      for (int64_t dim : *shape) {
        if (dim < 0 || __builtin_mul_overflow(bytes, static_cast<size_t>(dim), &bytes)) return std::nullopt;
      }
    } else if (MayGrow(node)) {
      return std::nullopt;
    } else {
      for (const ValueInfo* input : node.inputs) {
        const Value* constant = ConstantOf(input);
        if (constant == nullptr) continue;
        const size_t count = std::max<size_t>(1, constant->tensor().count);
        if (__builtin_mul_overflow(bytes, count, &bytes)) return std::nullopt;
      }
    }
    total += bytes;
  }
  return total;
}

bool CanFold(const Node& node, const PassContext& context) {
  if (node.inputs.empty() || !node.subgraphs.empty() || IsRandom(node)) return false;
  // Quantised weights stay small: kernels widen them where they are used.
  if (node.Is("DequantizeLinear") || !node.domain.empty()) return false;
  size_t input_bytes = 0, inputs = 0;
  for (const ValueInfo* input : node.inputs) {
    if (input == nullptr) continue;
    const Value* constant = ConstantOf(input);
    if (constant == nullptr || !constant->IsTensor()) return false;
    if (!constant->IsString()) input_bytes += constant->bytes();
    ++inputs;
  }
  if (inputs == 0) return false;
  for (const ValueInfo* output : node.outputs) {
    if (output != nullptr && (output->is_output || !output->type.IsTensor())) return false;
  }
  const auto result_bytes = ResultBytes(node);
  return result_bytes && (*result_bytes <= context.max_folded_bytes || *result_bytes <= input_bytes);
}

void Run(Rewriter& rewriter) {
  const PassContext& context = rewriter.context();
  rewriter.ForEach([&](Node& node) {
    if (!CanFold(node, context)) return false;
    std::optional<std::vector<Value>> results = context.kernels.Evaluate(node);
    if (!results || results->size() < node.outputs.size()) return false;
    for (size_t i = 0; i < node.outputs.size(); ++i) {
      if (node.outputs[i] != nullptr && !(*results)[i].IsTensor()) return false;
    }
    Patch patch = rewriter.Start(node);
    patch.Take(&node);
    for (size_t i = 0; i < node.outputs.size(); ++i) {
      if (node.outputs[i] == nullptr) continue;
      patch.Become(node.outputs[i], std::make_shared<const Value>(std::move((*results)[i])));
    }
    return rewriter.Apply(patch);
  });
}

}  // namespace

std::unique_ptr<Pass> MakeConstantFolding() {
  return MakePass("constant_folding", PassStage::kPortable, ORT_ENABLE_BASIC, Run);
}

}  // namespace ortrun
