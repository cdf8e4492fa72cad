// SPDX-License-Identifier: Apache-2.0
#include "core/optimizer/symbolic_shape.h"

#include <gtest/gtest.h>

#include "tests/unit/models.h"

namespace ortrun {
namespace {

/// The analysis of a graph given as text.
struct Analysed {
  std::unique_ptr<Model> model;
  ShapeAnalysis shapes;
  explicit Analysed(const std::string& graph) : model(testing::Read(graph)), shapes(*model->graph) {}
  const ValueInfo* operator[](const char* name) const { return model->graph->Find(name); }
};

TEST(ShapeAnalysis, OneNameIsOneNumber) {
  const Analysed graph("(float[N,M] x, float[M,N] y, float[?,M] z) => (float[?,?] t) { t = Transpose(x) u = Relu(z) }");
  EXPECT_TRUE(graph.shapes.SameDim(graph["x"], 0, graph["y"], 1));
  EXPECT_TRUE(graph.shapes.SameDim(graph["x"], -1, graph["z"], -1));
  EXPECT_FALSE(graph.shapes.SameDim(graph["x"], 0, graph["x"], 1));
  EXPECT_FALSE(graph.shapes.SameDim(graph["x"], 0, graph["z"], 0)) << "? is no name";
  EXPECT_TRUE(graph.shapes.SameShape(graph["t"], graph["y"]));
  EXPECT_TRUE(graph.shapes.SameShape(graph["u"], graph["z"])) << "what is not named is still the same";
}

TEST(ShapeAnalysis, FollowsShapeArithmetic) {
  const Analysed graph(R"((float[B,S,12] x) => (float[?,?,?,?] y)
    <int64[1] zero = {0}, int64[1] one = {1}, int64[2] heads = {3, 4}> {
      shape = Shape(x)
      b = Gather <axis = 0> (shape, zero)
      s = Gather <axis = 0> (shape, one)
      target = Concat <axis = 0> (b, s, heads)
      y = Reshape(x, target)
    })");
  const SymbolicShape* shape = graph.shapes.ShapeOf(graph["y"]);
  ASSERT_NE(shape, nullptr);
  ASSERT_EQ(shape->size(), 4u);
  EXPECT_TRUE(graph.shapes.SameDim(graph["x"], 0, graph["y"], 0));
  EXPECT_TRUE(graph.shapes.SameDim(graph["x"], 1, graph["y"], 1));
  EXPECT_EQ(graph.shapes.NumberOf(graph["y"], 2), 3);
  EXPECT_EQ(graph.shapes.NumberOf(graph["y"], -1), 4);
  EXPECT_EQ(graph.shapes.NumberOf(graph["y"], 0), -1);
  const std::vector<Dim>* elements = graph.shapes.ElementsOf(graph["target"]);
  ASSERT_NE(elements, nullptr);
  EXPECT_EQ((*elements)[0], (*shape)[0]);
}

TEST(ShapeAnalysis, BroadcastsWhatItKnows) {
  const Analysed graph("(float[N,1] x, float[1,M] y, float[N,M] z) => (float[?,?] s) { s = Add(x, y) t = Add(s, z) }");
  EXPECT_TRUE(graph.shapes.SameShape(graph["s"], graph["z"]));
  EXPECT_TRUE(graph.shapes.SameShape(graph["t"], graph["z"]));
}

TEST(ShapeAnalysis, KnowsNothingOfDataDependentShapes) {
  const Analysed graph("(float[N] x) => (int64[1,?] y) { y = NonZero(x) z = Transpose(y) }");
  EXPECT_FALSE(graph.shapes.SameDim(graph["y"], 1, graph["x"], 0));
  EXPECT_TRUE(graph.shapes.SameDim(graph["y"], 1, graph["z"], 0));
}

/// The names that an answer relies on.
struct Recorded {
  std::unique_ptr<Model> model;
  DimensionNames names;
  ShapeAnalysis shapes;
  explicit Recorded(const std::string& graph)
      : model(testing::Read(graph)), names(*model->graph), shapes(*model->graph, &names) {}
  const ValueInfo* operator[](const char* name) const { return model->graph->Find(name); }
  template <typename Ask>
  std::set<std::string> RelyOn(const Ask& ask) {
    names.Begin();
    ask();
    const std::set<std::string> before = names.relied();
    names.Commit();
    std::set<std::string> added;
    for (const std::string& name : names.relied())
      if (before.count(name) == 0) added.insert(name);
    return added;
  }
};

using Names = std::set<std::string>;
constexpr const char* kTwoInputs =
    "(float[N,M] x, float[N,M] y, float[K] z) => (float[?,?] t, float[?,?] v) { t = Relu(x) u = Relu(y) v = Add(t, u) "
    "}";

TEST(DimensionNames, AreReliedOnWhereTwoPlacesMeet) {
  Recorded graph(kTwoInputs);
  EXPECT_EQ(graph.names.repeated(), (std::vector<std::string>{"M", "N"}));
  EXPECT_EQ(graph.RelyOn([&] { EXPECT_TRUE(graph.shapes.SameShape(graph["x"], graph["t"])); }), Names{});
  EXPECT_EQ(graph.RelyOn([&] { EXPECT_TRUE(graph.shapes.SameDim(graph["x"], 0, graph["y"], 0)); }), Names{"N"});
  EXPECT_EQ(graph.RelyOn([&] { EXPECT_TRUE(graph.shapes.SameShape(graph["x"], graph["u"])); }), Names{"M"});
}

TEST(DimensionNames, AreReliedOnByWhoComparesForHimself) {
  Recorded graph(kTwoInputs);
  const auto look = [&](const char* name) { static_cast<void>(graph.shapes.ShapeOf(graph[name])); };
  EXPECT_EQ(graph.RelyOn([&] { look("x"), look("t"); }), Names{});
  EXPECT_EQ(graph.RelyOn([&] { look("y"), look("u"); }), Names{}) << "another rewrite looked at x";
  EXPECT_EQ(graph.RelyOn([&] { look("x"), look("v"); }), (Names{"M", "N"})) << "x may have been spread";
}

TEST(DimensionNames, ThatNoRewriteReliedOnAreNotKept) {
  Recorded graph(kTwoInputs);
  EXPECT_TRUE(graph.shapes.SameShape(graph["x"], graph["y"]));
  graph.names.Begin();
  graph.names.Commit();
  EXPECT_EQ(graph.names.relied(), Names{});
}

TEST(ReshapeTarget, LeavesAtMostOneDimensionOpen) {
  const Dim n{0, 1};
  const Dim m{0, 2};
  const Dim four{4, 0};
  const Dim two{2, 0};
  EXPECT_EQ(ReshapeTarget({n, four}, {n, two, two}), (std::vector<int64_t>{0, 2, 2}));
  EXPECT_EQ(ReshapeTarget({n, m, four}, {n, m, two, two}), (std::vector<int64_t>{0, 0, 2, 2}));
  const auto moved = ReshapeTarget({four, n}, {n, four});
  ASSERT_TRUE(moved.has_value());
  EXPECT_EQ(*moved, (std::vector<int64_t>{-1, 4}));
  EXPECT_EQ(ReshapeTarget({four, n, m}, {n, m, four}), std::nullopt);
}

}  // namespace
}  // namespace ortrun
