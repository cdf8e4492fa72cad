// SPDX-License-Identifier: Apache-2.0
// TopK, every version: k is an attribute until version 10, then an input.
#include <algorithm>
#include <functional>
#include <limits>

#include "plugins/cpu/kernels/common/ordered_key.h"
#include "plugins/cpu/kernels/sorting/sorting.h"

namespace ortrun::cpu {
namespace {

constexpr size_t kGrain = 8192;      ///< elements that pay for handing a task to another thread
constexpr size_t kHeapShare = 16;    ///< a heap of k is used where k is at most this part of the elements
constexpr size_t kSmallSlice = 64;   ///< shorter slices are sorted whole
constexpr size_t kFilterBlock = 16;  ///< elements compared with the worst of the best without a branch

/// An element's place in the order asked for, as one unsigned number: its key above, its index below, so that no two
/// are equal and the lower index wins among equal elements. The larger rank comes first.
template <typename T>
class Ranking {
 public:
  using Key = UnsignedOfSize<sizeof(T)>;
  __extension__ using Wide = unsigned __int128;
  using Rank = std::conditional_t<sizeof(T) <= 4, uint64_t, Wide>;
  using Index = std::conditional_t<sizeof(T) <= 4, uint32_t, uint64_t>;

  explicit Ranking(bool largest) : flip_(largest ? Key{0} : static_cast<Key>(~Key{0})) {}

  bool largest() const { return flip_ == 0; }

  Rank Of(T value, size_t index) const {
    const Key key = OrderedKey(value) ^ flip_;
    return (static_cast<Rank>(key) << kIndexBits) | static_cast<Index>(~static_cast<Index>(index));
  }
  static size_t IndexOf(Rank rank) { return static_cast<Index>(~static_cast<Index>(rank)); }

 private:
  static constexpr unsigned kIndexBits = 8 * sizeof(Index);
  Key flip_;
};

/// Whether one of `count` elements may come before `worst`; elements equal to it come later and do not.
template <typename T>
bool AnyBefore(const T* x, size_t count, T worst, bool largest) {
  if constexpr (std::is_arithmetic_v<T>) {
    int any = 0;
    if (largest)
      for (size_t i = 0; i < count; ++i) any |= static_cast<int>(!(x[i] <= worst));  // NaN is above all
    else
      for (size_t i = 0; i < count; ++i) any |= static_cast<int>(!(x[i] >= worst));
    return any != 0;
  } else {
    return true;
  }
}

/// The k best of n elements as a heap with the worst of them on top: most elements are not better and cost a compare.
template <typename T>
void SelectFew(const Ranking<T>& ranking, const T* x, size_t n, size_t k, typename Ranking<T>::Rank* ranks) {
  using Rank = typename Ranking<T>::Rank;
  const std::greater<Rank> before;
  for (size_t i = 0; i < k; ++i) ranks[i] = ranking.Of(x[i], i);
  std::make_heap(ranks, ranks + k, before);
  const auto worst = [&] { return x[Ranking<T>::IndexOf(ranks[0])]; };
  for (size_t first = k; first < n; first += kFilterBlock) {
    const size_t last = std::min(n, first + kFilterBlock);
    if (!AnyBefore(x + first, last - first, worst(), ranking.largest())) continue;
    for (size_t i = first; i < last; ++i) {
      if (!AnyBefore(x + i, 1, worst(), ranking.largest())) continue;
      const Rank rank = ranking.Of(x[i], i);
      if (rank <= ranks[0]) continue;
      std::pop_heap(ranks, ranks + k, before);
      ranks[k - 1] = rank;
      std::push_heap(ranks, ranks + k, before);
    }
  }
}

/// One slice of n elements. `ranks` has room for n; its first k become the answer.
template <typename T>
void SelectLargest(const Ranking<T>& ranking, const T* x, size_t n, size_t k, bool sorted,
                   typename Ranking<T>::Rank* ranks) {
  const std::greater<typename Ranking<T>::Rank> before;
  if (k <= n / kHeapShare) {
    SelectFew(ranking, x, n, k, ranks);
  } else {
    for (size_t i = 0; i < n; ++i) ranks[i] = ranking.Of(x[i], i);
    if (k < n && n <= kSmallSlice) return std::sort(ranks, ranks + n, before);
    if (k < n) std::nth_element(ranks, ranks + k, ranks + n, before);
  }
  if (sorted) std::sort(ranks, ranks + k, before);
}

class TopK : public Kernel {
 public:
  explicit TopK(const KernelInfo& info)
      : k_(info.SinceVersion() < 10 ? info.Int("k") : -1),
        axis_(info.Int("axis", -1)),
        largest_(info.Int("largest", 1) != 0),
        sorted_(info.Int("sorted", 1) != 0) {
    Require(info.SinceVersion() >= 10 || k_ > 0, "attribute k=", k_, " must be positive");
  }

  void Compute(KernelContext& context) const override {
    const Tensor x = context.Input(0);
    Require(x.rank() != 0, "the input must have at least rank 1");
    const size_t axis = NormalizeAxis(axis_, x.rank());
    Shape shape = x.shape();
    const int64_t extent = shape[axis];
    const int64_t k = Count(context);
    Require(k >= 0 && k <= extent, "k=", k, " must be in [0, ", extent, "], the length of axis ", axis);
    const auto outer = static_cast<size_t>(shape.Count(0, axis));
    const auto inner = static_cast<size_t>(shape.Count(axis + 1, shape.rank()));
    shape[axis] = k;
    const Tensor values = context.Output(0, shape);
    const Tensor indices = context.Output(1, shape);
    if (outer * inner == 0 || k == 0) return;
    DispatchType<NumbersAndHalf>(x.type(), [&]<typename T>(std::type_identity<T>) {
      Slices<T>(context, x.data<T>(), values ? values.data<T>() : nullptr, indices ? indices.data<int64_t>() : nullptr,
                {outer, static_cast<size_t>(extent), inner, static_cast<size_t>(k)});
    });
  }

 private:
  struct Extents {
    size_t outer, n, inner, k;
  };

  int64_t Count(const KernelContext& context) const {
    if (k_ >= 0) return k_;
    const Tensor given = context.Input(1);
    Require(given.type() == kTypeOf<int64_t> && given.count() == 1, "input k must hold one int64");
    return *given.data<int64_t>();
  }

  template <typename T>
  void Slices(KernelContext& context, const T* x, T* values, int64_t* indices, const Extents& size) const {
    using Rank = typename Ranking<T>::Rank;
    Require(size.n <= std::numeric_limits<uint32_t>::max(), "axis of ", size.n, " elements is too long");
    const Ranking<T> ranking(largest_);
    const size_t slices = size.outer * size.inner;
    const size_t blocks = std::clamp<size_t>(slices * size.n / kGrain, 1, std::min(slices, 2 * context.Concurrency()));
    Rank* memory = context.Scratch<Rank>(blocks * size.n);
    T* columns = context.Scratch<T>(size.inner == 1 ? 0 : blocks * size.n);
    context.ParallelFor(blocks, [&](size_t block) {
      Rank* ranks = memory + block * size.n;
      for (size_t slice = slices * block / blocks; slice < slices * (block + 1) / blocks; ++slice) {
        const size_t row = slice / size.inner, column = slice % size.inner;
        const T* from = x + row * size.n * size.inner + column;
        if (size.inner != 1) {  // a dense copy of the column
          T* dense = columns + block * size.n;
          for (size_t i = 0; i < size.n; ++i) dense[i] = from[i * size.inner];
          from = dense;
        }
        SelectLargest(ranking, from, size.n, size.k, sorted_, ranks);
        const size_t to = row * size.k * size.inner + column;
        for (size_t i = 0; i < size.k; ++i) {
          const size_t index = Ranking<T>::IndexOf(ranks[i]);
          if (values != nullptr) values[to + i * size.inner] = from[index];
          if (indices != nullptr) indices[to + i * size.inner] = static_cast<int64_t>(index);
        }
      }
    });
  }

  int64_t k_;  ///< -1 where it is an input
  int64_t axis_;
  bool largest_;
  bool sorted_;
};

}  // namespace

void RegisterTopK(KernelList& list) {
  list.Add({.op = "TopK", .types = {{"T", NumbersAndHalf::Values()}}, .make = MakeKernel<TopK>});
}

}  // namespace ortrun::cpu
