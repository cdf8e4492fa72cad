// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "core/optimizer/passes.h"
#include "tests/unit/models.h"

namespace ortrun {
namespace {

constexpr ElementType kFloat = ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT;

/// A provider with kernels for everything in every type, which computes the 16-bit types in `computes`.
struct FakeKernels : KernelLookup {
  ElementType computes = kFloat;
  std::string without;  ///< an operator for which it has no float kernel

  const std::vector<std::string>& Providers() const override {
    static const std::vector<std::string> names{"P"};
    return names;
  }
  bool Serves(const std::string&, const Node& node) const override {
    return node.op_type != without || node.outputs[0]->type.tensor.type != kFloat;
  }
  ElementType ComputeType(const std::string&, const Node&, ElementType stored) const override {
    return computes == ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED ? stored : computes;
  }
  bool WantsChannelsLast(const std::string&, const Node&) const override { return false; }
  std::optional<std::vector<Value>> Evaluate(const Node&) const override { return std::nullopt; }
};

class HalfWideningTest : public ::testing::Test {
 protected:
  /// How many parts of the model the pass widened.
  size_t Widen(const std::string& graph) {
    model_ = testing::Read(graph);
    for (const auto& node : model_->graph->nodes()) node->provider = kernels_.Providers()[0];
    PatchCount patches;
    const PassContext context{*model_, kernels_, logger_, patches};
    const size_t count = MakeHalfWidening()->Run(*model_->graph, context);
    model_->graph->RemoveUnused();
    model_->graph->Sort();
    return count;
  }

  /// "Cast MatMul Cast": the operators in the order of the graph.
  std::string Operators() const {
    std::string names;
    for (const auto& node : model_->graph->nodes()) {
      if (!names.empty()) names += ' ';
      names += node->op_type;
    }
    return names;
  }

  ElementType TypeMadeBy(const std::string& op) const {
    for (const auto& node : model_->graph->nodes())
      if (node->op_type == op) return node->outputs[0]->type.tensor.type;
    return ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
  }

  FakeKernels kernels_;
  Logger logger_{std::make_shared<LogSink>(), "test", ORT_LOGGING_LEVEL_FATAL};
  std::unique_ptr<Model> model_;
};

constexpr char kLayer[] =
    "(float16[N,512] x, float16[512,512] w, float16[512] b) => (float16[N,512] y) "
    "{ p = MatMul(x, w) q = Add(p, b) r = Transpose(q) s = Transpose(r) y = Relu(s) }";

TEST_F(HalfWideningTest, CastsAtTheEdgesAlone) {
  EXPECT_EQ(Widen(kLayer), 1U);
  EXPECT_EQ(Operators(), "Cast Cast MatMul Cast Add Transpose Transpose Relu Cast");
  EXPECT_EQ(TypeMadeBy("MatMul"), kFloat);
  EXPECT_EQ(model_->graph->outputs()[0]->name, "y");
  EXPECT_EQ(model_->graph->outputs()[0]->type.tensor.type, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16);
}

TEST_F(HalfWideningTest, AProviderThatSaysNothingKeepsTheTypes) {
  kernels_.computes = ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
  EXPECT_EQ(Widen(kLayer), 0U);
  EXPECT_EQ(Operators(), "MatMul Add Transpose Transpose Relu");
}

TEST_F(HalfWideningTest, NodesWithoutAFloatKernelStay) {
  kernels_.without = "MatMul";
  EXPECT_EQ(Widen(kLayer), 0U);
}

TEST_F(HalfWideningTest, AloneANodeGainsNothing) {
  EXPECT_EQ(Widen("(float16[N,512] x, float16[512,512] w) => (float16[N,512] y) { y = MatMul(x, w) }"), 0U);
}

TEST_F(HalfWideningTest, LittleWorkIsLeftAsItIs) {
  EXPECT_EQ(Widen("(float16[2,4] x, float16[4,4] w) => (float16[2,4] y) { p = MatMul(x, w) y = Relu(p) }"), 0U);
}

TEST_F(HalfWideningTest, ElementwiseNodesAloneStay) {
  EXPECT_EQ(Widen("(float16[N,512] x) => (float16[N,512] y) { p = Neg(x) q = Exp(p) y = Relu(q) }"), 0U);
}

TEST_F(HalfWideningTest, RoundingThatTheModelAsksForStays) {
  Widen(
      "(float[N,512] x, float16[512,512] w) => (float[N,512] y) "
      "{ h = Cast <to = 10> (x) p = MatMul(h, w) q = Relu(p) y = Cast <to = 1> (q) }");
  EXPECT_EQ(Operators(), "Cast Cast Cast MatMul Relu Cast Cast");  // x and the result go through float16
}

TEST_F(HalfWideningTest, OperatorsThatJumpSeeTheRoundedValue) {
  Widen(
      "(float16[N,512] x, float16[512,512] w) => (float16[N,512] y, bool[N,512] z) "
      "{ p = MatMul(x, w) q = Relu(p) r = Mul(q, q) y = Floor(r) z = Equal(r, x) }");
  EXPECT_EQ(TypeMadeBy("MatMul"), kFloat);
  EXPECT_EQ(TypeMadeBy("Floor"), ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16);
  for (const auto& node : model_->graph->nodes()) {
    if (node->op_type != "Equal") continue;
    EXPECT_EQ(node->inputs[0]->type.tensor.type, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16);
  }
}

TEST_F(HalfWideningTest, ReadersOfTheShapeNeedNoCast) {
  Widen(
      "(float16[N,512] x, float16[512,512] w) => (int64[2] y, float16[N,512] z) "
      "{ p = MatMul(x, w) q = Relu(p) y = Shape(q) z = Neg(q) }");
  EXPECT_EQ(Operators(), "Cast Cast MatMul Relu Neg Shape Cast");
}

}  // namespace
}  // namespace ortrun
