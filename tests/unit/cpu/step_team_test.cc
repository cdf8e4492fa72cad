// SPDX-License-Identifier: Apache-2.0
#include "plugins/cpu/kernels/rnn/step_team.h"

#include <gtest/gtest.h>

#include <chrono>
#include <numeric>
#include <thread>
#include <vector>

namespace ortrun::cpu {
namespace {

/// Each part of a step reads what all parts of the step before wrote, as a recurrent layer does.
class Cells {
 public:
  Cells(size_t members, size_t steps) : lines_(members + 1), team_(lines_.data(), members, steps), runs_(members) {
    for (auto& side : values_) side.assign(members, 1);
  }

  void Work(size_t member) {
    team_.Work(member, [this](size_t step, size_t part) {
      const std::vector<uint64_t>& before = values_[step & 1];
      values_[1 - (step & 1)][part] = std::accumulate(before.begin(), before.end(), uint64_t{part + step});
      ++runs_[part];
    });
  }

  /// The values after all steps, and how often each part ran.
  const std::vector<uint64_t>& Values(size_t steps) const { return values_[steps & 1]; }
  const std::vector<size_t>& Runs() const { return runs_; }

 private:
  std::vector<StepTeam::Line> lines_;
  StepTeam team_;
  std::vector<uint64_t> values_[2];
  std::vector<size_t> runs_;
};

TEST(StepTeam, OneMemberDoesTheWorkOfAll) {
  Cells cells(4, 100);
  cells.Work(2);
  EXPECT_EQ(cells.Runs(), std::vector<size_t>(4, 100));
  cells.Work(0);  // comes after the end and finds nothing
  EXPECT_EQ(cells.Runs(), std::vector<size_t>(4, 100));
}

TEST(StepTeam, NoStepIsNothing) {
  Cells cells(3, 0);
  cells.Work(1);
  EXPECT_EQ(cells.Runs(), std::vector<size_t>(3, 0));
}

TEST(StepTeam, MembersMeetAfterEachStepWheneverTheyCome) {
  for (const size_t members : {1, 2, 3, 5}) {
    constexpr size_t kSteps = 3000;
    Cells expected(members, kSteps);
    expected.Work(0);
    Cells cells(members, kSteps);
    std::vector<std::thread> threads;
    for (size_t member = 0; member < members; ++member)
      threads.emplace_back([&cells, member] {
        std::this_thread::sleep_for(std::chrono::microseconds(50 * member));
        cells.Work(member);
      });
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(cells.Values(kSteps), expected.Values(kSteps));
    EXPECT_EQ(cells.Runs(), expected.Runs());
  }
}

}  // namespace
}  // namespace ortrun::cpu
