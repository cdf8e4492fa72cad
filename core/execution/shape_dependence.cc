// SPDX-License-Identifier: Apache-2.0
#include "core/execution/shape_dependence.h"

#include <algorithm>
#include <string_view>

#include "core/graph/schema.h"

namespace ortrun {
namespace {

/// Operators of the standard whose output shape depends on the content of some inputs, as bits of the input indices.
struct ContentDependence {
  std::string_view op;
  unsigned inputs;
};

constexpr unsigned kAll = ~0u;
constexpr ContentDependence kContentDependent[] = {
    {"AffineGrid", 1u << 1},
    {"BlackmanWindow", 1},
    {"CenterCropPad", 1u << 1},
    {"Col2Im", 3u << 1},
    {"Compress", kAll},
    {"ConstantOfShape", 1},
    {"DFT", 3u << 1},
    {"Expand", 1u << 1},
    {"HammingWindow", 1},
    {"HannWindow", 1},
    {"ImageDecoder", kAll},
    {"MaxUnpool", 1u << 2},
    {"MelWeightMatrix", kAll},
    {"NonMaxSuppression", kAll},
    {"NonZero", kAll},
    {"OneHot", 1u << 1},
    {"Pad", (1u << 1) | (1u << 3)},
    {"Range", kAll},
    {"ReduceL1", 1u << 1},
    {"ReduceL2", 1u << 1},
    {"ReduceLogSum", 1u << 1},
    {"ReduceLogSumExp", 1u << 1},
    {"ReduceMax", 1u << 1},
    {"ReduceMean", 1u << 1},
    {"ReduceMin", 1u << 1},
    {"ReduceProd", 1u << 1},
    {"ReduceSum", 1u << 1},
    {"ReduceSumSquare", 1u << 1},
    {"Reshape", 1u << 1},
    {"Resize", (1u << 2) | (1u << 3)},
    {"STFT", kAll},
    {"Slice", 0xfu << 1},
    {"Split", 1u << 1},
    {"SplitToSequence", kAll},
    {"Squeeze", 1u << 1},
    {"StringNormalizer", kAll},
    {"StringSplit", kAll},
    {"Tile", kAll & ~1u},
    {"TopK", 1u << 1},
    {"Unique", kAll},
    {"Unsqueeze", 1u << 1},
    {"Upsample", 1u << 1},
    {"Tokenizer", kAll},
};

unsigned ContentInputs(const std::string& op) {
  const auto* found =
      std::find_if(std::begin(kContentDependent), std::end(kContentDependent), [&](auto& e) { return e.op == op; });
  return found == std::end(kContentDependent) ? 0 : found->inputs;
}

bool AllTensors(const Node& node) {
  const auto tensor = [](const ValueInfo* value) { return value == nullptr || value->type.kind == ONNX_TYPE_TENSOR; };
  return std::all_of(node.inputs.begin(), node.inputs.end(), tensor) &&
         std::all_of(node.outputs.begin(), node.outputs.end(), tensor);
}

}  // namespace

ShapeKnowledge KnowledgeOfOutputs(const Node& node, const std::function<ShapeKnowledge(const ValueInfo&)>& of_input) {
  if (!node.subgraphs.empty() || !AllTensors(node)) return {};
  const OperatorSchema* schema = FindSchema(node.domain, node.op_type, node.since_version);
  if (schema == nullptr) return {};
  const unsigned content = ContentInputs(node.op_type);
  ShapeKnowledge known{true, schema->deterministic};
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    if (node.inputs[i] == nullptr) continue;
    const ShapeKnowledge input = of_input(*node.inputs[i]);
    known.value = known.value && input.value;
    const bool by_content = content == kAll || (i < 32 && ((content >> i) & 1u) != 0);
    known.shape = known.shape && (by_content ? input.value : input.shape);
  }
  const bool asks_shape = node.Is("Shape") || node.Is("Size");
  if (asks_shape && !node.inputs.empty() && node.inputs[0] != nullptr) known.value = of_input(*node.inputs[0]).shape;
  return known;
}

}  // namespace ortrun
