// SPDX-License-Identifier: Apache-2.0
// Small identities of arithmetic that hold to the last bit for every x, not a number, infinite and -0 included: x*1,
// x+(-0), -(-x), x^2 = x*x, division by a power of two.
#include <cmath>

#include "core/optimizer/passes.h"
#include "core/optimizer/symbolic_shape.h"

namespace ortrun {

namespace {

class Algebra {
 public:
  explicit Algebra(Rewriter& rewriter) : rewriter_(rewriter), shapes_(rewriter.graph(), rewriter.context().names) {}

  bool Rewrite(Node& node) {
    const ElementType type = TypeOf(Input(&node, 0));
    if (!node.domain.empty() || OutputCount(&node) != 1 || (!IsFloating(type) && !IsInteger(type))) return false;
    if (node.Is("Neg")) return Twice(node);
    if (node.Is("Relu") || node.Is("Abs") || node.Is("Ceil") || node.Is("Floor") || node.Is("Round")) {
      return Idempotent(node);
    }
    const auto operand = WithScalar(&node);
    if (!operand) return false;
    if (IsNeutral(node, *operand) && KeepsShape(node, *operand)) return rewriter_.Bypass(&node, operand->other);
    if (!IsFloating(type)) return false;
    if (node.Is("Pow") && operand->index == 1) return Power(node, *operand);
    if (node.Is("Div") && operand->index == 1) return Division(node, *operand);
    return false;
  }

 private:
  static bool IsNeutral(const Node& node, const ScalarOperand& operand) {
    const bool right = operand.index == 1;
    const bool floating = IsFloating(TypeOf(operand.other));
    if (node.Is("Mul")) return operand.scalar == 1;
    if (node.Is("Div")) return right && operand.scalar == 1;
    if (node.Is("Pow")) return right && operand.scalar == 1 && floating;
    // -0 + 0 and -0 - -0 are 0: in floating point only -0 is added, only 0 subtracted without a trace.
    if (node.Is("Add")) return operand.scalar == 0 && (!floating || std::signbit(operand.scalar));
    return node.Is("Sub") && right && operand.scalar == 0 && (!floating || !std::signbit(operand.scalar));
  }

  /// Whether broadcasting with the one element leaves the other operand's shape.
  bool KeepsShape(const Node& node, const ScalarOperand& operand) const {
    const size_t rank = ConstantOf(node.inputs[operand.index])->tensor().rank;
    return rank == 0 || shapes_.Rank(operand.other) >= static_cast<int64_t>(rank);
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
    if (operand.scalar != 2 || !KeepsShape(node, operand)) return false;
    Patch patch = rewriter_.Start(node);
    patch.Take(&node);
    patch.SetOutput(patch.Add("Mul", "", 0, {operand.other, operand.other}), 0, node.outputs[0]);
    return rewriter_.Apply(patch);
  }

  /// By a power of two whose reciprocal every floating type holds.
  bool Division(Node& node, const ScalarOperand& operand) {
    int exponent = 0;
    const double magnitude = std::fabs(operand.scalar);
    if (!(magnitude >= 1e-4 && magnitude <= 1e4) || std::frexp(magnitude, &exponent) != 0.5) return false;
    const Value* divisor = ConstantOf(node.inputs[1]);
    auto reciprocal = MakeScalar(TypeOf(node.inputs[1]), 1 / operand.scalar);
    if (divisor == nullptr || !reciprocal) return false;
    const std::vector<int64_t> dims(divisor->tensor().shape, divisor->tensor().shape + divisor->tensor().rank);
    Patch patch = rewriter_.Start(node);
    patch.Take(&node);
    ValueInfo* factor = patch.Constant("reciprocal", Reshaped(*reciprocal, dims));
    patch.SetOutput(patch.Add("Mul", "", 0, {operand.other, factor}), 0, node.outputs[0]);
    return rewriter_.Apply(patch);
  }

  Rewriter& rewriter_;
  const ShapeAnalysis shapes_;
};

void Run(Rewriter& rewriter) {
  Algebra algebra(rewriter);
  rewriter.ForEach([&](Node& node) { return algebra.Rewrite(node); });
}

}  // namespace

std::unique_ptr<Pass> MakeAlgebra() { return MakePass("algebra", PassStage::kPortable, ORT_ENABLE_BASIC, Run); }

}  // namespace ortrun
