// SPDX-License-Identifier: Apache-2.0
// LayerNormalization, RMSNormalization and the forms that add a residual first (Skip...), each row in one pass while
// it is in the cache.

#include <algorithm>

#include "ortrun/kernel.h"
#include "plugins/cpu/kernels/common/broadcast.h"
#include "plugins/cpu/kernels/common/float_view.h"
#include "plugins/cpu/kernels/normalization/double_rows.h"
#include "plugins/cpu/kernels/normalization/float_rows.h"
#include "plugins/cpu/kernels/normalization/normalization.h"

namespace ortrun::cpu {
namespace {

constexpr size_t kGrain = 8192;

/// A scale or bias that is walked along with the rows: `step` is 0 when all rows share its numbers.
template <typename T>
struct RowOperand {
  const T* data = nullptr;
  size_t step = 0;
  const T* Row(size_t row) const { return data == nullptr ? nullptr : data + row * step; }
};

/// Broadcasts `values` to the rows' shape, or to the whole input where it differs from row to row.
template <typename T>
RowOperand<T> MakeRowOperand(KernelContext& context, const Tensor& tensor, const T* values, const Shape& input,
                             size_t axis) {
  if (!tensor) return {};
  const Shape row(input.dims().subspan(axis));
  const Shape own = tensor.shape();
  if (own == row) return {values, 0};
  const size_t row_rank = row.rank();
  bool shared = true;
  for (size_t i = 0; i + row_rank < own.rank(); ++i) shared = shared && own[i] == 1;
  Shape target = input;
  if (shared) target = row;
  const Shape flat = shared && own.rank() > row_rank ? Shape(own.dims().subspan(own.rank() - row_rank)) : own;
  const BroadcastLoop loop({target.dims(), flat.dims()});
  Require(loop.shape() == target, "scale and bias must broadcast to the normalised axes");
  T* expanded = context.Scratch<T>(static_cast<size_t>(target.Count()));
  loop.ForEachRun(context, kGrain, [&](size_t at, size_t length, const BroadcastLoop::Offsets& offsets) {
    if (loop.steps(1))
      std::copy_n(values + offsets[1], length, expanded + at);
    else
      std::fill_n(expanded + at, length, values[offsets[1]]);
  });
  return {expanded, shared ? 0 : static_cast<size_t>(row.Count())};
}

/// The double form of NormalizeRow.
void NormalizeDoubles(const double* x, const double* scale, const double* bias, bool centred, double epsilon, double* y,
                      size_t n, float* mean_out, float* inverse_out) {
  const auto [mean, rest, inverse] = MeasureDoubles(x, centred, epsilon, n);
  for (size_t i = 0; i < n; ++i)
    y[i] = (x[i] - mean) * inverse * (scale == nullptr ? 1.0 : scale[i]) + (bias == nullptr ? 0.0 : bias[i]);
  if (mean_out != nullptr) *mean_out = static_cast<float>(mean);
  if (inverse_out != nullptr) *inverse_out = static_cast<float>(inverse);
}

/// Outputs after the first hold one number a row, in float or in the input's type.
class StatisticOutput {
 public:
  StatisticOutput(KernelContext& context, size_t index, const Shape& shape, size_t rows)
      : tensor_(index < context.OutputCount() ? context.Output(index, shape) : Tensor()) {
    if (tensor_) data_ = tensor_.type() == kTypeOf<float> ? tensor_.data<float>() : context.Scratch<float>(rows);
  }
  float* At(size_t row) const { return data_ == nullptr ? nullptr : data_ + row; }
  void Finish() const {
    if (data_ == nullptr || tensor_.type() == kTypeOf<float>) return;
    DispatchType<TypeList<double, Float16, BFloat16>>(tensor_.type(), [&](auto type) {
      using T = typename decltype(type)::type;
      for (size_t i = 0; i < tensor_.count(); ++i) tensor_.data<T>()[i] = T(data_[i]);
    });
  }

 private:
  Tensor tensor_;
  float* data_ = nullptr;
};

template <bool kCentred>
class LayerNormalization : public Kernel {
 public:
  explicit LayerNormalization(const KernelInfo& info)
      : axis_(info.Int("axis", -1)), epsilon_(info.Float("epsilon", 1e-5f)) {}

  void Compute(KernelContext& context) const override {
    const Tensor x = context.Input(0);
    const Tensor scale = context.Input(1);
    const Tensor bias = kCentred ? context.OptionalInput(2) : Tensor();
    const Shape shape = x.shape();
    const size_t axis = NormalizeAxis(axis_, shape.rank());
    const auto rows = static_cast<size_t>(shape.Count(0, axis));
    const auto n = static_cast<size_t>(shape.Count(axis, shape.rank()));
    Shape statistics = shape;
    for (size_t i = axis; i < shape.rank(); ++i) statistics[i] = 1;

    const Tensor y = context.Output(0, shape);
    const StatisticOutput first(context, 1, statistics, rows);
    const StatisticOutput second(context, 2, statistics, rows);
    const StatisticOutput& mean = first;
    const StatisticOutput& inverse = kCentred ? second : first;
    if (x.count() == 0) return;
    if (x.type() == kTypeOf<double>) {
      Require(scale.type() == kTypeOf<double> && (!bias || bias.type() == kTypeOf<double>),
              "scale and bias must have the input's type");
      const auto s = MakeRowOperand(context, scale, scale.data<double>(), shape, axis);
      const auto b = MakeRowOperand(context, bias, bias ? bias.data<double>() : nullptr, shape, axis);
      for (size_t row = 0; row < rows; ++row)
        NormalizeDoubles(x.data<double>() + row * n, s.Row(row), b.Row(row), kCentred, static_cast<double>(epsilon_),
                         y.data<double>() + row * n, n, kCentred ? mean.At(row) : nullptr, inverse.At(row));
    } else {
      const float* from = ReadFloats(context, x);
      const auto s = MakeRowOperand(context, scale, ReadFloats(context, scale), shape, axis);
      const auto b = MakeRowOperand(context, bias, ReadFloats(context, bias), shape, axis);
      const FloatOutput to(context, y);
      context.ParallelRange(rows, std::max<size_t>(1, kGrain / n), [&](size_t begin, size_t end) {
        for (size_t row = begin; row < end; ++row) {
          const RowStatistics found =
              NormalizeRow(from + row * n, s.Row(row), b.Row(row), kCentred, epsilon_, to.data() + row * n, n);
          if (kCentred && mean.At(row) != nullptr) *mean.At(row) = found.mean;
          if (inverse.At(row) != nullptr) *inverse.At(row) = found.inverse_std;
        }
      });
      to.Finish();
    }
    first.Finish();
    second.Finish();
  }

 private:
  int64_t axis_;
  float epsilon_;
};

/// output = normalise(input + skip + bias); inputs are (input, skip, gamma, beta, bias), without beta when not centred.
template <bool kCentred>
class SkipLayerNormalization : public Kernel {
 public:
  explicit SkipLayerNormalization(const KernelInfo& info) : epsilon_(info.Float("epsilon", 1e-12f)) {}

  void Compute(KernelContext& context) const override {
    const Tensor x = context.Input(0);
    const Tensor skip = context.Input(1);
    const Tensor gamma = context.Input(2);
    const Tensor beta = kCentred ? context.OptionalInput(3) : Tensor();
    const Tensor bias = context.OptionalInput(kCentred ? 4 : 3);
    const Shape shape = x.shape();
    Require(shape.rank() == 2 || shape.rank() == 3, "input must have 2 or 3 dimensions, has ", shape.rank());
    const auto n = static_cast<size_t>(shape[shape.rank() - 1]);
    const size_t rows = static_cast<size_t>(shape.Count(0, shape.rank() - 1));
    for (const Tensor& row : {gamma, beta, bias})
      Require(!row || row.count() == n, "gamma, beta and bias must have ", n, " elements");
    // The skip may lack the batch: it repeats then.
    Require(skip.count() == x.count() || (skip.count() != 0 && skip.rank() >= 2 && x.count() % skip.count() == 0 &&
                                          skip.dim(skip.rank() - 1) == shape[shape.rank() - 1]),
            "skip must have the input's shape or repeat over its batch");
    const size_t skip_rows = n == 0 ? 0 : skip.count() / n;

    Shape statistics = shape;
    statistics[shape.rank() - 1] = 1;
    const Tensor y = context.Output(0, shape);
    const StatisticOutput mean(context, 1, statistics, rows);
    const StatisticOutput inverse(context, 2, statistics, rows);
    const Tensor sum = context.OutputCount() > 3 ? context.Output(3, shape) : Tensor();
    if (x.count() == 0) return;
    const float* from = ReadFloats(context, x);
    const float* other = ReadFloats(context, skip);
    const float* g = ReadFloats(context, gamma);
    const float* b = ReadFloats(context, beta);
    const float* added = ReadFloats(context, bias);
    const FloatOutput to(context, y);
    const FloatOutput sums(context, sum);
    context.ParallelRange(rows, std::max<size_t>(1, kGrain / n), [&](size_t begin, size_t end) {
      for (size_t row = begin; row < end; ++row) {
        float* out = to.data() + row * n;
        float* total = sums.data() == nullptr ? out : sums.data() + row * n;
        AddRows(from + row * n, other + row % skip_rows * n, added, total, n);
        const RowStatistics found = NormalizeRow(total, g, b, kCentred, epsilon_, out, n);
        if (mean.At(row) != nullptr) *mean.At(row) = found.mean;
        if (inverse.At(row) != nullptr) *inverse.At(row) = found.inverse_std;
      }
    });
    to.Finish();
    sums.Finish();
    mean.Finish();
    inverse.Finish();
  }

 private:
  float epsilon_;
};

}  // namespace

void RegisterLayerNormalization(KernelList& list) {
  const auto all = AllFloats::Values();
  const auto half = FloatAndHalf::Values();
  list.Add({.op = "LayerNormalization", .types = {{"T", all}}, .make = MakeKernel<LayerNormalization<true>>});
  list.Add({.op = "RMSNormalization", .types = {{"T", all}}, .make = MakeKernel<LayerNormalization<false>>});
  list.Add(
      {.op = "SimplifiedLayerNormalization", .types = {{"T", all}}, .make = MakeKernel<LayerNormalization<false>>});
  list.Add({.domain = "com.microsoft",
            .op = "SkipLayerNormalization",
            .types = {{"T", half}},
            .make = MakeKernel<SkipLayerNormalization<true>>});
  list.Add({.domain = "com.microsoft",
            .op = "SkipSimplifiedLayerNormalization",
            .types = {{"T", half}},
            .make = MakeKernel<SkipLayerNormalization<false>>});
}

}  // namespace ortrun::cpu
