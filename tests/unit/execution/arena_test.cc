// SPDX-License-Identifier: Apache-2.0
#include "core/execution/arena.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <thread>
#include <vector>

#include "core/execution/memory.h"

namespace ortrun {
namespace {

/// Hands out the process's memory and counts it.
struct CountingAllocator : OrtAllocator {
  int live = 0;
  int taken = 0;
  CountingAllocator() : OrtAllocator{} {
    version = ORT_API_VERSION;
    OrtAllocator::Alloc = [](OrtAllocator* self, size_t bytes) -> void* {
      auto& counting = *static_cast<CountingAllocator*>(self);
      ++counting.live;
      ++counting.taken;
      return CpuAllocator().Alloc(&CpuAllocator(), bytes);
    };
    OrtAllocator::Free = [](OrtAllocator* self, void* memory) {
      --static_cast<CountingAllocator*>(self)->live;
      CpuAllocator().Free(&CpuAllocator(), memory);
    };
    OrtAllocator::Info = [](const OrtAllocator*) { return &CpuMemoryInfo(); };
  }
};

TEST(Arena, KeepsFreedBlocksForTheirSize) {
  const auto base = std::make_shared<CountingAllocator>();
  const auto arena = Arena::Make(base);
  void* first = arena->Alloc(arena.get(), 1000);
  arena->Free(arena.get(), first);
  EXPECT_EQ(arena->Alloc(arena.get(), 1000), first);
  EXPECT_EQ(base->taken, 1);
  void* other = arena->Alloc(arena.get(), 100000);
  EXPECT_EQ(base->taken, 2);
  arena->Free(arena.get(), other);
  arena->Free(arena.get(), first);
  arena->Free(arena.get(), nullptr);
  EXPECT_EQ(base->live, 2);
  arena->TrimCache();
  EXPECT_EQ(base->live, 0);
}

TEST(Arena, GivesEverythingBackAtTheEnd) {
  const auto base = std::make_shared<CountingAllocator>();
  {
    auto arena = Arena::Make(base);
    auto block = Allocate(arena, 5000);
    arena.reset();  // the block keeps it
    std::memset(block.get(), 1, 5000);
  }
  EXPECT_EQ(base->live, 0);
}

TEST(Arena, BlocksAreAlignedAndLargeEnough) {
  const auto arena = Arena::Make(std::make_shared<CountingAllocator>());
  std::mt19937 random(1);
  std::vector<std::pair<char*, size_t>> blocks;
  for (int i = 0; i < 300; ++i) {
    const size_t bytes = i < 10 ? static_cast<size_t>(i) : random() % 20000;
    auto* block = static_cast<char*>(arena->Alloc(arena.get(), bytes));
    ASSERT_NE(block, nullptr);
    ASSERT_EQ(reinterpret_cast<uintptr_t>(block) % kAlignment, 0u);
    std::memset(block, i & 0x7f, bytes);
    blocks.emplace_back(block, bytes);
    if (i % 3 != 2) continue;
    const auto [victim, size] = blocks[blocks.size() / 2];
    for (size_t k = 1; k < size; ++k) ASSERT_EQ(victim[k], victim[0]) << "two blocks overlap";
    blocks.erase(blocks.begin() + static_cast<ptrdiff_t>(blocks.size() / 2));
    arena->Free(arena.get(), victim);
  }
  for (const auto& [block, bytes] : blocks) arena->Free(arena.get(), block);
}

TEST(Arena, RefusesWhatCannotBe) {
  const auto arena = Arena::Make(std::make_shared<CountingAllocator>());
  EXPECT_EQ(arena->Alloc(arena.get(), SIZE_MAX), nullptr);
  EXPECT_EQ(arena->Alloc(arena.get(), size_t{1} << 62), nullptr);
  int not_of_the_arena = 0;
  arena->Free(arena.get(), &not_of_the_arena);
}

TEST(Arena, ServesSeveralThreads) {
  const auto base = std::make_shared<std::shared_ptr<OrtAllocator>>(&CpuAllocator(), [](OrtAllocator*) {});
  const auto arena = Arena::Make(*base);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&arena, t] {
      for (int i = 0; i < 500; ++i) {
        auto* block = static_cast<char*>(arena->Alloc(arena.get(), 512));
        std::memset(block, t, 512);
        for (int k = 0; k < 512; ++k) ASSERT_EQ(block[k], t);
        arena->Free(arena.get(), block);
      }
    });
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace ortrun
