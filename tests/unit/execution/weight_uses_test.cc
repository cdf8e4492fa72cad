// SPDX-License-Identifier: Apache-2.0
#include "core/execution/weight_uses.h"

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <utility>

namespace ortrun {
namespace {

constexpr auto kFloat = ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT;

/// A weight of `count` floats at `first` of the shared memory.
Value View(const std::shared_ptr<std::array<float, 64>>& memory, size_t first, int64_t count) {
  return Value::View(kFloat, &count, 1, memory->data() + first, CpuMemoryInfo(), memory);
}

class WeightUsesTest : public testing::Test {
 protected:
  std::shared_ptr<std::array<float, 64>> memory_ = std::make_shared<std::array<float, 64>>();
  uintptr_t first_ = reinterpret_cast<uintptr_t>(memory_->data());
  WeightUses uses_;
};

TEST_F(WeightUsesTest, CountsReadersByMemoryNotByValue) {
  const Value one = View(memory_, 0, 16);
  const Value other = View(memory_, 0, 16);
  uses_.Add(one);
  uses_.Add(other);
  uses_.Drop(one);
  EXPECT_TRUE(uses_.Needed(one));
  EXPECT_FALSE(uses_.Disposable(one));
  uses_.Drop(other);
  EXPECT_FALSE(uses_.Needed(one));
  const auto range = uses_.Disposable(other);
  ASSERT_TRUE(range);
  EXPECT_EQ(range->begin, first_);
  EXPECT_EQ(range->end, first_ + 16 * sizeof(float));
}

TEST_F(WeightUsesTest, OverlappingTensorsAreOneWeight) {
  const Value left = View(memory_, 0, 16);
  const Value right = View(memory_, 32, 16);
  const Value between = View(memory_, 8, 32);
  for (const Value* value : {&left, &right, &between}) uses_.Add(*value);
  uses_.Drop(left);
  uses_.Drop(right);
  EXPECT_TRUE(uses_.Needed(left));
  EXPECT_TRUE(uses_.Needed(right));
  uses_.Drop(between);
  const auto range = uses_.Disposable(right);
  ASSERT_TRUE(range);
  EXPECT_EQ(range->begin, first_);
  EXPECT_EQ(range->end, first_ + 48 * sizeof(float));
}

TEST_F(WeightUsesTest, NeighboursAreApart) {
  const Value left = View(memory_, 0, 16);
  const Value right = View(memory_, 16, 16);
  uses_.Add(left);
  uses_.Add(right);
  uses_.Drop(left);
  EXPECT_FALSE(uses_.Needed(left));
  EXPECT_TRUE(uses_.Needed(right));
  EXPECT_EQ(uses_.Disposable(left)->end, first_ + 16 * sizeof(float));
}

TEST_F(WeightUsesTest, LentMemoryKeepsItsContent) {
  const Value given = View(memory_, 0, 16);
  uses_.Add(given);
  uses_.KeepContent(given);
  uses_.Drop(given);
  EXPECT_FALSE(uses_.Needed(given));
  EXPECT_FALSE(uses_.Disposable(given));

  int64_t count = 8;
  const Value unowned = Value::View(kFloat, &count, 1, memory_->data() + 32, CpuMemoryInfo(), nullptr);
  uses_.Add(unowned);
  uses_.Drop(unowned);
  EXPECT_FALSE(uses_.Disposable(unowned));
}

TEST_F(WeightUsesTest, WhatIsNotCountedIsNeeded) {
  EXPECT_TRUE(uses_.Needed(View(memory_, 0, 16)));
  const Value empty = View(memory_, 0, 0);
  uses_.Add(empty);
  uses_.Drop(empty);
  EXPECT_TRUE(uses_.Needed(empty));
  int64_t count = 2;
  const Value text = Value::CpuTensor(ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING, &count, 1);
  uses_.Add(text);
  uses_.Drop(text);
  EXPECT_TRUE(uses_.Needed(text));
}

TEST_F(WeightUsesTest, AGraphsReadersAreNodesOutputsDefaultsAndAttributes) {
  OrtModel model;
  model.graph = std::make_unique<OrtGraph>(&model, nullptr);
  OrtGraph& graph = *model.graph;
  const auto constant = [&](const char* name, size_t first) {
    OrtValueInfo* value = graph.FindOrAdd(name);
    value->initializer = std::make_shared<const Value>(View(memory_, first, 8));
    return value;
  };
  OrtValueInfo* weight = constant("weight", 0);
  OrtValueInfo* alias = constant("alias", 0);
  OrtValueInfo* result = constant("result", 8);
  OrtValueInfo* fallback = constant("fallback", 16);
  fallback->is_input = true;
  graph.AddOutput(result);
  OrtNode* node = graph.AddNode("node", "MatMul", "", 13);
  graph.SetInput(node, 0, weight);
  graph.SetInput(node, 1, alias);
  OrtOpAttr attribute;
  attribute.name = "value";
  attribute.type = ORT_OP_ATTR_TENSOR;
  attribute.tensor = std::make_shared<const Value>(View(memory_, 24, 8));
  node->attributes.push_back(attribute);
  uses_.Count(graph);
  uses_.Drop(*weight->initializer);
  EXPECT_TRUE(uses_.Needed(*weight->initializer));
  uses_.Drop(*alias->initializer);
  EXPECT_FALSE(uses_.Needed(*weight->initializer));
  for (const size_t first : {8u, 16u, 24u}) EXPECT_TRUE(uses_.Needed(View(memory_, first, 8))) << first;
}

}  // namespace
}  // namespace ortrun
