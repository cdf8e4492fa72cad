// SPDX-License-Identifier: Apache-2.0
#include "core/graph/pinned_domain.h"

#include <gtest/gtest.h>

#include "core/graph/schema.h"

namespace ortrun {
namespace {

TEST(PinnedDomain, NamesSayDomainAndOpset) {
  EXPECT_EQ((PinnedDomain{"", 11}.Name()), "ortrun.opset.11");
  EXPECT_EQ((PinnedDomain{"ai.onnx.ml", 2}.Name()), "ortrun.opset.2:ai.onnx.ml");
  const auto pinned = PinnedDomain::Parse("ortrun.opset.2:ai.onnx.ml");
  ASSERT_TRUE(pinned);
  EXPECT_EQ(pinned->domain, "ai.onnx.ml");
  EXPECT_EQ(pinned->opset, 2);
  EXPECT_EQ(PinnedDomain::Parse("ortrun.opset.11")->domain, "");
}

TEST(PinnedDomain, OtherNamesAreOrdinary) {
  for (const char* name :
       {"", "ai.onnx", "ortrun", "ortrun.opset", "ortrun.opset.", "ortrun.opset.x", "ortrun.opset.-1", "ortrun.opset.0",
        "ortrun.opset.1x", "ortrun.opset.1:", "ortrun.opset.99999999999"})
    EXPECT_FALSE(PinnedDomain::Parse(name)) << name;
}

TEST(PinnedDomain, SchemasAreThoseOfItsOpset) {
  EXPECT_EQ(FindSchema("ortrun.opset.11", "ReduceSum", 18), FindSchema("", "ReduceSum", 11));
  EXPECT_EQ(FindSchema("ortrun.opset.18", "ReduceSum", 11), FindSchema("", "ReduceSum", 18));
  EXPECT_EQ(FindSchema("ortrun.opset.2:ai.onnx.ml", "LabelEncoder", 1), FindSchema("ai.onnx.ml", "LabelEncoder", 2));
  EXPECT_EQ(FindSchema("ortrun.opset.11:com.ms.internal.nhwc", "MaxPool", 1),
            FindSchema("com.ms.internal.nhwc", "MaxPool", 11));
  EXPECT_EQ(FindSchema("ortrun.opset.11", "Nonsense", 11), nullptr);
}

}  // namespace
}  // namespace ortrun
