// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstring>
#include <string>

#include "plugins/cpu/kernels/common/element_mover.h"
#include "plugins/cpu/kernels/tensor/tensor.h"

namespace ortrun::cpu {
namespace {

/// Each output index along an axis names the input index that it shows; -1 is the constant.
class Pad : public Kernel {
 public:
  explicit Pad(const KernelInfo& info) : version_(info.SinceVersion()), mode_(info.String("mode", "constant")) {
    Require(mode_ == "constant" || mode_ == "reflect" || mode_ == "edge" || mode_ == "wrap", "attribute mode is \"",
            mode_, "\", it must be constant, reflect, edge or wrap");
    if (version_ >= 11) return;
    pads_ = info.Ints(version_ == 1 ? "paddings" : "pads");
    value_ = info.Float("value", 0);
  }

  void Compute(KernelContext& context) const override {
    const Tensor x = context.Input(0);
    const size_t rank = x.rank();
    Shape shape = x.shape();
    Shape before;
    for (size_t i = 0; i < rank; ++i) before.Append(0);
    ReadPads(context, before, shape);
    CheckedCount(shape.dims());
    std::array<std::vector<int64_t>, Shape::kMaxRank> maps;
    for (size_t i = 0; i < rank; ++i) maps[i] = Map(x.dim(i), shape[i], before[i]);
    const Tensor y = context.Output(0, shape);
    if (y.count() == 0) return;
    ElementMover mover(context, x.type());
    const void* from = mover.Input(x);
    void* to = mover.Output(y);
    const Tensor given = version_ >= 11 ? context.OptionalInput(2) : Tensor();
    Require(!given || given.count() == 1, "input constant_value must be a scalar");
    uint64_t zero[2] = {0, 0};
    if (version_ < 11) StoreValue(x.type(), zero);
    const void* constant = given                                              ? mover.Input(given)
                           : x.type() == ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING ? mover.EmptyString()
                                                                              : zero;
    DispatchSize(mover.size(), [&]<typename T>(std::type_identity<T>) {
      Fill(context, static_cast<const T*>(from), static_cast<T*>(to), *static_cast<const T*>(constant), x.shape(),
           shape, maps);
    });
    mover.Finish();
  }

 private:
  void StoreValue(ElementType type, void* to) const {
    DispatchType<NumbersAndHalf>(type, [&]<typename T>(std::type_identity<T>) {
      const auto value = static_cast<T>(value_);
      std::memcpy(to, &value, sizeof value);
    });
  }

  void ReadPads(const KernelContext& context, Shape& before, Shape& shape) const {
    const size_t rank = shape.rank();
    std::vector<int64_t> pads = version_ >= 11 ? ReadIntegers(context.Input(1)) : pads_;
    std::vector<int64_t> axes;
    const Tensor given = version_ >= 18 ? context.OptionalInput(3) : Tensor();
    if (given) {
      axes = ReadIntegers(given);
    } else {
      for (size_t i = 0; i < rank; ++i) axes.push_back(static_cast<int64_t>(i));
    }
    Require(pads.size() == 2 * axes.size(), "pads has ", pads.size(), " entries, ", 2 * axes.size(), " are needed");
    std::array<bool, Shape::kMaxRank> seen{};
    for (size_t i = 0; i < axes.size(); ++i) {
      const size_t axis = NormalizeAxis(axes[i], rank);
      Require(!seen[axis], "axis ", axis, " is named twice");
      seen[axis] = true;
      constexpr int64_t kMost = int64_t{1} << 48;
      const int64_t left = pads[i];
      const int64_t right = pads[i + axes.size()];
      Require(left > -kMost && left < kMost && right > -kMost && right < kMost, "pads along axis ", axis,
              " are too large");
      before[axis] = left;
      shape[axis] += left + right;
      Require(shape[axis] >= 0, "pads remove more than axis ", axis, " has");
    }
  }

  std::vector<int64_t> Map(int64_t extent, int64_t size, int64_t before) const {
    Require(size < (int64_t{1} << 40), "the padded dimension ", size, " is too large");
    std::vector<int64_t> map(static_cast<size_t>(size), -1);
    Require(mode_ == "constant" || extent > 0 || size == 0, "an empty dimension can only be padded with a constant");
    for (int64_t i = 0; i < size; ++i) {
      int64_t at = i - before;
      if (at < 0 || at >= extent) {
        if (mode_ == "constant") continue;
        if (mode_ == "edge") {
          at = std::clamp<int64_t>(at, 0, extent - 1);
        } else if (mode_ == "wrap") {
          at = (at % extent + extent) % extent;
        } else if (extent == 1) {
          at = 0;
        } else {
          const int64_t period = 2 * (extent - 1);
          at = (at % period + period) % period;
          if (at >= extent) at = period - at;
        }
      }
      map[static_cast<size_t>(i)] = at;
    }
    return map;
  }

  template <typename T>
  static void Fill(const KernelContext& context, const T* from, T* to, T constant, const Shape& x, const Shape& shape,
                   const std::array<std::vector<int64_t>, Shape::kMaxRank>& maps) {
    const size_t rank = shape.rank();
    if (rank == 0) {
      *to = *from;
      return;
    }
    const std::vector<int64_t>& row_map = maps[rank - 1];
    const auto row = static_cast<int64_t>(row_map.size());
    // The stretch of the row that shows the input in order is copied whole.
    const auto is_start = [&](int64_t i) { return row_map[static_cast<size_t>(i)] == 0; };
    int64_t first = 0;
    int64_t length = 0;
    for (int64_t i = 0; i < row; ++i) {
      if (i != 0 && !is_start(i)) continue;
      int64_t n = 1;
      if (row_map[static_cast<size_t>(i)] < 0) continue;
      while (i + n < row && row_map[static_cast<size_t>(i + n)] == row_map[static_cast<size_t>(i)] + n) ++n;
      if (n > length) {
        first = i;
        length = n;
      }
    }
    const auto rows = static_cast<size_t>(shape.Count(0, rank - 1));
    context.ParallelRange(rows, std::max<size_t>(1, (size_t{1} << 15) / static_cast<size_t>(row)),
                          [&](size_t begin, size_t end) {
                            for (size_t r = begin; r < end; ++r) {
                              T* out = to + static_cast<int64_t>(r) * row;
                              int64_t base = 0;
                              int64_t step = x[rank - 1];
                              auto rest = static_cast<int64_t>(r);
                              for (size_t axis = rank - 1; axis-- > 0;) {
                                const int64_t at = maps[axis][static_cast<size_t>(rest % shape[axis])];
                                rest /= shape[axis];
                                base = at < 0 || base < 0 ? -1 : base + at * step;
                                step *= x[axis];
                              }
                              if (base < 0) {
                                std::fill_n(out, row, constant);
                                continue;
                              }
                              const auto edge = [&](int64_t a, int64_t b) {
                                for (int64_t i = a; i < b; ++i) {
                                  const int64_t at = row_map[static_cast<size_t>(i)];
                                  out[i] = at < 0 ? constant : from[base + at];
                                }
                              };
                              edge(0, first);
                              if (length > 0)
                                std::copy_n(from + base + row_map[static_cast<size_t>(first)], length, out + first);
                              edge(first + length, row);
                            }
                          });
  }

  int version_;
  std::string mode_;
  std::vector<int64_t> pads_;
  float value_ = 0;
};

}  // namespace

void RegisterPad(KernelList& list) {
  list.Add({.op = "Pad", .since = 1, .until = 10, .types = {{"T", AllFloats::Values()}}, .make = MakeKernel<Pad>});
  list.Add({.op = "Pad", .since = 11, .types = {{"T", StoredTypes()}}, .make = MakeKernel<Pad>});
}

}  // namespace ortrun::cpu
