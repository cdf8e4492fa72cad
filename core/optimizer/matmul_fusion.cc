// SPDX-License-Identifier: Apache-2.0
// MatMul and Gemm take in what stands around them -> ortrun.FusedMatMul: transposes of their inputs, a scale, a bias,
// an activation, a residual, and the reshapes by which exporters bring a tensor of higher rank through a Gemm.
#include <algorithm>
#include <cstring>

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

/// The one element of a constant `count` times, as a vector; nothing for elements that are no whole bytes.
std::optional<Value> Repeated(const Value& constant, int64_t count) {
  const size_t bytes = ElementBits(constant.type()) / 8;
  if (bytes == 0 || constant.IsString()) return std::nullopt;
  Value made = Value::CpuTensor(constant.type(), &count, 1);
  for (int64_t i = 0; i < count; ++i) {
    std::memcpy(static_cast<char*>(made.tensor().data) + static_cast<size_t>(i) * bytes, constant.tensor().data, bytes);
  }
  return made;
}

class MatMulFusion {
 public:
  MatMulFusion(Rewriter& rewriter, const ShapeAnalysis& shapes, Node& node)
      : rewriter_(rewriter), shapes_(shapes), node_(node), patch_(rewriter.Start(node)) {}

  bool Rewrite() {
    const bool gemm = node_.Is("Gemm");
    if ((!gemm && !node_.Is("MatMul")) || !Input(&node_, 0) || !Input(&node_, 1) || !Output(&node_, 0)) return false;
    Product product;
    product.nodes = {&node_};
    product.a = node_.inputs[0];
    product.b = node_.inputs[1];
    product.output = node_.outputs[0];
    if (gemm ? !FromGemm(product) : !FromMatMul(product)) return false;
    TakeScale(product);
    TakeBias(product);
    TakeActivation(product);
    TakeResidual(product);
    return product.worthwhile && Build(product);
  }

 private:
  bool Ours(const Node* node) const { return node != nullptr && node->provider == node_.provider; }

  static void Absorb(Product& product, Node* node, ValueInfo* output) {
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

  bool FromGemm(Product& product) {
    if (RankOf(product.a) != 2 || RankOf(product.b) != 2) return false;
    product.trans_a = node_.Int("transA", 0) != 0;
    product.trans_b = node_.Int("transB", 0) != 0;
    product.alpha = node_.Float("alpha", 1);
    if (product.alpha != 1 && !IsFloating(TypeOf(product.a))) return false;
    if (ValueInfo* c = Input(&node_, 2)) {
      const double beta = node_.Float("beta", 1);
      ValueInfo* bias = beta == 1 ? BiasVector(c, product.output) : nullptr;
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
      source = patch_.Make("Reshape", "", 0, {source, patch_.Constant("shape", MakeInts(*target))},
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
    if (!operand || operand->other != product.output || RankOf(product.output) < 0 ||
        RankOf(node->outputs[0]) != RankOf(product.output)) {
      return;
    }
    const double alpha = product.alpha * operand->scalar;
    // Integers wrap, which no factor of type float can do for them.
    const ElementType type = TypeOf(product.output);
    if (!IsFloating(type) || !IsFloatFactor(type, alpha)) return;
    product.alpha = alpha;
    product.nodes.push_back(node);
    product.output = node->outputs[0];
    product.worthwhile = true;
  }

  /// `value` as a vector with one element per column of `output`; nullptr when it is none.
  ValueInfo* BiasVector(ValueInfo* value, const ValueInfo* output) {
    const int64_t columns = shapes_.NumberOf(output, -1);
    const int64_t rank = RankOf(value);
    if (columns < 1 || rank < 0 || rank > RankOf(output) || TypeOf(value) != TypeOf(output)) return nullptr;
    const Value* constant = ConstantOf(value);
    if (constant == nullptr) return rank == 1 && shapes_.NumberOf(value, 0) == columns ? value : nullptr;
    const size_t count = constant->tensor().count;
    if (count == static_cast<size_t>(columns) && rank >= 1 && DimOf(value, -1) == columns) {
      return rank == 1 ? value : patch_.Constant(value->name, Reshaped(*constant, {columns}));
    }
    if (count != 1) return nullptr;
    auto repeated = Repeated(*constant, columns);
    return repeated ? patch_.Constant(value->name, std::move(*repeated)) : nullptr;
  }

  void TakeBias(Product& product) {
    Node* node = OnlyUser(product.output);
    if (!Ours(node) || !node->Is("Add") || product.bias != nullptr || product.residual != nullptr) return;
    ValueInfo* other = node->inputs[0] == product.output ? node->inputs[1] : node->inputs[0];
    if (other == product.output) return;
    ValueInfo* bias = BiasVector(other, product.output);
    if (bias == nullptr) return;
    product.bias = bias;
    Absorb(product, node, node->outputs[0]);
  }

  void TakeActivation(Product& product) {
    if (!product.activation.name.empty()) return;
    auto activation = FollowingActivation(product.output);
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

  bool Build(const Product& product) {
    std::vector<ValueInfo*> inputs = {product.a, product.b};
    if (product.bias != nullptr || product.residual != nullptr) inputs.push_back(product.bias);
    if (product.residual != nullptr) inputs.push_back(product.residual);
    patch_.Take(product.nodes);
    Node* made = patch_.Add("FusedMatMul", "ortrun", 1, inputs);
    SetAttribute(made, "transA", int64_t{product.trans_a});
    SetAttribute(made, "transB", int64_t{product.trans_b});
    SetAttribute(made, "alpha", static_cast<float>(product.alpha));
    SetAttribute(made, "activation", product.activation.name);
    SetAttribute(made, "activation_params", product.activation.params);
    SetAttribute(made, "residual_after", int64_t{product.residual_after});
    patch_.SetOutput(made, 0, product.output);
    return rewriter_.Apply(patch_);
  }

  Rewriter& rewriter_;
  const ShapeAnalysis& shapes_;
  Node& node_;
  Patch patch_;
};

void Run(Rewriter& rewriter) {
  const ShapeAnalysis shapes(rewriter.graph(), rewriter.context().names);
  rewriter.ForEach([&](Node& node) { return MatMulFusion(rewriter, shapes, node).Rewrite(); });
}

}  // namespace

std::unique_ptr<Pass> MakeMatMulFusion() {
  return MakePass("matmul_fusion", PassStage::kProvider, ORT_ENABLE_EXTENDED, Run);
}

}  // namespace ortrun
