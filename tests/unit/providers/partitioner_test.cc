// SPDX-License-Identifier: Apache-2.0
#include "core/providers/partitioner.h"

#include <gtest/gtest.h>

#include <climits>

#include "ortrun/error.h"
#include "tests/unit/models.h"

namespace ortrun {
namespace {

/// A provider that claims the operators that it has kernels for, one by one or joined into one group to compile.
struct FakeProvider : OrtEp {
  std::string name;
  bool compiles = false;
  std::vector<std::string> wanted;
  OrtKernelRegistry registry;
  int compiled = 0;
  OrtNodeComputeInfo compute{};

  FakeProvider(std::string its_name, std::vector<std::string> operators, bool its_compiles = false)
      : OrtEp{}, name(std::move(its_name)), compiles(its_compiles), wanted(std::move(operators)) {
    for (const std::string& op : wanted) {
      OrtKernelDef def;
      def.op = op;
      def.since = 1;
      def.until = INT_MAX - 1;
      def.types["T"] = {ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT};
      registry.Add(def, nullptr, nullptr);
    }
    ort_version_supported = ORT_API_VERSION;
    OrtEp::GetCapability = [](OrtEp* self, const OrtGraph* graph, OrtEpGraphSupportInfo* info) -> OrtStatus* {
      auto& provider = *static_cast<FakeProvider*>(self);
      if (provider.compiles) info->groups.push_back({{}, true, false});
      for (const auto& node : graph->nodes()) {
        if (!node->provider.empty() || info->LookUpKernel(node.get()) == nullptr) continue;
        if (provider.compiles)
          info->groups.back().nodes.push_back(node.get());
        else
          info->groups.push_back({{node.get()}, false, false});
      }
      return nullptr;
    };
    OrtEp::Compile = [](OrtEp* self, const OrtGraph**, const OrtNode**, size_t count, OrtNodeComputeInfo** computes,
                        OrtNode**) -> OrtStatus* {
      auto& provider = *static_cast<FakeProvider*>(self);
      for (size_t i = 0; i < count; ++i) computes[i] = &provider.compute;
      provider.compiled += static_cast<int>(count);
      return nullptr;
    };
    OrtEp::ReleaseNodeComputeInfos = [](OrtEp* self, OrtNodeComputeInfo**, size_t count) {
      static_cast<FakeProvider*>(self)->compiled -= static_cast<int>(count);
    };
  }
};

class PartitionerTest : public ::testing::Test {
 protected:
  Partition Split(Model& model, const std::vector<FakeProvider*>& order) {
    providers_.clear();
    for (FakeProvider* fake : order) {
      auto provider = std::make_unique<Provider>();
      provider->name = fake->name;
      provider->ep = fake;
      provider->factory = &factory_;
      provider->registry = &fake->registry;
      providers_.push_back(std::move(provider));
    }
    const CustomOpSchemas custom_ops({});
    return PartitionModel(model, providers_, custom_ops, {}, logger_);
  }
  static std::vector<std::string> Owners(const Graph& graph) {
    std::vector<std::string> owners;
    for (const auto& node : graph.nodes()) owners.push_back(node->op_type + ":" + node->provider);
    return owners;
  }

  PartitionerTest() {
    factory_.ReleaseEp = [](OrtEpFactory*, OrtEp*) {};
  }

  OrtEpFactory factory_{};
  std::vector<std::unique_ptr<Provider>> providers_;
  Logger logger_{std::make_shared<LogSink>(), "test", ORT_LOGGING_LEVEL_FATAL};
};

constexpr const char* kChain = "(float[2] x) => (float[2] y) { a = Relu(x) b = Abs(a) c = Relu(b) y = Neg(c) }";

TEST_F(PartitionerTest, TheFirstProviderThatTakesANodeGetsIt) {
  FakeProvider first("First", {"Relu"});
  FakeProvider second("Second", {"Relu", "Abs", "Neg"});
  const auto model = testing::Read(kChain);
  const Partition partition = Split(*model, {&first, &second});
  EXPECT_EQ(Owners(*model->graph), (std::vector<std::string>{"Relu:First", "Abs:Second", "Relu:First", "Neg:Second"}));
  EXPECT_EQ(partition.kernels.size(), 4u);
  const auto* refusals = partition.RefusalsOf(*model->graph->nodes()[1]);
  ASSERT_NE(refusals, nullptr);
  EXPECT_EQ(refusals->front().provider, "First");
  EXPECT_NE(refusals->front().reason.find("no kernel for Abs"), std::string::npos) << refusals->front().reason;
}

TEST_F(PartitionerTest, WhatNobodyTakesIsListedWithEveryReason) {
  FakeProvider first("First", {"Relu"});
  FakeProvider second("Second", {"Abs"});
  const auto model = testing::Read(kChain);
  try {
    Split(*model, {&first, &second});
    FAIL() << "Neg has no provider";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ORT_NOT_IMPLEMENTED);
    const std::string text = error.what();
    for (const char* part : {"(Neg)", "First: ", "Second: ", "no kernel for Neg"})
      EXPECT_NE(text.find(part), std::string::npos) << text;
  }
}

TEST_F(PartitionerTest, AKernelOfOtherTypesSaysSo) {
  FakeProvider only("Only", {"Relu"});
  const auto model = testing::Read("(double[2] x) => (double[2] y) { y = Relu(x) }");
  try {
    Split(*model, {&only});
    FAIL() << "the kernel takes float alone";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("is tensor(double); the kernel takes tensors of float"), std::string::npos)
        << error.what();
  }
}

TEST_F(PartitionerTest, ACompiledGroupBecomesOneNode) {
  FakeProvider compiler("Compiler", {"Relu", "Abs"}, true);
  FakeProvider kernels("Kernels", {"Neg"});
  {
    const auto model = testing::Read(kChain);
    const Partition partition = Split(*model, {&compiler, &kernels});
    ASSERT_EQ(model->graph->nodes().size(), 2u);
    ASSERT_EQ(partition.fused.size(), 1u);
    const FusedGroup& group = partition.fused[0];
    EXPECT_EQ(group.node, model->graph->nodes()[0].get());
    EXPECT_EQ(group.body->nodes().size(), 3u);
    EXPECT_EQ(group.node->origins.size(), 3u);
    ASSERT_EQ(group.body->inputs().size(), 1u);
    EXPECT_EQ(group.body->inputs()[0]->name, "x");
    EXPECT_EQ(group.body->outputs()[0]->name, "c");
    EXPECT_EQ(compiler.compiled, 1);
  }
  EXPECT_EQ(compiler.compiled, 0) << "what was compiled is released";
}

TEST_F(PartitionerTest, AnOperatorWithAFunctionBodyIsExpanded) {
  FakeProvider only("Only",
                    {"Mul", "Add", "Sub", "Div", "Max", "Min", "Less", "Where", "CastLike", "Constant", "Cast"});
  const auto model = testing::Read("(float[2] x) => (float[2] y) { y = HardSwish(x) }");
  FakeProvider more("More", {"HardSigmoid"});
  Split(*model, {&only, &more});
  for (const auto& node : model->graph->nodes()) {
    EXPECT_NE(node->op_type, "HardSwish");
    EXPECT_FALSE(node->provider.empty());
  }
}

TEST_F(PartitionerTest, BodiesAreGivenAwayToo) {
  FakeProvider outer("Outer", {"If"});
  FakeProvider inner("Inner", {"Relu", "Abs"});
  const auto model = testing::Read(
      "(float[2] x, bool c) => (float[2] y) { y = If (c) <then_branch = g1 () => (float[2] t) { t = Relu(x) }, "
      "else_branch = g2 () => (float[2] e) { e = Abs(x) }> }");
  Split(*model, {&outer, &inner});
  const Node& node = *model->graph->nodes()[0];
  EXPECT_EQ(node.provider, "Outer");
  EXPECT_EQ(Owners(*node.subgraphs[0].second), (std::vector<std::string>{"Relu:Inner"}));
  EXPECT_EQ(Owners(*node.subgraphs[1].second), (std::vector<std::string>{"Abs:Inner"}));
}

}  // namespace
}  // namespace ortrun
