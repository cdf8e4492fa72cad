// SPDX-License-Identifier: Apache-2.0
// A product with constant weights whose columns are then split (queries, keys and values from one projection) becomes a
// product for each part: the same work, and nothing is copied apart.
#include <algorithm>

#include "core/optimizer/passes.h"

namespace ortrun {

namespace {

/// Narrower parts would leave the inner loops with too few columns.
constexpr int64_t kLeastColumns = 64;

/// The sizes of the parts along the last axis; nothing when the split is along another one, or not known.
std::optional<std::vector<int64_t>> PartsOf(const Node& split, int64_t columns) {
  const int64_t rank = RankOf(Input(&split, 0)), axis = split.Int("axis", 0);
  if (rank < 2 || (axis != -1 && axis != rank - 1)) return std::nullopt;
  const int64_t count = static_cast<int64_t>(split.outputs.size());
  std::vector<int64_t> parts = split.Ints("split");
  if (Input(&split, 1) != nullptr) {
    const auto sizes = IntsOf(split.inputs[1]);
    if (!sizes) return std::nullopt;
    parts = *sizes;
  }
  if (parts.empty() && count > 0 && columns % count == 0) parts.assign(split.outputs.size(), columns / count);
  int64_t left = columns;
  for (int64_t part : parts) {
    if (part < kLeastColumns || part > left) return std::nullopt;
    left -= part;
  }
  return left == 0 && parts.size() == split.outputs.size() ? std::optional(parts) : std::nullopt;
}

/// Columns [begin, begin + count) of a matrix with `columns`.
Value Columns(const Value& matrix, int64_t rows, int64_t columns, int64_t begin, int64_t count,
              const std::vector<int64_t>& dims) {
  Value part = Value::CpuTensor(ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT, dims.data(), dims.size());
  const float* from = static_cast<const float*>(matrix.tensor().data) + begin;
  float* to = static_cast<float*>(part.tensor().data);
  for (int64_t row = 0; row < rows; ++row) to = std::copy_n(from + row * columns, count, to);
  return part;
}

/// A constant that nobody else needs whole.
const Value* OwnConstant(const ValueInfo* value) {
  const Value* constant = UsedOnce(value) ? ConstantOf(value) : nullptr;
  return constant != nullptr && constant->IsTensor() && constant->type() == ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT
             ? constant
             : nullptr;
}

bool Rewrite(Rewriter& rewriter, Node& split) {
  ValueInfo* whole = Input(&split, 0);
  Node* product = whole != nullptr && OnlyUser(whole) == &split ? whole->producer : nullptr;
  if (product == nullptr || product->inputs.size() < 2) return false;
  const bool fused = product->op_type == "FusedMatMul" && product->domain == "ortrun";
  if ((!fused && !product->Is("MatMul")) || Input(product, 3) != nullptr) return false;
  const Value* weights = OwnConstant(product->inputs[1]);
  if (weights == nullptr || weights->tensor().rank != 2 || product->Int("transB", 0) != 0) return false;
  const int64_t rows = weights->tensor().shape[0], columns = weights->tensor().shape[1];
  const auto parts = PartsOf(split, columns);
  ValueInfo* bias_input = Input(product, 2);
  const Value* bias = bias_input == nullptr ? nullptr : ConstantOf(bias_input);
  if (!parts || (bias_input != nullptr && bias == nullptr)) return false;
  if (bias != nullptr &&
      (bias->type() != ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT || bias->tensor().count != static_cast<size_t>(columns))) {
    return false;
  }

  Patch patch = rewriter.Start(*product);
  patch.Take(product);
  patch.Take(&split);
  int64_t begin = 0;
  for (size_t i = 0; i < parts->size(); begin += (*parts)[i++]) {
    if (split.outputs[i] == nullptr) continue;
    const int64_t count = (*parts)[i];
    std::vector<ValueInfo*> inputs = {
        product->inputs[0],
        patch.Constant(product->inputs[1]->name, Columns(*weights, rows, columns, begin, count, {rows, count}))};
    if (bias != nullptr) {
      inputs.push_back(patch.Constant(bias_input->name, Columns(*bias, 1, columns, begin, count, {count})));
    }
    Node* made = patch.Add(product->op_type, product->domain, product->since_version, inputs);
    made->attributes = product->attributes;
    patch.SetOutput(made, 0, split.outputs[i]);
  }
  return rewriter.Apply(patch);
}

void Run(Rewriter& rewriter) {
  rewriter.ForEach([&](Node& node) { return node.Is("Split") && Rewrite(rewriter, node); });
}

}  // namespace

std::unique_ptr<Pass> MakeProductSplitting() {
  return MakePass("product_splitting", PassStage::kProvider, ORT_ENABLE_EXTENDED, Run);
}

}  // namespace ortrun
