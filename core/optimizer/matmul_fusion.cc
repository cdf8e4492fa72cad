// SPDX-License-Identifier: Apache-2.0
// MatMul and Gemm take in what stands around them -> ortrun.FusedMatMul: transposes of their inputs, a scale, a bias,
// an activation, a residual, and the reshapes by which exporters bring a tensor of higher rank through a Gemm.
#include <algorithm>

#include "core/optimizer/activation.h"
#include "core/optimizer/passes.h"
#include "core/optimizer/symbolic_shape.h"

namespace ortrun {

namespace {

struct Product {
  ValueInfo* a = nullptr;
  ValueInfo* b = nullptr;
  ValueInfo* bias = nullptr;
  ValueInfo* residual = nullptr;
  bool trans_a = false, trans_b = false, residual_after = true;
  double alpha = 1;
  Activation activation;
  std::vector<Node*> nodes;
  ValueInfo* output = nullptr;
  bool worthwhile = false;
};

class MatMulFusion {
 public:
  explicit MatMulFusion(Rewriter& rewriter) : rewriter_(rewriter), shapes_(rewriter.graph()) {}

  bool Rewrite(Node& node) {
    const bool gemm = node.Is("Gemm");
    if ((!gemm && !node.Is("MatMul")) || !Input(&node, 0) || !Input(&node, 1) || !Output(&node, 0)) return false;
    const ElementType type = TypeOf(node.inputs[0]);
    if (!rewriter_.Has(node, "ortrun", "FusedMatMul", 1, type)) return false;
    like_ = &node;
    Product product;
    product.nodes = {&node};
    product.a = node.inputs[0];
    product.b = node.inputs[1];
    product.output = node.outputs[0];
    if (gemm ? !FromGemm(node, product) : !FromMatMul(product)) return false;
    TakeScale(product);
    TakeBias(product);
    TakeActivation(product);
    TakeResidual(product);
    if (!product.worthwhile) return false;
    Build(product);
    return true;
  }

 private:
  bool Ours(const Node* node) const { return node != nullptr && node->provider == like_->provider; }

  void Absorb(Product& product, Node* node, ValueInfo* output) {
    product.nodes.push_back(node);
    product.output = output;
    product.worthwhile = true;
  }

  /// The input of a Transpose that swaps the last two axes and is read here only.
  ValueInfo* Swapped(ValueInfo* value) const {
    Node* transpose = UsedOnce(value) ? MadeBy(value, "Transpose") : nullptr;
    if (!Ours(transpose)) return nullptr;
    std::vector<int64_t> perm = PermOf(transpose);
    if (perm.size() < 2) return nullptr;
    std::swap(perm[perm.size() - 1], perm[perm.size() - 2]);
    return IsIdentityPerm(perm) ? transpose->inputs[0] : nullptr;
  }

  bool FromMatMul(Product& product) const {
    if (RankOf(product.a) < 2 || RankOf(product.b) < 2) return false;
    if (ValueInfo* a = Swapped(product.a)) {
      product.nodes.push_back(product.a->producer);
      product.a = a;
      product.trans_a = product.worthwhile = true;
    }
    if (product.b->producer != nullptr && UsedOnce(product.b)) {
      if (ValueInfo* b = Swapped(product.b)) {
        product.nodes.push_back(product.b->producer);
        product.b = b;
        product.trans_b = product.worthwhile = true;
      }
    }
    return true;
  }

  bool FromGemm(Node& node, Product& product) {
    if (RankOf(product.a) != 2 || RankOf(product.b) != 2) return false;
    product.trans_a = node.Int("transA", 0) != 0;
    product.trans_b = node.Int("transB", 0) != 0;
    product.alpha = node.Float("alpha", 1);
    if (ValueInfo* c = Input(&node, 2)) {
      const double beta = node.Float("beta", 1);
      ValueInfo* bias = BiasVector(c, product.output, beta);
      if (bias != nullptr) {
        product.bias = bias;
      } else if (beta == 1 && shapes_.SameShape(c, product.output)) {
        product.residual = c;
      } else {
        return false;
      }
      product.worthwhile = true;
    }
    if (!product.trans_a) TakeReshapes(product);
    return true;
  }

  /// Reshape [.., K] -> [M, K], Gemm, Reshape [M, N] -> [.., N]; what is reshaped may still have K as several axes.
  void TakeReshapes(Product& product) {
    Node* before = MadeBy(product.a, "Reshape");
    Node* after = OnlyUser(product.output);
    if (!Ours(before) || !Ours(after) || !after->Is("Reshape") || product.residual != nullptr) return;
    const SymbolicShape* to = shapes_.ShapeOf(after->outputs[0]);
    const SymbolicShape* matrix = shapes_.ShapeOf(product.a);
    const SymbolicShape* result = shapes_.ShapeOf(product.output);
    if (!to || !matrix || !result || to->size() < 2 || matrix->size() != 2 || result->size() != 2) return;
    if (to->back() != (*result)[1]) return;
    SymbolicShape wanted = *to;
    wanted.back() = (*matrix)[1];
    ValueInfo* source = before->inputs[0];
    while (!HasShape(source, wanted)) {
      Node* earlier = MadeBy(source, "Reshape");
      if (!Ours(earlier)) break;
      source = earlier->inputs[0];
    }
    if (!HasShape(source, wanted)) {
      source = before->inputs[0];
      const SymbolicShape* from = shapes_.ShapeOf(source);
      if (from == nullptr || from->size() < wanted.size() || !wanted.back().known()) return;
      if (!std::equal(wanted.begin(), wanted.end() - 1, from->begin())) return;
      const auto target = ReshapeTarget(*from, wanted);
      if (!target) return;
      std::vector<int64_t> dims;
      for (const Dim& dim : wanted) dims.push_back(dim.known() ? dim.value : -1);
      source = rewriter_.Make(*before, "Reshape", "", 0, {source, rewriter_.Constant("shape", MakeInts(*target))},
                              DenseType(TypeOf(source), dims), {before});
    }
    product.a = source;
    if (OnlyUser(before->outputs[0]) != nullptr) product.nodes.push_back(before);
    Absorb(product, after, after->outputs[0]);
  }

  bool HasShape(const ValueInfo* value, const SymbolicShape& wanted) const {
    const SymbolicShape* shape = shapes_.ShapeOf(value);
    return shape != nullptr && *shape == wanted;
  }

  void TakeScale(Product& product) const {
    Node* node = OnlyUser(product.output);
    if (!Ours(node) || !node->Is("Mul") || product.bias != nullptr || product.residual != nullptr) return;
    const auto operand = WithScalar(node);
    if (!operand || operand->other != product.output || RankOf(node->outputs[0]) != RankOf(product.output)) return;
    product.alpha *= operand->scalar;
    product.nodes.push_back(node);
    product.output = node->outputs[0];
    product.worthwhile = true;
  }

  /// `value` (times `factor`) as a vector with one element per column of `output`; nullptr when it is none.
  ValueInfo* BiasVector(ValueInfo* value, const ValueInfo* output, double factor) {
    const int64_t columns = shapes_.NumberOf(output, -1);
    const int64_t rank = RankOf(value);
    if (columns < 1 || rank < 0 || rank > RankOf(output) || TypeOf(value) != TypeOf(output)) return nullptr;
    const Value* constant = ConstantOf(value);
    if (constant == nullptr) {
      return factor == 1 && rank == 1 && shapes_.NumberOf(value, 0) == columns ? value : nullptr;
    }
    const size_t count = constant->tensor().count;
    const bool full = count == static_cast<size_t>(columns) && rank >= 1 && DimOf(value, -1) == columns;
    if (full && factor == 1) {
      return rank == 1 ? value : rewriter_.Constant(value->name, Reshaped(*constant, {columns}));
    }
    const auto numbers = FloatsOf(value, static_cast<size_t>(columns));
    if (!numbers || (!full && count != 1)) return nullptr;
    std::vector<float> all(static_cast<size_t>(columns));
    for (size_t i = 0; i < all.size(); ++i) all[i] = static_cast<float>((*numbers)[full ? i : 0] * factor);
    return rewriter_.Constant(value->name, MakeTensor(ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT, {columns}, all));
  }

  void TakeBias(Product& product) {
    Node* node = OnlyUser(product.output);
    if (!Ours(node) || !node->Is("Add") || product.bias != nullptr || product.residual != nullptr) return;
    ValueInfo* other = node->inputs[0] == product.output ? node->inputs[1] : node->inputs[0];
    if (other == product.output) return;
    ValueInfo* bias = BiasVector(other, product.output, 1);
    if (bias == nullptr) return;
    product.bias = bias;
    Absorb(product, node, node->outputs[0]);
  }

  void TakeActivation(Product& product) {
    if (!product.activation.name.empty()) return;
    auto activation = FollowingActivation(product.output, *like_);
    if (!activation) return;
    if (product.residual != nullptr) product.residual_after = false;
    for (Node* node : activation->nodes) Absorb(product, node, activation->output);
    product.activation = std::move(*activation);
  }

  void TakeResidual(Product& product) {
    Node* node = OnlyUser(product.output);
    if (!Ours(node) || !node->Is("Add") || product.residual != nullptr) return;
    ValueInfo* other = node->inputs[0] == product.output ? node->inputs[1] : node->inputs[0];
    if (other == product.output || !shapes_.SameShape(other, product.output)) return;
    product.residual = other;
    Absorb(product, node, node->outputs[0]);
    TakeActivation(product);
  }

  void Build(const Product& product) {
    std::vector<ValueInfo*> inputs = {product.a, product.b};
    if (product.bias != nullptr || product.residual != nullptr) inputs.push_back(product.bias);
    if (product.residual != nullptr) inputs.push_back(product.residual);
    Node* made =
        rewriter_.Add(*like_, "FusedMatMul", "ortrun", 1, inputs, {product.nodes.begin(), product.nodes.end()});
    SetAttribute(made, "transA", int64_t{product.trans_a});
    SetAttribute(made, "transB", int64_t{product.trans_b});
    SetAttribute(made, "alpha", static_cast<float>(product.alpha));
    SetAttribute(made, "activation", product.activation.name);
    SetAttribute(made, "activation_params", product.activation.params);
    SetAttribute(made, "residual_after", int64_t{product.residual_after});
    rewriter_.Replace(product.nodes, made, product.output);
  }

  Rewriter& rewriter_;
  const ShapeAnalysis shapes_;
  Node* like_ = nullptr;
};

size_t Run(Rewriter& rewriter) {
  MatMulFusion fusion(rewriter);
  return rewriter.ForEach([&](Node& node) { return fusion.Rewrite(node); });
}

}  // namespace

std::unique_ptr<Pass> MakeMatMulFusion() {
  return MakePass("matmul_fusion", PassStage::kProvider, ORT_ENABLE_EXTENDED, Run);
}

}  // namespace ortrun
