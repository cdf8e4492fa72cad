// SPDX-License-Identifier: Apache-2.0
#include "core/optimizer/patch.h"

#include <gtest/gtest.h>

#include <functional>

#include "core/optimizer/match.h"
#include "tests/unit/models.h"

namespace ortrun {
namespace {

/// Providers "a" and "b" with kernels for what a function says.
class Kernels : public KernelLookup {
 public:
  std::function<bool(const std::string& provider, const Node& node)> serves = [](const auto&, const auto&) {
    return true;
  };
  const std::vector<std::string>& Providers() const override { return providers_; }
  bool Serves(const std::string& provider, const Node& node) const override { return serves(provider, node); }
  bool WantsChannelsLast(const std::string&, const Node&) const override { return false; }
  std::optional<std::vector<Value>> Evaluate(const Node&) const override { return std::nullopt; }

 private:
  std::vector<std::string> providers_ = {"a", "b"};
};

struct Rewriting {
  std::unique_ptr<Model> model;
  Kernels kernels;
  Logger logger{std::make_shared<LogSink>(), "", ORT_LOGGING_LEVEL_FATAL};
  PatchCount patches;
  PassContext context;
  Rewriter rewriter;

  explicit Rewriting(const std::string& graph, const char* provider = "")
      : model(testing::Read(graph)),
        context{*model, kernels, logger, patches},
        rewriter("test", *model->graph, context) {
    for (const auto& node : model->graph->nodes()) node->provider = provider;
  }
  ValueInfo* operator[](const char* name) const { return model->graph->Find(name); }
  Node* MakerOf(const char* name) const { return (*this)[name]->producer; }

  /// Abs and Neg become one operator that reads x and makes y.
  Patch Both(const std::string& op = "Relu", const char* last = "y") {
    Patch patch = rewriter.Start(*MakerOf(last));
    patch.Take({MakerOf("m"), MakerOf(last)});
    patch.SetOutput(patch.Add(op, "", 0, {(*this)["x"]}), 0, (*this)[last]);
    return patch;
  }
};

constexpr const char* kTwo = "(float[N] x) => (float[N] y) { m = Abs(x) y = Neg(m) }";

TEST(Patch, IsApplied) {
  Rewriting graph(kTwo, "a");
  Patch patch = graph.Both();
  EXPECT_EQ(patch.Refusal(), "");
  EXPECT_TRUE(graph.rewriter.Apply(patch));
  graph.model->graph->Sort();  // what is detached goes then
  ASSERT_EQ(graph.model->graph->nodes().size(), 1u);
  const Node& made = *graph.model->graph->nodes()[0];
  EXPECT_EQ(made.op_type, "Relu");
  EXPECT_EQ(made.provider, "a");
  EXPECT_EQ(made.origins.size(), 2u);
  EXPECT_EQ(graph["y"]->producer, &made);
  EXPECT_EQ(graph["x"]->uses.size(), 1u);
  EXPECT_EQ(graph.rewriter.count(), 1u);
}

TEST(Patch, LeavesWhatOthersRead) {
  Rewriting read("(float[N] x) => (float[N] y, float[N] z) { m = Abs(x) y = Neg(m) z = Exp(m) }");
  EXPECT_NE(read.Both().Refusal().find("'m' is read by"), std::string::npos);
  Rewriting output("(float[N] x) => (float[N] y, float[N] m) { m = Abs(x) y = Neg(m) }");
  EXPECT_NE(output.Both().Refusal().find("'m' is an output of the graph"), std::string::npos);
  Rewriting captured(R"((float[N] x, bool c) => (float[N] y, float[N] z) {
    m = Abs(x) y = Neg(m)
    z = If (c) <then_branch = t () => (float[N] p) { p = Exp(m) }, else_branch = e () => (float[N] q) { q = Log(x) }>
  })");
  EXPECT_NE(captured.Both().Refusal().find("'m' is read by"), std::string::npos);
  Patch patch = captured.Both();
  EXPECT_FALSE(captured.rewriter.Apply(patch));
  EXPECT_EQ(captured.model->graph->nodes().size(), 3u) << "a refused patch changes nothing";
}

TEST(Patch, KeepsToOneProvider) {
  Rewriting graph(kTwo, "a");
  graph.MakerOf("m")->provider = "b";
  EXPECT_NE(graph.Both().Refusal().find("on provider"), std::string::npos);
}

TEST(Patch, NeedsAKernelForEveryNewNode) {
  Rewriting graph(kTwo, "a");
  graph.kernels.serves = [](const std::string& provider, const Node& node) {
    return provider == "b" || node.op_type != "Relu";
  };
  EXPECT_NE(graph.Both().Refusal().find("'a' has no kernel"), std::string::npos);
}

TEST(Patch, OfPlainOperatorsLeavesNobodyBehind) {
  Rewriting graph(kTwo);
  graph.kernels.serves = [](const std::string& provider, const Node& node) {
    return provider == "b" ? node.op_type == "Relu" : node.op_type != "Relu";
  };
  EXPECT_NE(graph.Both().Refusal().find("'a' has no kernel"), std::string::npos) << "a ran Abs and Neg";
  graph.kernels.serves = [](const std::string& provider, const Node& node) {
    return provider == "b" ? node.op_type != "Abs" : node.op_type == "Abs";
  };
  EXPECT_EQ(graph.Both().Refusal(), "") << "nobody ran both, and b runs the new one";
  graph.kernels.serves = [](const std::string&, const Node&) { return false; };
  EXPECT_EQ(graph.Both().Refusal(), "") << "nobody with kernels ran either";
}

TEST(Patch, FitsTheSchema) {
  Rewriting types("(float[N] x, double[N] w) => (float[N] y) { m = Abs(x) y = Neg(m) }");
  Patch mixed = types.rewriter.Start(*types.MakerOf("y"));
  mixed.Take({types.MakerOf("m"), types.MakerOf("y")});
  mixed.SetOutput(mixed.Add("Add", "", 0, {types["x"], types["w"]}), 0, types["y"]);
  EXPECT_NE(mixed.Refusal().find("bound to different types"), std::string::npos);
  EXPECT_NE(types.Both("IsNaN").Refusal().find("Type Error"), std::string::npos) << "y is no bool";
  Patch few = types.rewriter.Start(*types.MakerOf("y"));
  few.Take({types.MakerOf("m"), types.MakerOf("y")});
  few.SetOutput(few.Add("Add", "", 0, {types["x"]}), 0, types["y"]);
  EXPECT_NE(few.Refusal().find("input size 1"), std::string::npos);
}

TEST(Patch, ReadsWhatSomebodyMakes) {
  Rewriting graph(kTwo);
  Patch patch = graph.rewriter.Start(*graph.MakerOf("y"));
  patch.Take({graph.MakerOf("m"), graph.MakerOf("y")});
  patch.SetOutput(patch.Add("Relu", "", 0, {graph["m"]}), 0, graph["y"]);
  EXPECT_NE(patch.Refusal().find("nobody makes 'm'"), std::string::npos);
}

TEST(Patch, DoesNotNeedItsOwnResult) {
  // One node that makes m and y, and reads z, which follows from m.
  Rewriting graph("(float[N] x) => (float[N] y) { m = Abs(x) z = Exp(m) y = Add(m, z) }");
  Patch patch = graph.rewriter.Start(*graph.MakerOf("y"));
  patch.Take({graph.MakerOf("m"), graph.MakerOf("y")});
  Node* made = patch.Add("Made", "test", 1, {graph["x"], graph["z"]});
  patch.SetOutput(made, 0, graph["y"]);
  patch.SetOutput(made, 1, graph["m"]);
  EXPECT_NE(patch.Refusal().find("its own result"), std::string::npos);
}

TEST(Patch, RedirectsReaders) {
  Rewriting graph("(float[N] x) => (float[N] y, float[N] z) { m = Identity(x) y = Neg(m) z = Identity(y) }");
  EXPECT_TRUE(graph.rewriter.Bypass(graph.MakerOf("m"), graph["x"]));
  EXPECT_EQ(graph.MakerOf("y")->inputs[0], graph["x"]);
  EXPECT_FALSE(graph.rewriter.Bypass(graph.MakerOf("z"), graph["y"])) << "both are outputs of the graph";
  Rewriting named("(float[N] x) => (float[N] z) { y = Neg(x) z = Identity(y) }");
  EXPECT_TRUE(named.rewriter.Bypass(named.MakerOf("z"), named["y"]));
  EXPECT_EQ(named.MakerOf("z")->op_type, "Neg") << "the output keeps its name";
}

TEST(Patch, IsCounted) {
  Rewriting graph("(float[N] x) => (float[N] y) { m = Identity(x) n = Identity(m) y = Neg(n) }");
  graph.patches.most = 1;
  EXPECT_TRUE(graph.rewriter.Bypass(graph.MakerOf("m"), graph["x"]));
  EXPECT_FALSE(graph.rewriter.Bypass(graph.MakerOf("n"), graph["x"]));
  EXPECT_EQ(graph.patches.applied, 1u);
}

}  // namespace
}  // namespace ortrun
