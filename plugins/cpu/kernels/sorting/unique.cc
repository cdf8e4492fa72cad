// SPDX-License-Identifier: Apache-2.0
// Unique: of the elements, or of the slices along an axis. Every type is compared through unsigned keys that order as
// its elements do.
#include <algorithm>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "plugins/cpu/kernels/common/element_mover.h"
#include "plugins/cpu/kernels/common/ordered_key.h"
#include "plugins/cpu/kernels/sorting/sorting.h"

namespace ortrun::cpu {
namespace {

using Keyed = TypeList<float, double, int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t, Float16,
                       BFloat16, bool>;

/// Keys of strings: their places in sorted order, equal strings sharing one.
std::vector<uint64_t> StringKeys(const Host& host, const Tensor& tensor) {
  const std::vector<std::string> texts = ReadStrings(host, tensor);
  std::vector<size_t> order(texts.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return texts[a] < texts[b]; });
  std::vector<uint64_t> keys(texts.size());
  uint64_t key = 0;
  for (size_t i = 0; i < order.size(); ++i) {
    if (i != 0 && texts[order[i]] != texts[order[i - 1]]) ++key;
    keys[order[i]] = key;
  }
  return keys;
}

std::vector<uint64_t> KeysOf(const Host& host, const Tensor& tensor) {
  if (tensor.type() == ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING) return StringKeys(host, tensor);
  std::vector<uint64_t> keys(tensor.count());
  DispatchType<Keyed>(tensor.type(), [&]<typename T>(std::type_identity<T>) {
    for (size_t i = 0; i < keys.size(); ++i) keys[i] = OrderedKey(tensor.data<T>()[i]);
  });
  return keys;
}

/// Slices along an axis: slice i is the elements o * n * inner + i * inner + k of all o < outer, k < inner.
struct Slices {
  size_t outer = 1;
  size_t n = 0;
  size_t inner = 1;

  int Compare(const uint64_t* keys, size_t a, size_t b) const {
    for (size_t o = 0; o < outer; ++o)
      for (size_t k = 0; k < inner; ++k) {
        const uint64_t left = keys[(o * n + a) * inner + k];
        const uint64_t right = keys[(o * n + b) * inner + k];
        if (left != right) return left < right ? -1 : 1;
      }
    return 0;
  }
};

/// Equal slices make a group, listed by its first slice.
struct Groups {
  std::vector<size_t> first;
  std::vector<int64_t> count;
  std::vector<size_t> group_of;  ///< per slice
};

/// The slices in ascending order, equal ones by their index.
std::vector<size_t> SortedSlices(const Slices& slices, const std::vector<uint64_t>& keys) {
  std::vector<size_t> order(slices.n);
  if (slices.outer == 1 && slices.inner == 1) {
    std::vector<std::pair<uint64_t, size_t>> ranked(slices.n);
    for (size_t i = 0; i < slices.n; ++i) ranked[i] = {keys[i], i};
    std::sort(ranked.begin(), ranked.end());
    for (size_t i = 0; i < slices.n; ++i) order[i] = ranked[i].second;
    return order;
  }
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    const int sign = slices.Compare(keys.data(), a, b);
    return sign != 0 ? sign < 0 : a < b;
  });
  return order;
}

Groups FindGroups(const Slices& slices, const std::vector<uint64_t>& keys, bool sorted) {
  const std::vector<size_t> order = SortedSlices(slices, keys);
  Groups groups;
  groups.group_of.resize(slices.n);
  for (size_t i = 0; i < order.size(); ++i) {
    if (i == 0 || slices.Compare(keys.data(), order[i - 1], order[i]) != 0) {
      groups.first.push_back(order[i]);
      groups.count.push_back(0);
    }
    ++groups.count.back();
    groups.group_of[order[i]] = groups.first.size() - 1;
  }
  if (sorted) return groups;
  // In the order of first occurrence.
  std::vector<size_t> by_first(groups.first.size());
  std::iota(by_first.begin(), by_first.end(), size_t{0});
  std::sort(by_first.begin(), by_first.end(), [&](size_t a, size_t b) { return groups.first[a] < groups.first[b]; });
  Groups result;
  std::vector<size_t> place(by_first.size());
  for (size_t group : by_first) {
    place[group] = result.first.size();
    result.first.push_back(groups.first[group]);
    result.count.push_back(groups.count[group]);
  }
  for (size_t group : groups.group_of) result.group_of.push_back(place[group]);
  return result;
}

class Unique : public Kernel {
 public:
  explicit Unique(const KernelInfo& info)
      : sorted_(info.Int("sorted", 1) != 0), flat_(!info.HasAttribute("axis")), axis_(info.Int("axis", 0)) {}

  void Compute(KernelContext& context) const override {
    const Tensor x = context.Input(0);
    Shape shape = flat_ ? Shape{0} : x.shape();
    const size_t axis = flat_ ? 0 : NormalizeAxis(axis_, x.rank());
    const Slices slices{.outer = static_cast<size_t>(shape.Count(0, axis)),
                        .n = flat_ ? x.count() : static_cast<size_t>(shape[axis]),
                        .inner = static_cast<size_t>(shape.Count(axis + 1, shape.rank()))};
    const Groups groups = FindGroups(slices, KeysOf(context.host(), x), sorted_);
    const size_t found = groups.first.size();
    shape[axis] = static_cast<int64_t>(found);
    if (const Tensor y = context.Output(0, shape); y && y.count() != 0) {
      ElementMover mover(context, x.type());
      const auto* from = static_cast<const uint8_t*>(mover.Input(x));
      auto* to = static_cast<uint8_t*>(mover.Output(y));
      const size_t piece = slices.inner * mover.size();
      for (size_t o = 0; o < slices.outer; ++o)
        for (size_t i = 0; i < found; ++i)
          std::memcpy(to + (o * found + i) * piece, from + (o * slices.n + groups.first[i]) * piece, piece);
      mover.Finish();
    }
    Write(context, 1, groups.first);
    Write(context, 2, groups.group_of);
    Write(context, 3, groups.count);
  }

 private:
  template <typename I>
  static void Write(KernelContext& context, size_t output, const std::vector<I>& values) {
    if (output >= context.OutputCount()) return;
    const Tensor y = context.Output(output, Shape{static_cast<int64_t>(values.size())});
    if (!y) return;
    std::transform(values.begin(), values.end(), y.data<int64_t>(),
                   [](I value) { return static_cast<int64_t>(value); });
  }

  bool sorted_;
  bool flat_;
  int64_t axis_;
};

}  // namespace

void RegisterUnique(KernelList& list) {
  std::vector<ElementType> types = Keyed::Values();
  types.push_back(ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING);
  list.Add({.op = "Unique", .since = 11, .types = {{"T", types}}, .make = MakeKernel<Unique>});
}

}  // namespace ortrun::cpu
