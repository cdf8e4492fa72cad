// SPDX-License-Identifier: Apache-2.0
// What inference finds beside what a model declares.
#include <gtest/gtest.h>

#include "core/graph/einsum_inference.h"
#include "core/graph/type_merge.h"
#include "ortrun/error.h"
#include "tests/unit/models.h"

namespace ortrun {
namespace {

using testing::ParseModel;
using testing::Read;

constexpr ElementType kFloat = ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT;
constexpr ElementType kInt8 = ONNX_TENSOR_ELEMENT_DATA_TYPE_INT8;

TypeInfo SequenceOf(TypeInfo element) {
  TypeInfo type;
  type.kind = ONNX_TYPE_SEQUENCE;
  type.sequence = std::make_shared<OrtSequenceTypeInfo>(OrtSequenceTypeInfo{std::move(element)});
  return type;
}

std::string Shown(const TypeInfo& type) {
  const TensorType& tensor = type.tensor;
  return TypeName(type) + (tensor.has_shape ? ShapeText(tensor.dims.data(), tensor.dims.size()) : "");
}

std::string Merged(const TypeInfo& inferred, TypeInfo declared) {
  return MergeType(inferred, declared) ? Shown(declared) : "contradiction";
}

TEST(MergeType, TakesWhatEitherKnows) {
  EXPECT_EQ(Merged({}, TypeInfo::Tensor(kFloat, {2})), "tensor(float){2}");
  EXPECT_EQ(Merged(TypeInfo::Tensor(kFloat, {2}), {}), "tensor(float){2}");
  EXPECT_EQ(Merged(TypeInfo::Tensor(kFloat, {2, -1}), TypeInfo::Tensor(kFloat, {-1, 3})), "tensor(float){2,3}");
  EXPECT_EQ(Merged(TypeInfo::Tensor(kFloat), SequenceOf({})), "contradiction");
  EXPECT_EQ(Merged(SequenceOf(TypeInfo::Tensor(kFloat)), SequenceOf({})), "seq(tensor(float))");
}

TEST(MergeType, RefusesOtherElements) {
  EXPECT_EQ(Merged(TypeInfo::Tensor(kFloat), TypeInfo::Tensor(kInt8)), "contradiction");
  EXPECT_EQ(Merged(SequenceOf(TypeInfo::Tensor(kFloat)), SequenceOf(TypeInfo::Tensor(kInt8))), "contradiction");
}

TEST(MergeType, TrustsNeitherOfTwoShapes) {
  EXPECT_EQ(Merged(TypeInfo::Tensor(kFloat, {2, 3}), TypeInfo::Tensor(kFloat, {2, 4})), "tensor(float){2,?}");
  EXPECT_EQ(Merged(TypeInfo::Tensor(kFloat, {2, 3}), TypeInfo::Tensor(kFloat, {6})), "tensor(float)");
}

TEST(InferEinsum, KeepsNamesAndBroadcasts) {
  TensorType a = TypeInfo::Tensor(kFloat, {-1, 5, 3}).tensor;
  a.symbols[0] = "batch";
  const TensorType b = TypeInfo::Tensor(kFloat, {3, 4}).tensor;
  const auto shape = InferEinsum("b...i, ij -> b...j", {&a, &b});
  ASSERT_TRUE(shape.has_value());
  EXPECT_EQ(shape->dims, (std::vector<int64_t>{-1, 5, 4}));
  EXPECT_EQ(shape->symbols[0], "batch");
}

TEST(InferEinsum, EndsForEveryEquation) {
  const TensorType a = TypeInfo::Tensor(kFloat, {2, 3}).tensor;
  for (const char* equation : {"i.j->ij", "..ij->ij", "...i...->i", "ij,", ",ij", "->", "", "ijk->i", "ij->k"})
    EXPECT_FALSE(InferEinsum(equation, {&a}).has_value()) << equation;
  EXPECT_TRUE(InferEinsum("i j", {&a}).has_value());
}

std::string TypeOf(const Graph& graph, const std::string& value) { return Shown(graph.Find(value)->type); }

TEST(TypeInference, FollowsShapesThroughNodesAndBodies) {
  const auto model = Read(R"((float[N,4] x, bool c) => (float[a,b] y, z, n) <int64[1] two = {2}, int64[1] zero = {0}> {
    s = Shape(x)
    last = Gather<axis = 0>(s, one)
    rows = Concat<axis = 0>(two, last)
    y = Expand(k, rows)
    z = If (c) <then_branch = g1 () => (t) { t = Relu(x) }, else_branch = g2 () => (e) { e = Neg(x) }>
    n = NonZero(x)
    one = Constant<value_ints = [1]>()
    k = Constant<value_float = 1.5>()
  })");
  EXPECT_EQ(TypeOf(*model->graph, "y"), "tensor(float){2,4}");
  EXPECT_EQ(TypeOf(*model->graph, "z"), "tensor(float){?,4}");
  EXPECT_EQ(model->graph->Find("z")->type.tensor.symbols[0], "N");
  EXPECT_EQ(TypeOf(*model->graph, "n"), "tensor(int64){2,?}");
  EXPECT_EQ(model->graph->Find("n")->type.tensor.symbols[1], "");
}

TEST(TypeInference, KnowsTypesBehindOtherDomains) {
  onnx::ModelProto proto = ParseModel("(double[N,4] x) => (y) { g = com.microsoft.Gelu(x) y = EyeLike(g) }");
  const auto model = Read(proto);
  EXPECT_EQ(TypeOf(*model->graph, "y"), "tensor(double){?,4}");
  EXPECT_EQ(model->Opset("com.microsoft"), 1);
}

TEST(TypeInference, RefusesADeclarationOfAnotherType) {
  EXPECT_THROW(Read("(float[2] x) => (int8[2] y) { y = Relu(x) }"), Error);
  EXPECT_THROW(Read("(float[2] x) => (y) <int8[2] t> { t = Relu(x) y = Abs(t) }"), Error);
}

TEST(TypeInference, ReplacesExperimentalOperators) {
  onnx::ModelProto proto = ParseModel("(float[2,3] x) => (y) { y = Affine<alpha = 2.0, beta = 1.0>(x) }");
  proto.mutable_opset_import(0)->set_version(7);
  const auto model = Read(proto);
  ASSERT_EQ(model->graph->nodes().size(), 2u);
  EXPECT_EQ(model->graph->nodes()[0]->op_type, "Mul");
  EXPECT_EQ(model->graph->nodes()[1]->op_type, "Add");
  EXPECT_EQ(TypeOf(*model->graph, "y"), "tensor(float){2,3}");
}

}  // namespace
}  // namespace ortrun
