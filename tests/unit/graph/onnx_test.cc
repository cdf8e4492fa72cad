// SPDX-License-Identifier: Apache-2.0
// Reading and writing ONNX: what is written is what was read.
#include <gtest/gtest.h>

#include <cstring>
#include <fstream>

#include "core/graph/model_writer.h"
#include "ortrun/error.h"
#include "tests/unit/models.h"

namespace ortrun {
namespace {

using testing::ParseModel;
using testing::Read;

constexpr const char* kGraph = R"((float[N,4] x, bool c) => (float[M] y, float[N,4] z)
  <float[4] w = {1, 2, 3, 4}, int64[1] shape = {-1}> {
    [add] s = Add(x, w)
    [choose] z = If (c) <then_branch = g1 () => (float[N,4] t) { t = LeakyRelu <alpha = 0.25> (s) },
                         else_branch = g2 () => (float[N,4] e) { e = Abs(x) }>
    [clip] k = Clip (s, , w0)
    [flat] y = Reshape (k, shape)
  })";

onnx::ModelProto Whole() {
  onnx::ModelProto proto = ParseModel(kGraph);
  auto* w0 = proto.mutable_graph()->add_initializer();
  w0->set_name("w0");
  w0->set_data_type(onnx::TensorProto::FLOAT);
  w0->add_float_data(3.5f);
  proto.set_producer_name("tests");
  proto.set_model_version(7);
  auto* entry = proto.add_metadata_props();
  entry->set_key("author");
  entry->set_value("someone");
  return proto;
}

void ExpectSame(const Graph& a, const Graph& b) {
  const auto names = [](const auto& values) {
    std::vector<std::string> list;
    for (const ValueInfo* value : values)
      list.push_back(value == nullptr ? "" : value->name + " " + TypeName(value->type));
    return list;
  };
  EXPECT_EQ(names(a.inputs()), names(b.inputs()));
  EXPECT_EQ(names(a.outputs()), names(b.outputs()));
  const auto constants = a.Initializers();
  ASSERT_EQ(names(constants), names(b.Initializers()));
  for (const ValueInfo* value : constants) {
    const Value& one = *value->initializer;
    const Value& two = *b.Find(value->name)->initializer;
    ASSERT_EQ(one.bytes(), two.bytes());
    EXPECT_EQ(std::memcmp(one.tensor().data, two.tensor().data, one.bytes()), 0) << value->name;
  }
  ASSERT_EQ(a.nodes().size(), b.nodes().size());
  for (size_t i = 0; i < a.nodes().size(); ++i) {
    const Node& one = *a.nodes()[i];
    const Node& two = *b.nodes()[i];
    EXPECT_EQ(one.Describe(), two.Describe());
    EXPECT_EQ(one.since_version, two.since_version);
    EXPECT_EQ(names(one.inputs), names(two.inputs));
    EXPECT_EQ(names(one.outputs), names(two.outputs));
    EXPECT_EQ(names(one.implicit_inputs), names(two.implicit_inputs));
    ASSERT_EQ(one.attributes.size(), two.attributes.size());
    for (const OrtOpAttr& attribute : one.attributes) {
      const OrtOpAttr* other = two.Attribute(attribute.name);
      ASSERT_NE(other, nullptr) << attribute.name;
      EXPECT_EQ(attribute.type, other->type);
      EXPECT_EQ(attribute.f, other->f);
    }
    ASSERT_EQ(one.subgraphs.size(), two.subgraphs.size());
    for (size_t g = 0; g < one.subgraphs.size(); ++g) ExpectSame(*one.subgraphs[g].second, *two.subgraphs[g].second);
  }
}

TEST(Onnx, ReadsWhatTheMessageSays) {
  const auto model = Read(Whole());
  EXPECT_EQ(model->producer, "tests");
  EXPECT_EQ(model->version, 7);
  EXPECT_EQ(model->metadata.at("author"), "someone");
  EXPECT_EQ(model->Opset(""), 17);
  const Graph& graph = *model->graph;
  ASSERT_EQ(graph.nodes().size(), 4u);
  EXPECT_EQ(graph.nodes()[0]->since_version, 14) << "of Add under opset 17";
  EXPECT_EQ(graph.nodes()[2]->inputs.size(), 3u);
  EXPECT_EQ(graph.nodes()[2]->inputs[1], nullptr) << "omitted";
  const ValueInfo* sum = graph.Find("s");
  ASSERT_NE(sum, nullptr);
  EXPECT_EQ(sum->type.tensor.dims, (std::vector<int64_t>{-1, 4})) << "inferred";
  EXPECT_EQ(sum->type.tensor.symbols[0], "N");
  EXPECT_EQ(sum->uses.size(), 2u) << "Clip reads it, and If for its branch";
}

TEST(Onnx, WritesWhatItRead) {
  const testing::TestFolder folder;
  const auto model = Read(Whole());
  WriteModel(*model, folder / "m.onnx", {});
  const auto again = ReadModel(folder / "m.onnx", {});
  EXPECT_EQ(again->metadata, model->metadata);
  EXPECT_EQ(again->opsets, model->opsets);
  EXPECT_EQ(again->producer, model->producer);
  ExpectSame(*model->graph, *again->graph);
}

TEST(Onnx, WritesLargeConstantsBesideTheModel) {
  const testing::TestFolder folder;
  const auto model = Read(Whole());
  WriteModel(*model, folder / "m.onnx", {.external_file = "weights.bin", .external_threshold = 8});
  EXPECT_GE(std::filesystem::file_size(folder / "weights.bin"), 16u);
  const auto again = ReadModel(folder / "m.onnx", {});
  const ValueInfo* w = again->graph->Find("w");
  ASSERT_NE(w->external, nullptr);
  EXPECT_EQ(w->external->file, "weights.bin");
  EXPECT_EQ(w->external->offset % 4096, 0);
  EXPECT_EQ(again->graph->Find("w0")->external, nullptr) << "small ones stay";
  ExpectSame(*model->graph, *again->graph);
  EXPECT_THROW(WriteModel(*model, folder / "m.onnx", {.external_file = "sub/weights.bin"}), Error);
  EXPECT_THROW(WriteModel(*model, folder / "no" / "m.onnx", {}), Error);
}

TEST(Onnx, InlinesTheModelsFunctions) {
  onnx::ModelProto proto = ParseModel("(float[2] x) => (float[2] y) { y = f.Twice(x) }");
  auto* opset = proto.add_opset_import();
  opset->set_domain("f");
  opset->set_version(1);
  ASSERT_TRUE(onnx::OnnxParser::Parse(*proto.add_functions(),
                                      "<domain: \"f\", opset_import: [\"\": 17]> Twice (a) => (b) { b = Add(a, a) }")
                  .IsOK());
  const auto model = Read(proto);
  ASSERT_EQ(model->graph->nodes().size(), 1u);
  EXPECT_EQ(model->graph->nodes()[0]->op_type, "Add");
}

TEST(Onnx, FixesDimensionsByName) {
  ReadOptions options;
  options.dimension_by_name["N"] = 3;
  const auto model = Read(Whole(), options);
  EXPECT_EQ(model->graph->Find("s")->type.tensor.dims, (std::vector<int64_t>{3, 4}));
}

TEST(Onnx, TakesInitializersOfTheCallers) {
  ReadOptions options;
  const int64_t four = 4;
  options.initializers["w"] =
      std::make_shared<const Value>(Value::CpuTensor(ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT, &four, 1));
  EXPECT_EQ(Read(Whole(), options)->graph->Find("w")->initializer, options.initializers["w"]);
  const int64_t five = 5;
  options.initializers["w"] =
      std::make_shared<const Value>(Value::CpuTensor(ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT, &five, 1));
  EXPECT_THROW(Read(Whole(), options), Error) << "of another shape";
}

}  // namespace
}  // namespace ortrun
