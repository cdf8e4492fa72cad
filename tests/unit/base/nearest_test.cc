// SPDX-License-Identifier: Apache-2.0
#include "core/base/nearest.h"

#include <gtest/gtest.h>

namespace ortrun {
namespace {

const std::vector<std::string> kNames{"pixel_values", "attention_mask", "input_ids"};

TEST(Nearest, FindsSlipsOfTheKeyboard) {
  EXPECT_EQ(Nearest("pixel_value", kNames), "pixel_values");
  EXPECT_EQ(Nearest("Input_IDs", kNames), "input_ids");
  EXPECT_EQ(Nearest("atention_maks", kNames), "attention_mask");
  EXPECT_EQ(Nearest("input_ids", kNames), "input_ids");
}

TEST(Nearest, AnswersNothingForWhatIsFarOff) {
  EXPECT_EQ(Nearest("labels", kNames), "");
  EXPECT_EQ(Nearest("x", kNames), "");
  EXPECT_EQ(Nearest("", {}), "");
}

TEST(Nearest, ShortNamesMayDifferByTwo) {
  EXPECT_EQ(Nearest("Relo", {"Relu", "Gelu"}), "Relu");
  EXPECT_EQ(Nearest("abc", {"xyz"}), "");
}

TEST(DidYouMean, IsASentenceOrNothing) {
  EXPECT_EQ(DidYouMean("Rellu", {"Relu"}), " Did you mean 'Relu'?");
  EXPECT_EQ(DidYouMean("Convolution", {"Relu"}), "");
}

TEST(Join, ListsOrSaysNone) {
  EXPECT_EQ(Join({"a", "b"}), "a, b");
  EXPECT_EQ(Join({}), "none");
}

}  // namespace
}  // namespace ortrun
