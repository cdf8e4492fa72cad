// SPDX-License-Identifier: Apache-2.0
#include "plugins/cpu/attention/blocked_attention.h"

#include <algorithm>
#include <cstring>

#include "plugins/cpu/attention/score_rows.h"
#include "plugins/cpu/gemm/blocks.h"
#include "plugins/cpu/gemm/gemm.h"

namespace ortrun::cpu {
namespace {

/// Keys in a block: keys and values of one, packed, stay in the second cache beside the scores.
constexpr size_t kBlockKeys = 384;
/// Queries in a block: a multiple of the rows of most tiles.
constexpr size_t kBlockRows = 72;
/// Up to so many rows, keys and values are read in place: packing would cost more than it saves.
constexpr size_t kRowsInPlace = 6;
/// Multiply-adds that pay for handing a task to another thread.
constexpr size_t kTaskWork = size_t{1} << 17;

constexpr size_t RoundUp(size_t value, size_t unit) { return (value + unit - 1) / unit * unit; }
constexpr size_t Bytes(size_t floats) { return RoundUp(floats * sizeof(float), 64); }

/// How the work is cut. The rows of a unit are query rows of the heads that share one head of keys: row r is query
/// r % queries of head r / queries of the group.
struct Cut {
  size_t rows;        ///< of one head of keys
  size_t row_parts;   ///< units per head of keys
  size_t units;       ///< batch * kv_heads * row_parts
  size_t tasks;       ///< each runs a range of units on scratch of its own
  size_t key_blocks;  ///< at least 1
  size_t block_keys;  ///< most keys in a block
  bool in_place;

  Cut(const AttentionProblem<float>& p, size_t threads) {
    rows = p.Group() * p.queries;
    in_place = rows <= kRowsInPlace;
    const size_t shared = p.batch * p.kv_heads;
    // Each part of a head packs keys and values again, so heads are cut only where they are too few for the threads.
    row_parts = 1;
    if (threads > 1 && shared % threads != 0 && shared < 4 * threads) {
      row_parts = std::clamp<size_t>((4 * threads + shared - 1) / shared, 1, std::max<size_t>(1, rows / kBlockRows));
    }
    units = shared * row_parts;
    const size_t work = units * (rows / row_parts + 1) * (p.keys + 1) * (p.head_size + p.value_size);
    tasks = threads <= 1 ? 1 : std::clamp<size_t>(work / kTaskWork, 1, std::min(units, 4 * threads));
    key_blocks = std::max<size_t>(1, (p.keys + kBlockKeys - 1) / kBlockKeys);
    block_keys = (p.keys + key_blocks - 1) / key_blocks;
  }

  size_t MostRows() const { return rows / row_parts + 1; }
  size_t BlockRows() const { return std::min(MostRows(), kBlockRows); }
};

/// One task's memory; without any, only its size counts. A row of scores is one line longer than it needs, so that rows
/// of 256 or 384 keys do not all fall into the same sets of the cache.
struct Workspace {
  float* keys;
  float* values;
  float* scores;
  size_t score_ld;
  float* products;
  SoftmaxState* states;
  size_t bytes;

  Workspace(const AttentionProblem<float>& p, const Cut& cut, void* memory)
      : score_ld(RoundUp(cut.block_keys, 16) + 16) {
    bytes = 0;
    const auto take = [&](size_t size) {
      char* const taken = memory == nullptr ? nullptr : static_cast<char*>(memory) + bytes;
      bytes += RoundUp(size, 64);
      return taken;
    };
    keys = reinterpret_cast<float*>(take(cut.in_place ? 0 : PackedBSize(p.head_size, cut.block_keys)));
    values = reinterpret_cast<float*>(take(cut.in_place ? 0 : PackedBSize(cut.block_keys, p.value_size)));
    scores = reinterpret_cast<float*>(take(Bytes(cut.BlockRows() * score_ld)));
    products = reinterpret_cast<float*>(take(Bytes(cut.BlockRows() * p.value_size)));
    states = reinterpret_cast<SoftmaxState*>(take(cut.MostRows() * sizeof(SoftmaxState)));
  }
};

/// The masks of one row over keys [begin, end), on their scores.
void MaskRow(const AttentionProblem<float>& p, size_t b, size_t h, size_t i, size_t begin, size_t end, float* x) {
  for (const ScoreMask& mask : p.masks) {
    if (mask.data == nullptr) continue;
    const size_t n = end - begin;
    const size_t at = mask.Offset(b, h, i) + begin * mask.column;
    const auto* bytes = static_cast<const uint8_t*>(mask.data) + at;
    const auto* floats = static_cast<const float*>(mask.data) + at;
    if (mask.column != 0) {
      if (mask.boolean) {
        SelectMask(bytes, x, n);
      } else {
        AddMask(floats, x, n);
      }
    } else if (mask.boolean ? *bytes == 0 : *floats == -std::numeric_limits<float>::infinity()) {
      std::fill_n(x, n, -std::numeric_limits<float>::infinity());
    } else if (!mask.boolean) {
      for (size_t j = 0; j < n; ++j) x[j] += *floats;
    }
  }
}

/// The rows [begin, end) of one head of keys.
class Unit {
 public:
  Unit(const AttentionProblem<float>& problem, const Cut& cut, const Workspace& space, size_t index)
      : p_(problem), cut_(cut), space_(space), kernels_(BestMicroKernels()) {
    const size_t shared = index / cut.row_parts;
    batch_ = shared / p_.kv_heads;
    kv_head_ = shared % p_.kv_heads;
    rows_ = PartOf(cut.rows, cut.row_parts, index % cut.row_parts);
  }

  void Run() {
    const size_t count = rows_.end - rows_.begin;
    std::fill_n(space_.states, count, SoftmaxState{});
    const size_t blocks = std::max<size_t>(1, (count + kBlockRows - 1) / kBlockRows);
    for (size_t key_block = 0; key_block < cut_.key_blocks; ++key_block) {
      keys_ = PartOf(p_.keys, cut_.key_blocks, key_block);
      packed_ = false;
      // Rows are copied right before they are read, while they are in cache.
      if (cut_.row_parts == 1) p_.MakeRows(batch_, kv_head_, keys_.begin, keys_.end);
      for (size_t block = 0; block < blocks; ++block) {
        const Range part = PartOf(count, blocks, block);
        RunRows(rows_.begin + part.begin, part.end - part.begin);
      }
    }
  }

 private:
  size_t Head(size_t row) const { return kv_head_ * p_.Group() + row / p_.queries; }
  size_t Query(size_t row) const { return row % p_.queries; }

  void Pack() {
    if (packed_ || cut_.in_place) return;
    const size_t count = keys_.end - keys_.begin;
    PackB(true, p_.head_size, count, p_.k.Row(batch_, kv_head_, keys_.begin), p_.k.row, space_.keys, Parallel());
    PackB(false, count, p_.value_size, p_.v.Row(batch_, kv_head_, keys_.begin), p_.v.row, space_.values, Parallel());
    packed_ = true;
  }

  /// One block of rows against the present block of keys.
  void RunRows(size_t first, size_t count) {
    KeyRange visible[kBlockRows];
    KeyRange any{p_.keys, 0};
    for (size_t r = 0; r < count; ++r) {
      visible[r] = p_.Visible(batch_, Query(first + r));
      if (visible[r].begin == visible[r].end) continue;
      any.begin = std::min(any.begin, visible[r].begin);
      any.end = std::max(any.end, visible[r].end);
    }
    if (any.begin >= any.end) {
      if (keys_.begin == 0) {
        for (size_t r = 0; r < count; ++r) std::fill_n(Output(first + r), p_.value_size, 0.0F);
      }
      return;
    }
    if (any.end <= keys_.begin || any.begin >= keys_.end) return;
    Pack();
    const size_t columns = std::min(keys_.end, any.end) - keys_.begin;
    Score(first, count, columns);
    float keep[kBlockRows];
    for (size_t r = 0; r < count; ++r)
      keep[r] = Softmax(first + r, visible[r], columns, space_.scores + r * space_.score_ld);
    MultiplyValues(count, columns);
    const bool starts = any.begin >= keys_.begin;
    const bool ends = any.end <= keys_.end;
    for (size_t r = 0; r < count; ++r) {
      const float sum = State(first + r).sum;
      const float factor = !ends ? 1.0F : sum == 0 ? p_.of_no_key : 1.0F / sum;
      BlendRow(space_.products + r * p_.value_size, starts ? 0.0F : keep[r], factor, Output(first + r), p_.value_size);
    }
  }

  float* Output(size_t row) const { return p_.y.Row(batch_, Head(row), Query(row)); }
  SoftmaxState& State(size_t row) const { return space_.states[row - rows_.begin]; }

  /// The scores of the first `columns` keys of the block, times the scale.
  void Score(size_t first, size_t count, size_t columns) {
    const float* queries[kBlockRows];
    for (size_t r = 0; r < count; ++r) queries[r] = p_.q.Row(batch_, Head(first + r), Query(first + r));
    if (cut_.in_place) {
      const float* keys = p_.k.Row(batch_, kv_head_, keys_.begin);
      for (size_t r = 0; r < count; ++r) {
        float* scores = space_.scores + r * space_.score_ld;
        kernels_.dots(columns, p_.head_size, queries[r], keys, p_.k.row, scores);
        ScaleScores(static_cast<float>(p_.scale), 0.0F, scores, columns);
      }
      return;
    }
    const PanelLayout layout(kernels_, keys_.end - keys_.begin);
    size_t last = 1;
    while (last < layout.panels && PartOf(layout.vectors, layout.panels, last).begin * layout.lanes < columns) ++last;
    RunBlock(kernels_, layout, {space_.keys, 0, p_.head_size},
             Product(queries, count, p_.head_size, static_cast<float>(p_.scale), space_.scores, space_.score_ld), 0,
             last);
  }

  /// Scores to exponentials; zeros where the row sees no key. Answers the factor for what the row has so far.
  float Softmax(size_t row, KeyRange visible, size_t columns, float* scores) {
    const size_t end = keys_.begin + columns;
    const size_t from = std::clamp(visible.begin, keys_.begin, end);
    const size_t to = std::clamp(visible.end, from, end);
    std::fill_n(scores, from - keys_.begin, 0.0F);
    std::fill(scores + (to - keys_.begin), scores + columns, 0.0F);
    if (from == to) return 1.0F;
    float* x = scores + (from - keys_.begin);
    if (p_.softcap != 0) ScaleScores(1.0F, static_cast<float>(p_.softcap), x, to - from);
    MaskRow(p_, batch_, Head(row), Query(row), from, to, x);
    return FoldSoftmax(x, to - from, State(row));
  }

  void MultiplyValues(size_t count, size_t columns) {
    const float* rows[kBlockRows];
    for (size_t r = 0; r < count; ++r) rows[r] = space_.scores + r * space_.score_ld;
    const PanelLayout layout(kernels_, p_.value_size);
    const size_t keys = keys_.end - keys_.begin;
    const PanelMatrix values = cut_.in_place ? PanelMatrix{p_.v.Row(batch_, kv_head_, keys_.begin), p_.v.row, keys}
                                             : PanelMatrix{space_.values, 0, keys};
    RunBlock(kernels_, layout, values, Product(rows, count, columns, 1.0F, space_.products, p_.value_size), 0,
             layout.panels);
  }

  static Block Product(const float* const* a, size_t rows, size_t length, float alpha, float* c, size_t ldc) {
    Block block{};
    block.a = a;
    block.a_pitch = kBlockRows;
    block.rows = rows;
    block.taps = 1;
    block.length = length;
    block.c = c;
    block.ldc = ldc;
    block.alpha = alpha;
    return block;
  }

  const AttentionProblem<float>& p_;
  const Cut& cut_;
  const Workspace& space_;
  const MicroKernels& kernels_;
  size_t batch_ = 0;
  size_t kv_head_ = 0;
  Range rows_{};
  Range keys_{};
  bool packed_ = false;
};

}  // namespace

size_t BlockedAttentionScratch(const AttentionProblem<float>& problem, size_t threads) {
  const Cut cut(problem, threads);
  return cut.tasks * Workspace(problem, cut, nullptr).bytes;
}

void RunBlockedAttention(const AttentionProblem<float>& problem, void* scratch, const Parallel& parallel) {
  const Cut cut(problem, parallel.threads);
  const size_t each = Workspace(problem, cut, nullptr).bytes;
  if (cut.row_parts != 1) {
    parallel.For(problem.batch * problem.kv_heads, [&](size_t head) {
      problem.MakeRows(head / problem.kv_heads, head % problem.kv_heads, 0, problem.keys);
    });
  }
  parallel.For(cut.tasks, [&](size_t task) {
    const Workspace space(problem, cut, static_cast<char*>(scratch) + task * each);
    const Range units = PartOf(cut.units, cut.tasks, task);
    for (size_t unit = units.begin; unit < units.end; ++unit) Unit(problem, cut, space, unit).Run();
  });
}

}  // namespace ortrun::cpu
