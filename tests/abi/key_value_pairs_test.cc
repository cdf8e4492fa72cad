// SPDX-License-Identifier: Apache-2.0
#include <map>

#include "tests/abi/testing.h"

namespace ortrun::abi_testing {
namespace {

KeyValuePairs NewPairs() {
  OrtKeyValuePairs* made = nullptr;
  api.CreateKeyValuePairs(&made);
  return KeyValuePairs(made);
}

std::map<std::string, std::string> Entries(const OrtKeyValuePairs* pairs) {
  const char* const* keys = nullptr;
  const char* const* values = nullptr;
  size_t count = 0;
  api.GetKeyValuePairs(pairs, &keys, &values, &count);
  std::map<std::string, std::string> entries;
  for (size_t i = 0; i < count; ++i) entries.emplace(keys[i], values[i]);
  return entries;
}

TEST(KeyValuePairs, KeepsTheLastValueOfAKey) {
  const KeyValuePairs pairs = NewPairs();
  api.AddKeyValuePair(pairs.get(), "device", "0");
  api.AddKeyValuePair(pairs.get(), "empty", "");
  api.AddKeyValuePair(pairs.get(), "device", "1");
  EXPECT_EQ(Entries(pairs.get()), (std::map<std::string, std::string>{{"device", "1"}, {"empty", ""}}));
  EXPECT_STREQ(api.GetKeyValue(pairs.get(), "device"), "1");
  EXPECT_EQ(api.GetKeyValue(pairs.get(), "none"), nullptr);
}

TEST(KeyValuePairs, Removes) {
  const KeyValuePairs pairs = NewPairs();
  for (const char* key : {"a", "b", "c"}) api.AddKeyValuePair(pairs.get(), key, key);
  api.RemoveKeyValuePair(pairs.get(), "b");
  api.RemoveKeyValuePair(pairs.get(), "never there");
  EXPECT_EQ(Entries(pairs.get()), (std::map<std::string, std::string>{{"a", "a"}, {"c", "c"}}));
}

TEST(KeyValuePairs, PassesOverNothing) {
  const KeyValuePairs pairs = NewPairs();
  api.AddKeyValuePair(pairs.get(), nullptr, "value");
  api.AddKeyValuePair(pairs.get(), "", "value");
  api.AddKeyValuePair(pairs.get(), "key", nullptr);
  api.AddKeyValuePair(nullptr, "key", "value");
  EXPECT_TRUE(Entries(pairs.get()).empty());
  EXPECT_TRUE(Entries(nullptr).empty());
  api.GetKeyValuePairs(pairs.get(), nullptr, nullptr, nullptr);
}

}  // namespace
}  // namespace ortrun::abi_testing
