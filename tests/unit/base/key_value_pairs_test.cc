// SPDX-License-Identifier: Apache-2.0
#include "core/base/key_value_pairs.h"

#include <gtest/gtest.h>

#include <cstring>

namespace ortrun {
namespace {

void ExpectArraysFollow(const KeyValuePairs& pairs) {
  ASSERT_EQ(pairs.keys().size(), pairs.entries().size());
  ASSERT_EQ(pairs.values().size(), pairs.entries().size());
  size_t i = 0;
  for (const auto& [key, value] : pairs.entries()) {
    EXPECT_STREQ(pairs.keys()[i], key.c_str());
    EXPECT_STREQ(pairs.values()[i], value.c_str());
    EXPECT_EQ(pairs.values()[i++], value.c_str()) << "the arrays point at the pairs themselves";
  }
}

TEST(KeyValuePairs, SetsReplacesAndRemoves) {
  KeyValuePairs pairs;
  pairs.Set("b", "1");
  pairs.Set("a", "2");
  pairs.Set("b", "3");
  ExpectArraysFollow(pairs);
  EXPECT_EQ(pairs.Get("b", ""), "3");
  EXPECT_EQ(pairs.Get("c", "otherwise"), "otherwise");
  ASSERT_NE(pairs.Find("a"), nullptr);
  pairs.Remove("a");
  pairs.Remove("never there");
  EXPECT_EQ(pairs.Find("a"), nullptr);
  ExpectArraysFollow(pairs);
}

TEST(KeyValuePairs, ACopyStandsAlone) {
  KeyValuePairs first(KeyValuePairs::Map{{"a", "1"}, {"b", "2"}});
  const KeyValuePairs copy(first);
  KeyValuePairs assigned;
  assigned = first;
  assigned = *&assigned;
  first.Set("a", "other");
  first.Remove("b");
  for (const KeyValuePairs* pairs : {&copy, &std::as_const(assigned)}) {
    EXPECT_EQ(pairs->Get("a", ""), "1");
    EXPECT_EQ(pairs->Get("b", ""), "2");
    ExpectArraysFollow(*pairs);
  }
}

}  // namespace
}  // namespace ortrun
