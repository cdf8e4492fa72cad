// SPDX-License-Identifier: Apache-2.0
// A product with a constant matrix that is then scaled by constants: (xW + b)*s = x(Ws) + bs.
#include <cmath>

#include "core/optimizer/passes.h"

namespace ortrun {

namespace {

/// One number per column from a scalar, [N] or [1,..,1,N].
std::optional<std::vector<float>> PerColumn(const ValueInfo* value, size_t columns, int64_t result_rank) {
  const Value* constant = ConstantOf(value);
  auto numbers = FloatsOf(value, columns);
  if (!numbers || result_rank < 0 || static_cast<int64_t>(constant->tensor().rank) > result_rank) return std::nullopt;
  if (numbers->size() == 1) return std::vector<float>(columns, (*numbers)[0]);
  const OrtrunTensor& tensor = constant->tensor();
  if (numbers->size() != columns || tensor.shape[tensor.rank - 1] != static_cast<int64_t>(columns)) return std::nullopt;
  return numbers;
}

ValueInfo* Other(const Node* node, const ValueInfo* input) {
  return node->inputs[0] == input ? node->inputs[1] : node->inputs[0];
}

bool Rewrite(Rewriter& rewriter, Node& product) {
  if (!product.Is("MatMul") || !product.inputs[1] || !product.inputs[1]->IsConstant()) return false;
  const Value& weight = *product.inputs[1]->initializer;
  if (weight.type() != ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT || weight.tensor().rank != 2) return false;
  if (product.inputs[1]->uses.size() != 1) return false;
  const size_t columns = static_cast<size_t>(weight.tensor().shape[1]);
  const int64_t rank = RankOf(product.outputs[0]);
  if (columns == 0 || rank < 2) return false;

  Node* add = OnlyUser(product.outputs[0]);
  std::optional<std::vector<float>> bias;
  if (add != nullptr && add->Is("Add")) {
    bias = PerColumn(Other(add, product.outputs[0]), columns, rank);
    if (!bias) return false;
  } else {
    add = nullptr;
  }
  ValueInfo* before = add != nullptr ? add->outputs[0] : product.outputs[0];
  Node* mul = OnlyUser(before);
  if (mul == nullptr || !mul->Is("Mul")) return false;
  const auto factors = PerColumn(Other(mul, before), columns, rank);
  if (!factors) return false;
  for (float factor : *factors) {
    if (!std::isfinite(factor)) return false;
  }

  Value scaled = Value::CpuTensor(weight.type(), weight.tensor().shape, 2);
  const float* from = static_cast<const float*>(weight.tensor().data);
  float* to = static_cast<float*>(scaled.tensor().data);
  for (size_t i = 0; i < weight.tensor().count; ++i) {
    to[i] = from[i] * (*factors)[i % columns];
    if (!std::isfinite(to[i])) return false;
  }
  for (size_t i = 0; bias && i < columns; ++i) {
    (*bias)[i] *= (*factors)[i];
    if (!std::isfinite((*bias)[i])) return false;
  }
  Patch patch = rewriter.Start(product);
  patch.Take(mul);
  patch.Take(&product);
  patch.Take(add);
  Node* made = patch.Copy(product);
  patch.SetInput(made, 1, patch.Constant(product.inputs[1]->name, std::move(scaled)));
  if (made->origins.empty()) made->origins.push_back(product.name);
  made->origins.push_back(mul->name);
  if (add == nullptr) {
    patch.SetOutput(made, 0, mul->outputs[0]);
    return rewriter.Apply(patch);
  }
  Node* sum = patch.Copy(*add);
  const size_t bias_index = add->inputs[0] == product.outputs[0] ? 1 : 0;
  ValueInfo* between = patch.Fresh(product.outputs[0]->name, product.outputs[0]->type);
  patch.SetOutput(made, 0, between);
  patch.SetInput(sum, 1 - bias_index, between);
  patch.SetInput(sum, bias_index,
                 patch.Constant(product.name + "_bias", MakeTensor(ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT,
                                                                   {static_cast<int64_t>(columns)}, *bias)));
  patch.SetOutput(sum, 0, mul->outputs[0]);
  return rewriter.Apply(patch);
}

void Run(Rewriter& rewriter) {
  rewriter.ForEach([&](Node& node) { return Rewrite(rewriter, node); });
}

}  // namespace

std::unique_ptr<Pass> MakeMatMulScaling(PassStage stage) {
  return MakePass("matmul_scaling", stage, ORT_ENABLE_EXTENDED, Run);
}

}  // namespace ortrun
