// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace ortrun::cpu {

/// The rows of all heads as they lie in memory: row r of head h of batch b starts at data + b * batch + h * head +
/// r * row, in elements. The elements of a row are neighbours.
template <typename T>
struct HeadsView {
  T* data = nullptr;
  size_t batch = 0;
  size_t head = 0;
  size_t row = 0;

  T* Row(size_t b, size_t h, size_t r) const { return data + b * batch + h * head + r * row; }
};

/// [batch, heads, length, size].
template <typename T>
HeadsView<T> HeadsFirst(T* data, size_t heads, size_t length, size_t size) {
  return {data, heads * length * size, length * size, size};
}

/// [batch, length, heads * size].
template <typename T>
HeadsView<T> RowsFirst(T* data, size_t heads, size_t length, size_t size) {
  return {data, heads * length * size, size, heads * size};
}

/// A mask on the scores [batch, heads, queries, keys], with steps in elements; a step of 0 repeats. Where it is
/// boolean, scores stay where it holds; else it is added. Where it ends early, the keys beyond are masked.
struct ScoreMask {
  const void* data = nullptr;  ///< bool, or the problem's element type; NULL: no mask
  bool boolean = false;
  size_t batch = 0;
  size_t head = 0;
  size_t row = 0;
  size_t column = 0;   ///< 0 or 1
  size_t columns = 0;  ///< keys that it covers

  size_t Offset(size_t b, size_t h, size_t r) const { return b * batch + h * head + r * row; }
};

/// Keys [begin, end).
struct KeyRange {
  size_t begin = 0;
  size_t end = 0;
};

/// Keys or values that are first put together: `past`, [batch, heads, past_rows, size], then `fresh`, into `present`,
/// [batch, heads, rows, size].
template <typename T>
struct AppendedRows {
  const T* past = nullptr;
  size_t past_rows = 0;
  HeadsView<const T> fresh;
  T* present = nullptr;  ///< NULL: nothing to be done

  /// Makes the rows [begin, end) of one head.
  void Make(size_t b, size_t h, size_t heads, size_t rows, size_t size, size_t begin, size_t end) const {
    if (present == nullptr) return;
    const size_t head = b * heads + h;
    T* to = present + (head * rows + begin) * size;
    if (begin < past_rows) {
      const size_t last = end < past_rows ? end : past_rows;
      to = std::copy(past + (head * past_rows + begin) * size, past + (head * past_rows + last) * size, to);
      begin = last;
    }
    for (; begin < end; ++begin) to = std::copy_n(fresh.Row(b, h, begin - past_rows), size, to);
  }
};

/// What an attention operator may hand out of its scores.
enum class ScoreStage : uint8_t { kProduct, kSoftcap, kMasked, kSoftmax };

/// The type in which a step leaves its result: the problem's element type, or one of fewer digits.
enum class StepType : uint8_t { kWide, kFloat16, kBFloat16 };

/// y = softmax(mask(softcap(scale q k^T))) v for each head. Query head h reads key and value head h / (heads /
/// kv_heads). A query that sees no key gives zeros. All memory is borrowed.
template <typename T>
struct AttentionProblem {
  size_t batch = 0;
  size_t heads = 0;
  size_t kv_heads = 0;  ///< divides heads
  size_t queries = 0;
  size_t keys = 0;
  size_t head_size = 0;
  size_t value_size = 0;
  HeadsView<const T> q;
  HeadsView<const T> k;
  HeadsView<const T> v;
  HeadsView<T> y;
  AppendedRows<T> k_rows;  ///< what is to be put together where k is read, before it is
  AppendedRows<T> v_rows;
  double scale = 1;
  double softcap = 0;  ///< scores become softcap * tanh(score / softcap); 0: they stay
  std::array<ScoreMask, 2> masks;
  /// Query i stands at `past` + i, or, with valid_keys, at valid_keys[b] - queries + i. It sees the keys from `left`
  /// before to `right` behind that place; -1 is no bound. With valid_keys, the keys from valid_keys[b] on are masked.
  size_t past = 0;
  int64_t left = -1;
  int64_t right = -1;
  const int64_t* valid_keys = nullptr;  ///< one per batch, in [0, keys]
  T* scores = nullptr;                  ///< [batch, heads, queries, keys] as they are after `stage`, or NULL
  ScoreStage stage = ScoreStage::kProduct;
  /// The type that results are rounded to as operators of that type for each step would leave them.
  StepType product_step = StepType::kWide;  ///< the products and the softmax; where it is wide the others are too
  StepType score_step = StepType::kWide;    ///< cap and masks
  StepType softmax_step = StepType::kWide;  ///< the steps inside the softmax, and what enters it
  T of_no_key = 0;                          ///< the weights of a row that masks leave no key

  /// Puts together keys and values [begin, end) of one head of theirs.
  void MakeRows(size_t b, size_t kv_head, size_t begin, size_t end) const {
    k_rows.Make(b, kv_head, kv_heads, keys, head_size, begin, end);
    v_rows.Make(b, kv_head, kv_heads, keys, value_size, begin, end);
  }

  size_t Group() const { return heads / kv_heads; }

  /// The keys that query `i` may see, the masks' values aside.
  KeyRange Visible(size_t b, size_t i) const {
    const auto all = static_cast<int64_t>(keys);
    const int64_t valid = valid_keys == nullptr ? all : valid_keys[b];
    const int64_t first = valid_keys == nullptr ? static_cast<int64_t>(past) : valid - static_cast<int64_t>(queries);
    const int64_t place = first + static_cast<int64_t>(i);
    // Bounds beyond the keys are no bounds; cutting them first keeps the sums in range.
    const int64_t wide = all + static_cast<int64_t>(queries) + static_cast<int64_t>(past);
    int64_t begin = left < 0 ? 0 : std::max<int64_t>(0, place - std::min(left, wide));
    int64_t end = right < 0 ? valid : std::min(valid, place + std::min(right, wide) + 1);
    for (const ScoreMask& mask : masks) {
      if (mask.data != nullptr) end = std::min(end, static_cast<int64_t>(mask.columns));
    }
    end = std::max<int64_t>(end, 0);
    begin = std::min(begin, end);
    return {static_cast<size_t>(begin), static_cast<size_t>(end)};
  }
};

}  // namespace ortrun::cpu
