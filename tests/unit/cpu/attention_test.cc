// SPDX-License-Identifier: Apache-2.0
#include <limits>

#include "plugins/cpu/attention/blocked_attention.h"
#include "tests/unit/cpu/loops_testing.h"

namespace ortrun::cpu {
namespace {

constexpr float kMasked = -std::numeric_limits<float>::infinity();

struct AttentionCase {
  size_t batch, heads, kv_heads, queries, keys, head_size, value_size;
  bool rows_first = false;
  bool boolean = false;
  bool added = false;
  size_t past = 0;
  int64_t left = -1;
  int64_t right = -1;
  double softcap = 0;
};

/// One row by the formula, in double.
std::vector<double> Reference(const AttentionProblem<float>& p, size_t b, size_t h, size_t i) {
  const size_t kv_head = h / p.Group();
  const KeyRange visible = p.Visible(b, i);
  std::vector<double> weights(p.keys);
  double largest = -std::numeric_limits<double>::infinity();
  for (size_t j = 0; j < p.keys; ++j) {
    double score = 0;
    for (size_t d = 0; d < p.head_size; ++d) {
      score += static_cast<double>(p.q.Row(b, h, i)[d]) * static_cast<double>(p.k.Row(b, kv_head, j)[d]);
    }
    score *= p.scale;
    if (p.softcap != 0) score = p.softcap * std::tanh(score / p.softcap);
    if (j < visible.begin || j >= visible.end) score = -std::numeric_limits<double>::infinity();
    for (const ScoreMask& mask : p.masks) {
      if (mask.data == nullptr) continue;
      const size_t at = mask.Offset(b, h, i) + j * mask.column;
      if (!mask.boolean) {
        score += static_cast<double>(static_cast<const float*>(mask.data)[at]);
      } else if (static_cast<const uint8_t*>(mask.data)[at] == 0) {
        score = -std::numeric_limits<double>::infinity();
      }
    }
    weights[j] = score;
    largest = std::max(largest, score);
  }
  double sum = 0;
  for (double& weight : weights) {
    weight = std::isinf(largest) ? 0 : std::exp(weight - largest);
    sum += weight;
  }
  std::vector<double> y(p.value_size);
  for (size_t j = 0; j < p.keys && sum != 0; ++j) {
    for (size_t d = 0; d < p.value_size; ++d) {
      y[d] += weights[j] / sum * static_cast<double>(p.v.Row(b, kv_head, j)[d]);
    }
  }
  return y;
}

std::vector<float> RunOn(const AttentionProblem<float>& p, const Parallel& parallel) {
  constexpr size_t kAlignment = 64;
  std::vector<char> scratch(BlockedAttentionScratch(p, parallel.threads) + kAlignment);
  const auto address = reinterpret_cast<uintptr_t>(scratch.data());
  RunBlockedAttention(p, scratch.data() + (kAlignment - address % kAlignment), parallel);
  return {p.y.data, p.y.data + p.batch * p.heads * p.queries * p.value_size};
}

void Check(const AttentionCase& c) {
  SCOPED_TRACE("heads " + std::to_string(c.heads) + "/" + std::to_string(c.kv_heads) + " queries " +
               std::to_string(c.queries) + " keys " + std::to_string(c.keys) + " size " + std::to_string(c.head_size) +
               "/" + std::to_string(c.value_size) + (c.rows_first ? " rows first" : ""));
  const GuardedArray q(c.batch * c.heads * c.queries * c.head_size, 1);
  const GuardedArray k(c.batch * c.kv_heads * c.keys * c.head_size, 2);
  const GuardedArray v(c.batch * c.kv_heads * c.keys * c.value_size, 3);
  GuardedArray y(c.batch * c.heads * c.queries * c.value_size, 4);
  const auto view = [&](auto* data, size_t heads, size_t rows, size_t size) {
    return c.rows_first ? RowsFirst(data, heads, rows, size) : HeadsFirst(data, heads, rows, size);
  };
  AttentionProblem<float> p;
  p.batch = c.batch;
  p.heads = c.heads;
  p.kv_heads = c.kv_heads;
  p.queries = c.queries;
  p.keys = c.keys;
  p.head_size = c.head_size;
  p.value_size = c.value_size;
  p.q = view(q.data(), c.heads, c.queries, c.head_size);
  p.k = view(k.data(), c.kv_heads, c.keys, c.head_size);
  p.v = view(v.data(), c.kv_heads, c.keys, c.value_size);
  p.y = view(y.data(), c.heads, c.queries, c.value_size);
  p.scale = 1.5;
  p.softcap = c.softcap;
  p.past = c.past;
  p.left = c.left;
  p.right = c.right;
  // One row of each mask leaves no key.
  std::vector<uint8_t> kept(c.queries * c.keys);
  for (size_t i = 0; i < kept.size(); ++i)
    kept[i] = i / c.keys == 1 || i % 7 == 3 ? 0 : static_cast<uint8_t>(i % 3 + 1);
  GuardedArray added(c.batch * c.heads * c.keys, 5);
  for (size_t i = 0; i < added.size(); i += 5) added.data()[i] = kMasked;
  if (c.boolean) p.masks[0] = {kept.data(), true, 0, 0, c.keys, 1, c.keys};
  if (c.added) p.masks[1] = {added.data(), false, c.heads * c.keys, c.keys, 0, 1, c.keys};

  const std::vector<float> alone = RunOn(p, Parallel());
  EXPECT_TRUE(y.Intact());
  for (size_t row = 0; row < c.batch * c.heads * c.queries; ++row) {
    const size_t b = row / (c.heads * c.queries), h = row / c.queries % c.heads, i = row % c.queries;
    const std::vector<double> expected = Reference(p, b, h, i);
    for (size_t d = 0; d < c.value_size; ++d) {
      ASSERT_NEAR(expected[d], static_cast<double>(p.y.Row(b, h, i)[d]), 1e-5) << "head " << h << " query " << i;
    }
  }
  EXPECT_EQ(alone, RunOn(p, Threads(3))) << "bits depend on the number of threads";
}

TEST(Attention, EveryLength) {
  ForEachTarget([] {
    for (const size_t queries : {1, 5, 7, 73, 150}) {
      for (const size_t keys : {1, 16, 33, 390, 800}) {
        for (const size_t size : {3, 16, 64, 80}) Check({2, 2, 1, queries, keys, size, size + 1, size == 64});
      }
    }
  });
}

TEST(Attention, Masks) {
  ForEachTarget([] {
    for (const size_t keys : {9, 450}) {
      for (const bool boolean : {false, true}) {
        Check({2, 4, 4, 6, keys, 8, 8, false, boolean, true});
        Check({1, 3, 3, 90, keys, 16, 16, true, boolean, !boolean, 0, -1, -1, 2.0});
        Check({1, 2, 1, 90, keys, 16, 16, true, boolean, true, 7, -1, 0});
        Check({1, 2, 2, 90, keys, 16, 16, false, boolean, true, 300, 20, 5});
        Check({1, 2, 2, 4, keys, 16, 16, false, boolean, false, 300, 20, -1});
      }
    }
  });
}

/// Past and fresh rows put together by the run give the bits of those that lie together.
TEST(Attention, AppendsRows) {
  constexpr size_t kHeads = 3, kSize = 16;
  for (const size_t queries : {1, 200}) {
    for (const size_t past : {0, 5, 700}) {
      SCOPED_TRACE("queries " + std::to_string(queries) + " past " + std::to_string(past));
      const size_t fresh = 40, keys = past + fresh;
      const GuardedArray q(kHeads * queries * kSize, 1), before(kHeads * past * kSize, 2), k(kHeads * fresh * kSize, 3);
      std::vector<float> wanted;
      for (size_t h = 0; h < kHeads; ++h) {
        wanted.insert(wanted.end(), before.data() + h * past * kSize, before.data() + (h + 1) * past * kSize);
        for (size_t r = 0; r < fresh; ++r) {
          const float* row = k.data() + (r * kHeads + h) * kSize;
          wanted.insert(wanted.end(), row, row + kSize);
        }
      }
      GuardedArray y(q.size(), 4), present_k(kHeads * keys * kSize, 5), present_v(kHeads * keys * kSize, 6);
      AttentionProblem<float> p;
      p.batch = 1;
      p.heads = p.kv_heads = kHeads;
      p.queries = queries;
      p.keys = keys;
      p.head_size = p.value_size = kSize;
      p.q = HeadsFirst(q.data(), kHeads, queries, kSize);
      p.k = p.v = HeadsFirst<const float>(wanted.data(), kHeads, keys, kSize);
      p.y = HeadsFirst(y.data(), kHeads, queries, kSize);
      const std::vector<float> expected = RunOn(p, Parallel());
      for (const size_t threads : {1, 2}) {
        p.k = HeadsFirst<const float>(present_k.data(), kHeads, keys, kSize);
        p.v = HeadsFirst<const float>(present_v.data(), kHeads, keys, kSize);
        p.k_rows = {before.data(), past, RowsFirst(k.data(), kHeads, fresh, kSize), present_k.data()};
        p.v_rows = {before.data(), past, RowsFirst(k.data(), kHeads, fresh, kSize), present_v.data()};
        EXPECT_EQ(expected, RunOn(p, threads == 1 ? Parallel() : Threads(threads)));
        EXPECT_TRUE(std::equal(wanted.begin(), wanted.end(), present_k.data()) && present_k.Intact());
        EXPECT_TRUE(std::equal(wanted.begin(), wanted.end(), present_v.data()) && present_v.Intact());
      }
    }
  }
}

TEST(Attention, NoKeysGiveZeros) { Check({1, 2, 2, 5, 0, 8, 8}); }

}  // namespace
}  // namespace ortrun::cpu
