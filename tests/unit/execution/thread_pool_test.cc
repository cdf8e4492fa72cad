// SPDX-License-Identifier: Apache-2.0
#include "core/execution/thread_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "core/base/floating_point.h"
#include "core/execution/thread_count.h"
#include "ortrun/error.h"

namespace ortrun {
namespace {

template <typename Function>
void For(ThreadPool& pool, size_t blocks, Function&& function) {
  pool.ParallelFor(
      blocks, [](void* arg, size_t block) { (*static_cast<std::remove_reference_t<Function>*>(arg))(block); },
      &function);
}

ThreadPool::Options Threads(size_t threads, bool spin = true) {
  ThreadPool::Options options;
  options.threads = threads;
  options.spin = spin;
  return options;
}

TEST(ThreadPool, CallsEveryIndexOnce) {
  for (const size_t threads : {1u, 2u, 5u}) {
    for (const bool spin : {false, true}) {
      ThreadPool pool(Threads(threads, spin));
      for (const size_t blocks : {0u, 1u, 2u, 3u, 17u, 1000u}) {
        std::vector<std::atomic<int>> calls(blocks);
        For(pool, blocks, [&](size_t i) { calls.at(i).fetch_add(1); });
        for (const auto& count : calls) ASSERT_EQ(count.load(), 1) << threads << " threads, " << blocks << " blocks";
      }
    }
  }
}

TEST(ThreadPool, ALoopInsideALoopRunsInline) {
  ThreadPool pool(Threads(3));
  std::vector<std::atomic<int>> calls(64);
  For(pool, 8, [&](size_t outer) {
    const std::thread::id here = std::this_thread::get_id();
    For(pool, 8, [&](size_t inner) {
      EXPECT_EQ(std::this_thread::get_id(), here);
      calls[outer * 8 + inner].fetch_add(1);
    });
  });
  for (const auto& count : calls) EXPECT_EQ(count.load(), 1);
}

TEST(ThreadPool, SeveralCallersShareTheWorkers) {
  ThreadPool pool(Threads(3));
  constexpr size_t kCallers = 8;
  constexpr size_t kLoops = 200;
  std::atomic<size_t> calls{0};
  std::vector<std::thread> callers;
  for (size_t c = 0; c < kCallers; ++c)
    callers.emplace_back([&] {
      for (size_t loop = 0; loop < kLoops; ++loop) For(pool, 1 + loop % 7, [&](size_t) { calls.fetch_add(1); });
    });
  for (std::thread& caller : callers) caller.join();
  size_t expected = 0;
  for (size_t loop = 0; loop < kLoops; ++loop) expected += 1 + loop % 7;
  EXPECT_EQ(calls.load(), kCallers * expected);
}

TEST(ThreadPool, UsesItsThreads) {
  ThreadPool pool(Threads(4));
  EXPECT_EQ(pool.size(), 4u);
  std::mutex mutex;
  std::set<std::thread::id> seen;
  std::atomic<size_t> inside{0};
  For(pool, 4, [&](size_t) {
    // A block holds its thread until all four are inside, so four threads must come.
    inside.fetch_add(1);
    while (inside.load() < 4) std::this_thread::yield();
    const std::lock_guard lock(mutex);
    seen.insert(std::this_thread::get_id());
  });
  EXPECT_EQ(seen.size(), 4u);
}

TEST(ThreadPool, RunsScheduledTasks) {
  for (const size_t threads : {1u, 3u}) {
    ThreadPool pool(Threads(threads));
    std::vector<std::promise<std::thread::id>> done(20);
    for (auto& promise : done) pool.Schedule([&promise] { promise.set_value(std::this_thread::get_id()); });
    for (auto& promise : done) EXPECT_NE(promise.get_future().get(), std::this_thread::get_id());
  }
}

TEST(ThreadPool, ATaskMayRunLoops) {
  ThreadPool pool(Threads(2));
  std::promise<int> sum;
  pool.Schedule([&] {
    std::atomic<int> added{0};
    For(pool, 10, [&](size_t i) { added.fetch_add(static_cast<int>(i)); });
    sum.set_value(added.load());
  });
  EXPECT_EQ(sum.get_future().get(), 45);
}

TEST(ThreadPool, EndsWithoutEverWorking) {
  for (int i = 0; i < 20; ++i) ThreadPool pool(Threads(8));
  SUCCEED();
}

TEST(ThreadPool, RefusesAffinitiesThatItDoesNotUnderstand) {
  ThreadPool::Options options = Threads(3);
  for (const char* text : {"1", "1;2;3", "0;1", "a;b", "3-1;2"}) {
    options.affinities = text;
    EXPECT_THROW(ThreadPool pool(options), Error) << text;
  }
  options.affinities = "1;1";
  ThreadPool pool(options);
  std::atomic<int> calls{0};
  For(pool, 5, [&](size_t) { calls.fetch_add(1); });
  EXPECT_EQ(calls.load(), 5);
}

TEST(ThreadPool, MakesNoMoreThreadsThanTheMachineCanUse) {
  EXPECT_GE(MaxThreadCount(), 256U);
  const ThreadPool pool(Threads(1'000'000));
  EXPECT_EQ(pool.size(), MaxThreadCount());
}

TEST(ThreadPool, ComputesInTheCallersFloatingPointMode) {
  ThreadPool pool(Threads(4));
  const uint64_t usual = FloatingPointMode();
  std::atomic<size_t> flushed{0};
  auto count = [&](size_t) {
    volatile float tiny = 1e-40F;
    flushed += tiny * 1.0F == 0.0F ? 1 : 0;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));  // so that the workers get some
  };
  {
    const DenormalsAsZero scope(true);
    For(pool, 32, count);
  }
  EXPECT_EQ(flushed.exchange(0), 32U);
  EXPECT_EQ(FloatingPointMode(), usual);
  For(pool, 32, count);
  EXPECT_EQ(flushed.load(), 0U);
}

}  // namespace
}  // namespace ortrun
