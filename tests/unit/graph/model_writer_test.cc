// SPDX-License-Identifier: Apache-2.0
#include "core/graph/model_writer.h"

#include <gtest/gtest.h>

#include <fstream>

#include "ortrun/error.h"
#include "tests/unit/models.h"

namespace ortrun {
namespace {

using testing::ParseModel;
using testing::Read;

std::unique_ptr<Model> OfOpset(int opset, const std::string& graph) {
  onnx::ModelProto proto = ParseModel(graph);
  proto.mutable_opset_import(0)->set_version(opset);
  return Read(proto);
}

std::unique_ptr<Model> Again(const Model& model) {
  const testing::TestFolder folder;
  WriteModel(model, folder / "m.onnx", {});
  return ReadModel(folder / "m.onnx", {});
}

const Node* Find(const Model& model, const char* op) {
  for (const auto& node : model.graph->nodes())
    if (node->op_type == op) return node.get();
  return nullptr;
}

constexpr const char* kTwoNodes = "(float[2,4] x) => (float[2,4] y) { t = Relu (x)  y = Softmax <axis = -1> (t) }";

TEST(ModelWriter, RaisesTheImportWhereAllNodesKeepTheirMeaning) {
  const auto model = OfOpset(13, kTwoNodes);
  Node* made = model->graph->nodes()[0].get();
  made->op_type = "HardSwish";  // of 14; Softmax is the same from 13 on
  made->since_version = 14;
  const auto again = Again(*model);
  EXPECT_EQ(again->Opset(""), 14);
  EXPECT_EQ(Find(*again, "HardSwish")->since_version, 14);
  EXPECT_EQ(Find(*again, "Softmax")->since_version, 13);
}

TEST(ModelWriter, PinsWhatMeansSomethingElseAtTheImport) {
  const auto model = OfOpset(11, kTwoNodes);
  Node* made = model->graph->nodes()[0].get();
  made->op_type = "Mish";  // of 18; Softmax is another from 13 on
  made->since_version = 18;
  const auto again = Again(*model);
  EXPECT_EQ(again->Opset(""), 11);
  EXPECT_EQ(again->opsets, model->opsets) << "pins are of the file, not of the model";
  EXPECT_EQ(Find(*again, "Mish")->since_version, 18);
  EXPECT_EQ(Find(*again, "Mish")->domain, "");
  EXPECT_EQ(Find(*again, "Softmax")->since_version, 11);
  const testing::TestFolder folder;
  WriteOptions options;
  options.onnxruntime_operators_only = true;
  EXPECT_THROW(WriteModel(*model, folder / "m.onnx", options), Error);
}

TEST(ModelWriter, ImportsTheDomainsThatPassesBring) {
  const auto model = OfOpset(17, "(float[2,4] x) => (float[2,4] y) { t = Relu (x)  y = Sigmoid (t) }");
  model->graph->nodes()[0]->domain = "com.microsoft";
  model->graph->nodes()[0]->op_type = "Gelu";
  model->graph->nodes()[0]->since_version = 1;
  model->graph->nodes()[1]->domain = "com.ms.internal.nhwc";
  const auto again = Again(*model);
  EXPECT_EQ(again->Opset("com.microsoft"), 1);
  EXPECT_EQ(again->Opset("com.ms.internal.nhwc"), 17);
  EXPECT_EQ(again->graph->nodes()[1]->since_version, 13);
}

TEST(ModelWriter, AValueOfABodyThatIsNamedAsOneOutsideGetsAnotherName) {
  const auto model = Read(R"((float[3] x, bool c) => (float[3] y) {
    m = Exp (x)
    y = If (c) <then_branch = a () => (float[3] u) { t = Neg (x)  u = Add (t, m) },
                else_branch = b () => (float[3] v) { v = Identity (m) }>
  })");
  // A pass puts another value, which is named as one of the body, in the place of m.
  Graph& graph = *model->graph;
  ValueInfo* other = graph.FindOrAdd("t");
  other->type = graph.Find("m")->type;
  graph.ReplaceUses(graph.Find("m"), other);
  graph.SetOutput(graph.nodes()[0].get(), 0, other);
  const auto again = Again(*model);
  const Graph& body = *Find(*again, "If")->subgraphs[0].second;
  const Node& add = *body.nodes()[1];
  ASSERT_NE(add.inputs[0]->producer, nullptr) << "the body's own value";
  EXPECT_TRUE(add.inputs[0]->producer->Is("Neg"));
  ASSERT_NE(add.inputs[1]->outer, nullptr) << "the value outside";
  EXPECT_TRUE(add.inputs[1]->outer->producer->Is("Exp"));
}

TEST(ModelWriter, RefusesWhatAProviderCompiled) {
  const auto model = OfOpset(17, kTwoNodes);
  model->graph->nodes()[0]->domain = "ortrun.compiled";
  const testing::TestFolder folder;
  std::ofstream(folder / "m.onnx") << "old";
  EXPECT_THROW(WriteModel(*model, folder / "m.onnx", {}), Error);
  EXPECT_EQ(std::filesystem::file_size(folder / "m.onnx"), 3u);
}

}  // namespace
}  // namespace ortrun
