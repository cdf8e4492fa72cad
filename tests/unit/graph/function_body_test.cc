// SPDX-License-Identifier: Apache-2.0
// Operators that are replaced by the body that the standard gives them.
#include <gtest/gtest.h>

#include <algorithm>

#include "core/graph/schema.h"
#include "ortrun/error.h"
#include "tests/unit/models.h"

namespace ortrun {
namespace {

using testing::Read;

const Node* Find(const Graph& graph, const char* op) {
  const auto found =
      std::find_if(graph.nodes().begin(), graph.nodes().end(), [op](const auto& node) { return node->Is(op); });
  return found == graph.nodes().end() ? nullptr : found->get();
}

/// Whether some constant of the graph is that number.
bool HasConstant(const Graph& graph, float number) {
  const auto constants = graph.Initializers();
  return std::any_of(constants.begin(), constants.end(), [number](const ValueInfo* value) {
    const OrtrunTensor& tensor = value->initializer->tensor();
    return tensor.type == ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT && tensor.count == 1 &&
           *static_cast<const float*>(tensor.data) == number;
  });
}

TEST(FunctionBody, AttributesHaveTheOperatorsDefaults) {
  for (const auto& [call, alpha] :
       {std::pair("ThresholdedRelu (x)", 1.0f), std::pair("ThresholdedRelu <alpha = 0.25> (x)", 0.25f)}) {
    const auto model = Read(std::string("(float[3] x) => (float[3] y) { y = ") + call + " }");
    // The body is that of a later version than the model's opset has.
    model->graph->nodes()[0]->since_version = 22;
    ASSERT_TRUE(ExpandFunction(*model->graph->nodes()[0])) << call;
    EXPECT_EQ(Find(*model->graph, "ThresholdedRelu"), nullptr);
    EXPECT_TRUE(HasConstant(*model->graph, alpha)) << call;
  }
}

TEST(FunctionBody, ANodeOfAnotherVersionHasTheBodyOfThatVersion) {
  const auto model = Read("(float[2,3] x) => (float[2,3] y) { y = Relu (x) }");
  Node* node = model->graph->nodes()[0].get();
  node->op_type = "Mish";
  node->since_version = 18;  // the model imports 17
  ASSERT_TRUE(ExpandFunction(*node));
  ASSERT_NE(Find(*model->graph, "Softplus"), nullptr);
  EXPECT_NE(Find(*model->graph, "Tanh"), nullptr);
}

}  // namespace
}  // namespace ortrun
