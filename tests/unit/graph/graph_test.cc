// SPDX-License-Identifier: Apache-2.0
#include "core/graph/graph.h"

#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "ortrun/error.h"
#include "tests/unit/models.h"

namespace ortrun {
namespace {

/// x -> a -> b -> c, each by a Relu of that name.
struct Chain {
  Model model;
  Graph* graph;
  std::vector<Node*> nodes;

  Chain() {
    model.graph = std::make_unique<Graph>(&model, nullptr);
    graph = model.graph.get();
    graph->AddInput(graph->FindOrAdd("x"));
    ValueInfo* last = graph->Find("x");
    for (const char* name : {"a", "b", "c"}) {
      nodes.push_back(graph->AddNode(name, "Relu", "", 14));
      graph->SetInput(nodes.back(), 0, last);
      last = graph->FindOrAdd(name);
      graph->SetOutput(nodes.back(), 0, last);
    }
    graph->AddOutput(last);
  }
  ValueInfo* operator[](const char* name) const { return graph->Find(name); }
};

TEST(Graph, ReplacedUsesMoveToTheOtherValue) {
  Chain chain;
  chain.graph->ReplaceUses(chain["a"], chain["x"]);
  EXPECT_EQ(chain.nodes[1]->inputs[0], chain["x"]);
  EXPECT_TRUE(chain["a"]->uses.empty());
  EXPECT_EQ(chain["x"]->uses.size(), 2u);
  chain.graph->ReplaceUses(chain["c"], chain["b"]);
  EXPECT_EQ(chain.graph->outputs()[0], chain["b"]);
  EXPECT_TRUE(chain["b"]->is_output);
  EXPECT_FALSE(chain["c"]->is_output);
}

TEST(Graph, UnusedNodesAndValuesGo) {
  Chain chain;
  EXPECT_EQ(chain.graph->RemoveUnused(), 0u);
  chain.graph->ReplaceUses(chain["b"], chain["x"]);
  EXPECT_EQ(chain.graph->RemoveUnused(), 2u) << "b, and a behind it";
  EXPECT_EQ(chain.graph->nodes().size(), 1u);
  EXPECT_EQ(chain["a"], nullptr);
  EXPECT_EQ(chain["x"]->uses.size(), 1u);
}

TEST(Graph, AValueHasOneProducer) {
  Chain chain;
  Node* other = chain.graph->AddNode("other", "Abs", "", 13);
  chain.graph->SetOutput(other, 0, chain["b"]);
  EXPECT_EQ(chain["b"]->producer, other);
  EXPECT_EQ(chain.nodes[1]->outputs[0], nullptr);
  chain.graph->RemoveNode(other);
  EXPECT_EQ(chain["b"]->producer, nullptr);
}

TEST(Graph, SortsStablyAndNamesACycle) {
  Chain chain;
  Node* early = chain.graph->AddNode("early", "Abs", "", 13);
  chain.graph->SetInput(early, 0, chain["x"]);
  chain.graph->SetOutput(early, 0, chain.graph->FindOrAdd("e"));
  chain.graph->SetInput(chain.nodes[0], 0, chain["e"]);
  chain.graph->Sort();
  std::vector<std::string> names;
  for (const auto& node : chain.graph->nodes()) names.push_back(node->name);
  EXPECT_EQ(names, (std::vector<std::string>{"early", "a", "b", "c"}));

  chain.graph->SetInput(early, 0, chain["b"]);
  try {
    chain.graph->Sort();
    FAIL() << "a cycle was sorted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ORT_FAIL);
    EXPECT_NE(std::string(error.what()).find("node 'early' (Abs)"), std::string::npos) << error.what();
  }
}

TEST(Graph, NewNamesAreNewInTheBodiesToo) {
  const auto model = testing::Read(
      "(float[2] x, bool c) => (float[2] y) { y = If (c) <then_branch = g1 () => (float[2] t) { t = Relu(x) }, "
      "else_branch = g2 () => (float[2] e) { e = Abs(x) }> }");
  Graph& graph = *model->graph;
  ASSERT_EQ(graph.nodes().size(), 1u);
  Node& node = *graph.nodes()[0];
  ASSERT_EQ(node.subgraphs.size(), 2u);
  ASSERT_EQ(node.implicit_inputs.size(), 1u) << "both branches read x";
  Graph& body = *node.subgraphs[0].second;
  const std::string inner = body.AddValue("v", {})->name;
  const std::string outer = graph.AddValue("v", {})->name;
  EXPECT_NE(inner, outer);

  // What the bodies read follows a replacement in the outer graph.
  ValueInfo* other = graph.AddValue("other", node.implicit_inputs[0]->type);
  graph.ReplaceUses(graph.Find("x"), other);
  EXPECT_EQ(node.implicit_inputs[0], other);
  EXPECT_EQ(body.Find("x")->outer, other);
}

TEST(Uses, AreTakenOffOneByOneHoweverMany) {
  Model model;
  model.graph = std::make_unique<Graph>(&model, nullptr);
  Graph& graph = *model.graph;
  ValueInfo* weight = graph.FindOrAdd("weight");
  std::vector<Node*> nodes;
  constexpr size_t kMany = 500;
  for (size_t i = 0; i < kMany; ++i) {
    nodes.push_back(graph.AddNode(std::to_string(i), "Add", "", 14));
    graph.SetInput(nodes.back(), 0, weight);
    graph.SetInput(nodes.back(), 1, weight);
  }
  EXPECT_EQ(weight->uses.size(), 2 * kMany);
  std::set<std::pair<const Node*, int64_t>> left;
  for (const Node* node : nodes)
    for (const int64_t index : {0, 1}) left.emplace(node, index);
  for (size_t i = 0; i < kMany; i += 3) {  // from here and there
    Node* node = nodes[i * 7 % kMany];
    graph.SetInput(node, i % 2, nullptr);
    left.erase({node, static_cast<int64_t>(i % 2)});
  }
  std::set<std::pair<const Node*, int64_t>> seen;
  for (const Use& use : weight->uses) EXPECT_TRUE(seen.emplace(use.node, use.index).second);
  EXPECT_EQ(seen, left);
  ValueInfo* other = graph.FindOrAdd("other");
  graph.ReplaceUses(weight, other);
  EXPECT_TRUE(weight->uses.empty());
  EXPECT_EQ(other->uses.size(), left.size());
}

TEST(Graph, DetachedNodesGoTogether) {
  Model model;
  model.graph = std::make_unique<Graph>(&model, nullptr);
  Graph& graph = *model.graph;
  ValueInfo* x = graph.FindOrAdd("x");
  graph.AddInput(x);
  ValueInfo* y = graph.FindOrAdd("y");
  Node* kept = graph.AddNode("kept", "Relu", "", 14);
  graph.SetInput(kept, 0, x);
  graph.SetOutput(kept, 0, y);
  graph.AddOutput(y);
  for (int i = 0; i < 3; ++i) {
    Node* node = graph.AddNode("gone", "Neg", "", 13);
    graph.SetInput(node, 0, x);
    graph.SetOutput(node, 0, graph.AddValue("made", {}));
    graph.DetachNode(node);
  }
  EXPECT_EQ(x->uses.size(), 1U);
  EXPECT_EQ(graph.nodes().size(), 4U);
  graph.Sort();
  ASSERT_EQ(graph.nodes().size(), 1U);
  EXPECT_EQ(graph.nodes()[0].get(), kept);
}

}  // namespace
}  // namespace ortrun
