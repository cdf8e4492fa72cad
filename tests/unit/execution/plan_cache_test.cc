// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "core/execution/plan.h"

namespace ortrun {
namespace {

Value Tensor(std::vector<int64_t> dims, ElementType type = ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT) {
  return Value::CpuTensor(type, dims.data(), dims.size());
}

std::shared_ptr<const Plan> PlanFor(std::vector<const Value*> inputs, size_t bytes = 0) {
  auto plan = std::make_shared<Plan>();
  plan->key = KeyOf(inputs);
  plan->block_bytes = {bytes};
  return plan;
}

TEST(PlanCache, FindsByTypesAndShapes) {
  PlanCache cache;
  const Value a = Tensor({2, 3});
  const Value b = Tensor({3, 2});
  const Value scalar = Tensor({});
  const Value other_type = Tensor({2, 3}, ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32);
  using Inputs = std::vector<const Value*>;
  const std::vector<Inputs> keys{{&a}, {&b}, {&a, &b}, {&scalar}, {&other_type}, {nullptr, &a}, {&a, nullptr}, {}};
  ASSERT_LE(keys.size(), PlanCache::kCapacity);
  std::vector<std::shared_ptr<const Plan>> plans;
  for (const Inputs& inputs : keys) {
    EXPECT_EQ(cache.Find(inputs), nullptr);
    plans.push_back(PlanFor(inputs));
    cache.Add(plans.back());
  }
  for (size_t i = 0; i < keys.size(); ++i) EXPECT_EQ(cache.Find(keys[i]), plans[i]) << i;
}

TEST(PlanCache, IsBoundedAndForgetsTheLeastRecent) {
  PlanCache cache;
  const Value kept = Tensor({1000});
  cache.Add(PlanFor({&kept}, 10));
  for (int64_t n = 1; n <= 100; ++n) {
    const Value value = Tensor({n});
    cache.Add(PlanFor({&value}, static_cast<size_t>(n)));
    EXPECT_NE(cache.Find(std::vector<const Value*>{&kept}), nullptr) << "used all the time, never forgotten";
    EXPECT_LE(cache.size(), PlanCache::kCapacity);
  }
  EXPECT_EQ(cache.size(), PlanCache::kCapacity);
  EXPECT_EQ(cache.bytes(), 100u);
  const Value first = Tensor({1});
  EXPECT_EQ(cache.Find(std::vector<const Value*>{&first}), nullptr);
}

TEST(PlanCache, HoldsNoMoreBytesThanItMay) {
  PlanCache cache;
  const auto add = [&](int64_t n, size_t held) {
    const Value value = Tensor({n});
    auto plan = std::make_shared<Plan>();
    plan->key = KeyOf(std::vector<const Value*>{&value});
    plan->held_bytes = held;
    cache.Add(plan);
    EXPECT_NE(cache.Find(std::vector<const Value*>{&value}), nullptr) << "the newest is always there";
  };
  constexpr size_t kHalf = PlanCache::kMostHeldBytes / 2;
  add(1, kHalf);
  add(2, kHalf);
  EXPECT_EQ(cache.size(), 2u);
  add(3, 1);
  EXPECT_EQ(cache.size(), 2u);
  add(4, 2 * kHalf);
  EXPECT_EQ(cache.size(), 1u);
}

TEST(PlanCache, FindsByWhatRuns) {
  PlanCache cache;
  const Value input = Tensor({2});
  const std::vector<const Value*> inputs{&input};
  auto part = PlanFor(inputs);
  const auto selection = std::make_shared<const Selection>();
  std::const_pointer_cast<Plan>(part)->selection = selection;
  cache.Add(part);
  EXPECT_EQ(cache.Find(inputs), nullptr) << "the whole program runs other steps";
  EXPECT_EQ(cache.Find(inputs, selection.get()), part);
  const auto whole = PlanFor(inputs);
  cache.Add(whole);
  EXPECT_EQ(cache.Find(inputs), whole);
  EXPECT_EQ(cache.Find(inputs, selection.get()), part);
}

TEST(PlanCache, WhatIsNoTensorHasNoKey) {
  const Value sequence = Value::Sequence({});
  EXPECT_TRUE(KeyOf(std::vector<const Value*>{&sequence}).empty());
  EXPECT_FALSE(KeyOf(std::vector<const Value*>{}).empty());
}

}  // namespace
}  // namespace ortrun
