// SPDX-License-Identifier: Apache-2.0
#include "core/graph/new_file.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "ortrun/error.h"
#include "tests/unit/models.h"

namespace ortrun {
namespace {

namespace fs = std::filesystem;

std::string Text(const fs::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

size_t Count(const fs::path& folder) {
  return static_cast<size_t>(std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

TEST(NewFile, TakesItsPlaceWhenItIsComplete) {
  const testing::TestFolder folder;
  std::ofstream(folder / "f") << "old";
  NewFile file(folder / "f", true);
  file.Write("new", 3);
  file.Finish();
  EXPECT_EQ(Text(folder / "f"), "old");
  file.Commit();
  EXPECT_EQ(Text(folder / "f"), "new");
  EXPECT_EQ(Count(folder.path()), 1u);
}

TEST(NewFile, LeavesTheOldOneWhenItIsGivenUp) {
  const testing::TestFolder folder;
  std::ofstream(folder / "f") << "old";
  { NewFile(folder / "f", true).Write("new", 3); }
  EXPECT_EQ(Text(folder / "f"), "old");
  EXPECT_EQ(Count(folder.path()), 1u);
}

TEST(NewFile, FollowsALinkOrReplacesIt) {
  const testing::TestFolder folder;
  std::ofstream(folder / "target") << "old";
  fs::create_symlink("target", folder / "link");
  fs::create_symlink("missing", folder / "dangling");
  for (const char* name : {"link", "dangling"}) {
    NewFile followed(folder / name, true);
    followed.Write("new", 3);
    followed.Commit();
    EXPECT_TRUE(fs::is_symlink(folder / name));
  }
  EXPECT_EQ(Text(folder / "target") + Text(folder / "missing"), "newnew");
  NewFile replaced(folder / "link", false);
  replaced.Commit();
  EXPECT_FALSE(fs::is_symlink(folder / "link"));
  EXPECT_EQ(Text(folder / "target"), "new");
}

TEST(NewFile, SaysWhatCannotBeWritten) {
  const testing::TestFolder folder;
  EXPECT_THROW(NewFile(folder.path(), true), Error);
  EXPECT_THROW(NewFile(folder / "no/f", true), Error);
  NewFile device("/dev/null", true);
  device.Write("x", 1);
  device.Commit();
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
  NewFile full("/dev/full", true);
  EXPECT_THROW(full.Write("x", 1), Error);
}

}  // namespace
}  // namespace ortrun
