// SPDX-License-Identifier: Apache-2.0
#include "core/execution/thread_count.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "core/execution/thread_pool.h"

namespace ortrun {
namespace {

/// A folder that stands for the root of the file system.
class CpuQuotaTest : public ::testing::Test {
 protected:
  CpuQuotaTest() { std::filesystem::remove_all(root_); }
  ~CpuQuotaTest() override { std::filesystem::remove_all(root_); }

  void Write(const std::string& file, const std::string& content) {
    std::filesystem::create_directories((root_ / file).parent_path());
    std::ofstream(root_ / file) << content << '\n';
  }
  std::optional<size_t> Quota() const { return CpuQuota(root_.string()); }

 private:
  std::filesystem::path root_ = std::filesystem::temp_directory_path() / ("ortrun_quota_" + std::to_string(getpid()));
};

TEST_F(CpuQuotaTest, NoControlGroupsNoQuota) { EXPECT_EQ(Quota(), std::nullopt); }

TEST_F(CpuQuotaTest, Version2) {
  Write("proc/self/cgroup", "0::/a/b");
  Write("sys/fs/cgroup/a/b/cpu.max", "max 100000");
  EXPECT_EQ(Quota(), std::nullopt);
  Write("sys/fs/cgroup/a/b/cpu.max", "400000 100000");
  EXPECT_EQ(Quota(), 4u);
  Write("sys/fs/cgroup/a/b/cpu.max", "150000 100000");
  EXPECT_EQ(Quota(), 2u) << "a part of a processor counts as one";
  Write("sys/fs/cgroup/a/b/cpu.max", "1000 100000");
  EXPECT_EQ(Quota(), 1u);
}

TEST_F(CpuQuotaTest, TheTightestOnTheWayUpCounts) {
  Write("proc/self/cgroup", "0::/a/b");
  Write("sys/fs/cgroup/a/b/cpu.max", "800000 100000");
  Write("sys/fs/cgroup/a/cpu.max", "300000 100000");
  EXPECT_EQ(Quota(), 3u);
}

TEST_F(CpuQuotaTest, InsideAContainerTheGroupIsTheRootOfTheMount) {
  Write("proc/self/cgroup", "0::/");
  Write("sys/fs/cgroup/cpu.max", "200000 100000");
  EXPECT_EQ(Quota(), 2u);
  // Without a namespace of its own the process sees the host's path, of which nothing is mounted.
  Write("proc/self/cgroup", "0::/docker/0123");
  EXPECT_EQ(Quota(), 2u);
}

TEST_F(CpuQuotaTest, Version1) {
  Write("proc/self/cgroup", "5:memory:/a\n3:cpu,cpuacct:/a\n");
  Write("sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us", "-1");
  Write("sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_period_us", "100000");
  EXPECT_EQ(Quota(), std::nullopt);
  Write("sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us", "250000");
  EXPECT_EQ(Quota(), 3u);
}

TEST_F(CpuQuotaTest, OddFilesAreNoQuota) {
  Write("proc/self/cgroup", "nonsense\n0::\n0::/a");
  for (const char* content : {"", "max", "100000", "abc def", "-5 100000", "100000 0"}) {
    Write("sys/fs/cgroup/a/cpu.max", content);
    EXPECT_EQ(Quota(), std::nullopt) << content;
  }
}

TEST(DefaultThreadCount, IsAtLeastOne) { EXPECT_GE(DefaultThreadCount(), 1u); }

}  // namespace
}  // namespace ortrun
