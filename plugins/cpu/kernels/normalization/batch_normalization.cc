// SPDX-License-Identifier: Apache-2.0
// BatchNormalization: y = (x - mean) / sqrt(variance + epsilon) * scale + bias per channel. Statistics are inputs in
// inference; with training_mode they are those of the batch, and the running ones are outputs.
#include <algorithm>
#include <cmath>
#include <string>

#include "ortrun/kernel.h"
#include "plugins/cpu/kernels/common/float_view.h"
#include "plugins/cpu/kernels/common/types.h"
#include "plugins/cpu/kernels/normalization/float_rows.h"
#include "plugins/cpu/kernels/normalization/normalization.h"

namespace ortrun::cpu {
namespace {

constexpr size_t kGrain = 1 << 14;  ///< elements that pay for handing a task to another thread

/// X as [batch, channels, inner].
struct Extents {
  size_t batch;
  size_t channels;
  size_t inner;
};

/// One number a channel, of any floating-point type, in double.
const double* ReadChannels(KernelContext& context, const Tensor& tensor, size_t channels, const char* name) {
  Require(tensor.count() == channels, "input ", name, " has ", tensor.count(), " elements, X has ", channels,
          " channels");
  double* values = context.Scratch<double>(channels);
  DispatchType<AllFloats>(tensor.type(), [&]<typename T>(std::type_identity<T>) {
    for (size_t i = 0; i < channels; ++i) values[i] = static_cast<double>(tensor.data<T>()[i]);
  });
  return values;
}

void WriteChannels(const Tensor& tensor, const double* values) {
  if (!tensor) return;
  DispatchType<AllFloats>(tensor.type(), [&]<typename T>(std::type_identity<T>) {
    using Wide = std::conditional_t<std::is_same_v<T, double>, double, float>;
    for (size_t i = 0; i < tensor.count(); ++i) tensor.data<T>()[i] = static_cast<T>(static_cast<Wide>(values[i]));
  });
}

class BatchNormalization : public Kernel {
 public:
  explicit BatchNormalization(const KernelInfo& info)
      : epsilon_(static_cast<double>(info.Float("epsilon", 1e-5F))),
        momentum_(static_cast<double>(info.Float("momentum", 0.9F))),
        training_(info.SinceVersion() >= 14 && info.Int("training_mode", 0) != 0),
        spatial_(info.SinceVersion() >= 9 || info.Int("spatial", 1) != 0) {
    Require(info.SinceVersion() >= 14 || info.OutputCount() == 1,
            "BatchNormalization in training mode is served from version 14 on: this node has ", info.OutputCount(),
            " outputs; export the model for inference");
    Require(training_ || info.OutputCount() == 1, "BatchNormalization has ", info.OutputCount(),
            " outputs but attribute training_mode=0: only Y exists in inference");
  }

  void Compute(KernelContext& context) const override {
    const Tensor x = context.Input(0);
    Require(x.rank() >= 1, "X must have at least one dimension");
    const Extents extents = ExtentsOf(x.shape());
    const size_t channels = extents.channels;
    const double* scale = ReadChannels(context, context.Input(1), channels, "scale");
    const double* bias = ReadChannels(context, context.Input(2), channels, "B");
    const double* mean = ReadChannels(context, context.Input(3), channels, "input_mean");
    const double* variance = ReadChannels(context, context.Input(4), channels, "input_var");
    const Tensor y = context.Output(0, x.dims());
    if (training_) {
      double* batch_mean = context.Scratch<double>(channels);
      double* batch_variance = context.Scratch<double>(channels);
      DispatchType<AllFloats>(x.type(), [&]<typename T>(std::type_identity<T>) {
        Measure(context, x.data<T>(), extents, batch_mean, batch_variance);
      });
      WriteRunning(context, 1, mean, batch_mean, channels);
      WriteRunning(context, 2, variance, batch_variance, channels);
      mean = batch_mean;
      variance = batch_variance;
    }
    if (x.count() == 0) return;
    double* factor = context.Scratch<double>(channels);
    for (size_t c = 0; c < channels; ++c) factor[c] = scale[c] / std::sqrt(variance[c] + epsilon_);
    if (x.type() == kTypeOf<double>)
      return Apply<double>(context, extents, x.data<double>(), {mean, factor, bias}, y.data<double>());
    const auto narrow = [&](const double* values) {
      float* floats = context.Scratch<float>(channels);
      std::transform(values, values + channels, floats, [](double v) { return static_cast<float>(v); });
      return floats;
    };
    const FloatOutput to(context, y);
    Apply<float>(context, extents, ReadFloats(context, x), {narrow(mean), narrow(factor), narrow(bias)}, to.data());
    to.Finish();
  }

 private:
  /// A lone dimension is the batch. Before version 9, spatial=0 makes every place of an example its own channel.
  Extents ExtentsOf(const Shape& shape) const {
    const size_t rank = shape.rank();
    const auto count = [&](size_t from, size_t to) { return static_cast<size_t>(shape.Count(from, to)); };
    if (rank == 1) return {count(0, 1), 1, 1};
    return spatial_ ? Extents{count(0, 1), count(1, 2), count(2, rank)} : Extents{count(0, 1), count(1, rank), 1};
  }

  template <typename T>
  static void Measure(const KernelContext& context, const T* x, const Extents& e, double* mean, double* variance) {
    const auto n = static_cast<double>(e.batch * e.inner);
    context.ParallelRange(e.channels, std::max<size_t>(1, kGrain / std::max<size_t>(1, e.batch * e.inner)),
                          [&](size_t begin, size_t end) {
                            for (size_t c = begin; c < end; ++c) {
                              // Around the first element, so that a channel of one value has exactly that mean.
                              const auto origin = static_cast<double>(e.batch * e.inner == 0 ? T() : x[c * e.inner]);
                              const auto sum = [&](auto value) {
                                double total = 0;
                                for (size_t b = 0; b < e.batch; ++b) {
                                  const T* row = x + (b * e.channels + c) * e.inner;
                                  for (size_t i = 0; i < e.inner; ++i) total += value(static_cast<double>(row[i]));
                                }
                                return total;
                              };
                              const double centre = origin + sum([=](double v) { return v - origin; }) / n;
                              mean[c] = centre;
                              variance[c] = sum([=](double v) { return (v - centre) * (v - centre); }) / n;
                            }
                          });
  }

  void WriteRunning(KernelContext& context, size_t output, const double* before, const double* now, size_t n) const {
    if (output >= context.OutputCount()) return;
    double* running = context.Scratch<double>(n);
    for (size_t c = 0; c < n; ++c) running[c] = before[c] * momentum_ + now[c] * (1 - momentum_);
    WriteChannels(context.Output(output, Shape{static_cast<int64_t>(n)}), running);
  }

  /// y = (x - centre) * factor + offset, in this order: what is close to its mean keeps its digits.
  template <typename T>
  struct Affine {
    const T* centre;
    const T* factor;
    const T* offset;
  };

  template <typename T>
  static void Apply(const KernelContext& context, const Extents& e, const T* x, const Affine<T>& a, T* y) {
    const bool flat = e.inner == 1;  // neighbours are channels
    const size_t rows = flat ? e.batch : e.batch * e.channels;
    const size_t n = flat ? e.channels : e.inner;
    context.ParallelRange(rows, std::max<size_t>(1, kGrain / n), [=, &e, &a](size_t begin, size_t end) {
      for (size_t row = begin; row < end; ++row) {
        const T* from = x + row * n;
        T* to = y + row * n;
        const size_t c = row % e.channels;
        if constexpr (std::is_same_v<T, float>) {
          if (flat)
            AffineColumns(from, a.centre, a.factor, a.offset, to, n);
          else
            AffineRow(from, a.centre[c], a.factor[c], a.offset[c], to, n);
        } else {
          for (size_t i = 0; i < n; ++i) {
            const size_t at = flat ? i : c;
            to[i] = (from[i] - a.centre[at]) * a.factor[at] + a.offset[at];
          }
        }
      }
    });
  }

  double epsilon_;
  double momentum_;
  bool training_;
  bool spatial_;
};

}  // namespace

void RegisterBatchNormalization(KernelList& list) {
  list.Add({.op = "BatchNormalization",
            .types = {{"T", AllFloats::Values()}},
            .make = MakeKernel<BatchNormalization>,
            .may_inplace = {{0, 0}}});
}

}  // namespace ortrun::cpu
