// SPDX-License-Identifier: Apache-2.0
#include "tests/abi/testing.h"

namespace ortrun::abi_testing {
namespace {

TEST(Status, HoldsItsCodeAndACopyOfItsMessage) {
  std::string text = "what happened";
  for (const OrtErrorCode code : {ORT_FAIL, ORT_NO_SUCHFILE, ORT_EP_FAIL, ORT_DEVICE_RESET}) {
    OrtStatus* status = api.CreateStatus(code, text.c_str());
    ASSERT_NE(status, nullptr);
    text[0] = 'W';
    EXPECT_EQ(api.GetErrorCode(status), code);
    EXPECT_STREQ(api.GetErrorMessage(status), "what happened");
    text[0] = 'w';
    api.ReleaseStatus(status);
  }
}

TEST(Status, NullMeansSuccess) {
  EXPECT_EQ(api.GetErrorCode(nullptr), ORT_OK);
  EXPECT_STREQ(api.GetErrorMessage(nullptr), "");
  api.ReleaseStatus(nullptr);
}

TEST(Status, MayLackAMessage) {
  OrtStatus* status = api.CreateStatus(ORT_FAIL, nullptr);
  ASSERT_NE(status, nullptr);
  EXPECT_STREQ(api.GetErrorMessage(status), "");
  api.ReleaseStatus(status);
}

}  // namespace
}  // namespace ortrun::abi_testing
