// SPDX-License-Identifier: Apache-2.0
#include "core/graph/external_data.h"

#include <gtest/gtest.h>

#include <fstream>

#include "ortrun/error.h"
#include "tests/unit/models.h"

namespace ortrun {
namespace {

namespace fs = std::filesystem;

class ExternalFilesTest : public ::testing::Test {
 protected:
  ExternalFilesTest() {
    fs::create_directories(folder_ / "model/sub");
    Write("model/in", "inside");
    Write("model/sub/in", "below");
    Write("out", "outside");
  }
  void Write(const std::string& name, const std::string& content) const {
    std::ofstream(folder_ / name, std::ios::binary) << content;
  }
  static std::string Text(const ExternalFiles::Range& range, size_t bytes) { return {range.data, bytes}; }
  /// The message of the refusal.
  static std::string Refused(ExternalFiles& files, const std::string& location, uint64_t offset = 0,
                             uint64_t bytes = 4) {
    try {
      files.Read(location, offset, bytes, "w");
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ORT_FAIL);
      EXPECT_NE(std::string(error.what()).find("'w'"), std::string::npos) << error.what();
      return error.what();
    }
    ADD_FAILURE() << location << " was read";
    return "";
  }

  const ortrun::testing::TestFolder folder_;
};

TEST_F(ExternalFilesTest, ReadsInsideTheFolder) {
  ExternalFiles files(folder_ / "model", {});
  EXPECT_EQ(Text(files.Read("in", 0, 6, "w"), 6), "inside");
  EXPECT_EQ(Text(files.Read("in", 2, 4, "w"), 4), "side");
  EXPECT_EQ(Text(files.Read("sub/in", 0, 5, "w"), 5), "below");
  EXPECT_EQ(Text(files.Read("sub/../in", 0, 6, "w"), 6), "inside");
  files.Read("in", 6, 0, "w");  // nothing at the very end
}

TEST_F(ExternalFilesTest, RangesStayInsideTheFile) {
  ExternalFiles files(folder_ / "model", {});
  for (const auto& [offset, bytes] : std::vector<std::pair<uint64_t, uint64_t>>{
           {0, 7}, {6, 1}, {7, 0}, {3, UINT64_MAX}, {UINT64_MAX, 1}, {UINT64_MAX, UINT64_MAX}})
    EXPECT_NE(Refused(files, "in", offset, bytes).find("ends outside file 'in'"), std::string::npos);
}

TEST_F(ExternalFilesTest, RefusesWhatLeavesTheFolder) {
  fs::create_symlink("../out", folder_ / "model/link");
  fs::create_symlink("..", folder_ / "model/up");
  fs::create_symlink("sub/in", folder_ / "model/fine");
  ExternalFiles files(folder_ / "model", {});
  for (const char* location : {"../out", "sub/../../out", "link", "up/out", "", "no", "sub", "."})
    Refused(files, location);
  Refused(files, (folder_ / "model/in").string());
  Refused(files, std::string("in\0.bin", 7));
  EXPECT_EQ(Text(files.Read("fine", 0, 5, "w"), 5), "below");
}

TEST_F(ExternalFilesTest, AFolderWhoseNameOnlyBeginsAlikeIsAnother) {
  fs::create_directories(folder_ / "model2");
  Write("model2/in", "elsewhere");
  fs::create_symlink("../model2/in", folder_ / "model/link");
  ExternalFiles files(folder_ / "model", {});
  Refused(files, "link");
}

TEST_F(ExternalFilesTest, LinksMayLeadToWhereTheModelReallyLies) {
  fs::create_directories(folder_ / "cache");
  Write("cache/0123", "cached");
  fs::create_symlink("../cache/0123", folder_ / "model/link");
  ExternalFiles files(folder_ / "model", {}, fs::canonical(folder_ / "cache"));
  EXPECT_EQ(Text(files.Read("link", 0, 6, "w"), 6), "cached");
  Refused(files, "../cache/0123");
}

TEST_F(ExternalFilesTest, WithoutAFolderOnlyGivenContentsAreRead) {
  const std::string content = "given";
  ExternalFiles files({}, {{"w.bin", {content.data(), content.size()}}});
  EXPECT_EQ(Text(files.Read("w.bin", 1, 4, "w"), 4), "iven");
  Refused(files, "w.bin", 2, 4);
  EXPECT_NE(Refused(files, "in").find("from memory"), std::string::npos);
}

}  // namespace
}  // namespace ortrun
