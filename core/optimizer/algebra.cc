// SPDX-License-Identifier: Apache-2.0
// Small identities of arithmetic that hold to the last bit: x*1, x+0, -(-x), x^2 = x*x, and division by a power of two.
#include <cmath>

#include "core/optimizer/passes.h"
#include "core/optimizer/symbolic_shape.h"

namespace ortrun {

namespace {

class Algebra {
 public:
  explicit Algebra(Rewriter& rewriter) : rewriter_(rewriter), shapes_(rewriter.graph()) {}

  bool Rewrite(Node& node) {
    if (!node.domain.empty() || OutputCount(&node) != 1 || !IsFloating(TypeOf(Input(&node, 0)))) return false;
    if (node.Is("Neg")) return Twice(node);
    if (node.Is("Relu") || node.Is("Abs") || node.Is("Ceil") || node.Is("Floor") || node.Is("Round")) {
      return Idempotent(node);
    }
    const auto operand = WithScalar(&node);
    if (!operand) return false;
    if (IsNeutral(node, *operand) && shapes_.SameShape(operand->other, node.outputs[0])) {
      return rewriter_.Bypass(&node, operand->other);
    }
    if (node.Is("Pow") && operand->index == 1) return Power(node, *operand);
    if (node.Is("Div") && operand->index == 1) return Division(node, *operand);
    return false;
  }

 private:
  static bool IsNeutral(const Node& node, const ScalarOperand& operand) {
    const bool right = operand.index == 1;
    if (node.Is("Mul")) return operand.scalar == 1;
    if (node.Is("Div") || node.Is("Pow")) return right && operand.scalar == 1;
    // x + 0 turns -0 into 0, which nothing but a division can tell; x - 0 changes nothing.
    if (node.Is("Add")) return operand.scalar == 0;
    return node.Is("Sub") && right && operand.scalar == 0;
  }

  bool Twice(Node& node) {
    Node* before = MadeBy(node.inputs[0], "Neg");
    return before != nullptr && rewriter_.Bypass(&node, before->inputs[0]);
  }

  bool Idempotent(Node& node) {
    Node* before = MadeBy(node.inputs[0], node.op_type.c_str());
    return before != nullptr && rewriter_.Bypass(&node, node.inputs[0]);
  }

  bool Power(Node& node, const ScalarOperand& operand) {
    if (operand.scalar != 2 || TypeOf(operand.other) != TypeOf(node.outputs[0]) ||
        !shapes_.SameShape(operand.other, node.outputs[0])) {
      return false;
    }
    Node* product = rewriter_.Add(node, "Mul", "", 0, {operand.other, operand.other}, {&node});
    rewriter_.Replace({&node}, product, node.outputs[0]);
    return true;
  }

  bool Division(Node& node, const ScalarOperand& operand) {
    int exponent = 0;
    const double magnitude = std::fabs(operand.scalar);
    if (!(magnitude >= 1e-4 && magnitude <= 1e4) || std::frexp(magnitude, &exponent) != 0.5) return false;
    const Value* divisor = ConstantOf(node.inputs[1]);
    auto reciprocal = MakeScalar(TypeOf(node.inputs[1]), 1 / operand.scalar);
    if (divisor == nullptr || !reciprocal) return false;
    const std::vector<int64_t> dims(divisor->tensor().shape, divisor->tensor().shape + divisor->tensor().rank);
    ValueInfo* factor = rewriter_.Constant("reciprocal", Reshaped(*reciprocal, dims));
    Node* product = rewriter_.Add(node, "Mul", "", 0, {operand.other, factor}, {&node});
    rewriter_.Replace({&node}, product, node.outputs[0]);
    return true;
  }

  Rewriter& rewriter_;
  const ShapeAnalysis shapes_;
};

size_t Run(Rewriter& rewriter) {
  Algebra algebra(rewriter);
  return rewriter.ForEach([&](Node& node) { return algebra.Rewrite(node); });
}

}  // namespace

std::unique_ptr<Pass> MakeAlgebra() { return MakePass("algebra", PassStage::kPortable, ORT_ENABLE_BASIC, Run); }

}  // namespace ortrun
