// SPDX-License-Identifier: Apache-2.0
#include "core/graph/standard_schemas.h"

#include <gtest/gtest.h>

#include <set>

#include "core/graph/schema.h"

namespace ortrun {
namespace {

TEST(StandardSchemas, AreThoseOfOnnx) {
  const StandardSchemas& schemas = StandardSchemas::Instance();
  size_t count = 0;
  for (const onnx::OpSchema& expected : onnx::OpSchemaRegistry::get_all_schemas_with_history()) {
    const onnx::OpSchema* found = schemas.GetSchema(expected.Name(), expected.SinceVersion(), expected.domain());
    ASSERT_NE(found, nullptr) << expected.domain() << "::" << expected.Name();
    EXPECT_EQ(found->SinceVersion(), expected.SinceVersion()) << expected.Name();
    EXPECT_EQ(found->domain(), expected.domain());
    EXPECT_EQ(found->min_input(), expected.min_input()) << expected.Name();
    EXPECT_EQ(found->max_output(), expected.max_output()) << expected.Name();
    EXPECT_EQ(found->HasFunction(), expected.HasFunction()) << expected.Name();
    ++count;
  }
  EXPECT_GT(count, 600u);
}

TEST(StandardSchemas, AnswerTheNewestThatIsNotTooNew) {
  const StandardSchemas& schemas = StandardSchemas::Instance();
  for (const auto& [asked, answer] : {std::pair(1, 1), {5, 1}, {6, 6}, {8, 7}, {13, 13}, {10000, 14}}) {
    const onnx::OpSchema* add = schemas.GetSchema("Add", asked, "");
    ASSERT_NE(add, nullptr);
    EXPECT_EQ(add->SinceVersion(), answer);
    EXPECT_EQ(add, schemas.GetSchema("Add", asked, "ai.onnx"));
  }
  EXPECT_EQ(schemas.GetSchema("Gelu", 19, ""), nullptr);
  EXPECT_EQ(schemas.GetSchema("Add", 14, "ai.onnx.ml"), nullptr);
  EXPECT_EQ(schemas.GetSchema("", 14, ""), nullptr);
}

TEST(StandardSchemas, AreNamedOnce) {
  for (const char* domain : {"", "ai.onnx.ml", "com.microsoft"}) {
    const std::vector<std::string> names = OperatorNames(domain);
    EXPECT_GT(names.size(), 10u);
    EXPECT_EQ(std::set<std::string>(names.begin(), names.end()).size(), names.size()) << domain;
  }
}

}  // namespace
}  // namespace ortrun
