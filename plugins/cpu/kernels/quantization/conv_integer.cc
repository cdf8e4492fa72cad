// SPDX-License-Identifier: Apache-2.0
// ConvInteger and QLinearConv: convolutions of quantised numbers, to int32 or quantised again. Padding is the zero
// point.
#include <algorithm>

#include "plugins/cpu/kernels/common/float_view.h"
#include "plugins/cpu/kernels/common/types.h"
#include "plugins/cpu/kernels/nn/convolution.h"
#include "plugins/cpu/kernels/quantization/integer_product.h"
#include "plugins/cpu/kernels/quantization/quantization.h"
#include "plugins/cpu/kernels/quantization/quantization_layout.h"
#include "plugins/cpu/kernels/quantization/quantized_rows.h"

namespace ortrun::cpu {
namespace {

using Bytes = TypeList<uint8_t, int8_t>;
constexpr size_t kPlaceBlock = 256;  ///< output places that a task computes at a time

class IntegerConv : public Kernel {
 public:
  explicit IntegerConv(const KernelInfo& info) : window_(info), groups_(info.Int("group", 1)) {
    Require(groups_ >= 1, "attribute group=", groups_, " must be at least 1");
  }

 protected:
  ConvolutionShape ShapeOf(const Tensor& x, const Tensor& w) const {
    Require(x.rank() >= 3 && w.rank() == x.rank(), "x and w must have the same rank, 3 or more; they have ", x.rank(),
            " and ", w.rank());
    Require(w.dim(0) % groups_ == 0 && x.dim(1) % groups_ == 0 && x.dim(1) / groups_ == w.dim(1), "x has ", x.dim(1),
            " channels, w makes ", w.dim(0), " of ", w.dim(1), " in ", groups_, " groups");
    ConvolutionShape shape;
    shape.window = window_.Apply(x.dims().subspan(2), w.dims().subspan(2));
    shape.batch = static_cast<size_t>(x.dim(0));
    shape.groups = static_cast<size_t>(groups_);
    shape.in_channels = static_cast<size_t>(w.dim(1));
    shape.out_channels = static_cast<size_t>(w.dim(0) / groups_);
    return shape;
  }

  static Shape OutputShape(const Tensor& x, const Tensor& w, const ConvolutionShape& shape) {
    Shape result{x.dim(0), w.dim(0)};
    for (size_t i = 2; i < x.rank(); ++i) result.Append(shape.window.out[WindowGeometry::kAxes - x.rank() + i]);
    return result;
  }

  /// Calls finish(sums, count, first element of the output, channel) for runs of neighbouring places of one channel.
  template <typename Finish>
  static void Convolve(KernelContext& context, const ConvolutionShape& shape, const Tensor& x, const Tensor& x_zero,
                       const Tensor& w, const Tensor& w_zero, const Finish& finish) {
    Require(!x_zero || x_zero.count() == 1, "the zero point of x must be a scalar, it has ", x_zero.count(),
            " elements");
    const size_t channels = shape.groups * shape.out_channels;
    Require(!w_zero || w_zero.count() == 1 || w_zero.count() == channels, "the zero point of w has ",
            w_zero ? w_zero.count() : 0, " elements, 1 or ", channels, " are needed");
    const int32_t* x_zeros = ReadZeroPoints(context, x_zero, x_zero ? x_zero.count() : 0);
    const int32_t* w_zeros = ReadZeroPoints(context, w_zero, w_zero ? w_zero.count() : 0);
    const size_t rows = shape.in_channels * static_cast<size_t>(WindowGeometry::Count(shape.window.kernel));
    const size_t length = IntegerRowLength(rows);
    int16_t* weights = context.Scratch<int16_t>(channels * length);
    DispatchType<Bytes>(w.type(), [&]<typename T>(std::type_identity<T>) {
      for (size_t c = 0; c < channels; ++c)
        WidenIntegerRow(w.data<T>() + c * rows, rows, w_zeros == nullptr ? 0 : w_zeros[w_zero.count() == 1 ? 0 : c],
                        weights + c * length);
    });
    int16_t* wide = context.Scratch<int16_t>(x.count());
    DispatchType<Bytes>(x.type(), [&]<typename T>(std::type_identity<T>) {
      const int32_t zero = x_zeros == nullptr ? 0 : *x_zeros;
      for (size_t i = 0; i < x.count(); ++i) wide[i] = static_cast<int16_t>(int32_t{x.data<T>()[i]} - zero);
    });
    Products(context, shape, wide, weights, rows, finish);
  }

 private:
  template <typename Finish>
  static void Products(KernelContext& context, const ConvolutionShape& shape, const int16_t* x, const int16_t* weights,
                       size_t rows, const Finish& finish) {
    const size_t length = IntegerRowLength(rows);
    const auto in_plane = static_cast<size_t>(WindowGeometry::Count(shape.window.in));
    const auto places = static_cast<size_t>(WindowGeometry::Count(shape.window.out));
    const size_t block = std::min(places, kPlaceBlock);
    const size_t blocks = (places + block - 1) / block;
    const size_t tasks = shape.batch * shape.groups * blocks;
    const size_t workers = std::min(tasks, context.Concurrency());
    int16_t* columns = context.Scratch<int16_t>(workers * rows * block);
    int16_t* packed = context.Scratch<int16_t>(workers * PackedIntegerCount(rows, block));
    int32_t* sums = context.Scratch<int32_t>(workers * shape.out_channels * block);
    context.ParallelFor(workers, [&](size_t worker) {
      int16_t* own_columns = columns + worker * rows * block;
      int16_t* own_packed = packed + worker * PackedIntegerCount(rows, block);
      int32_t* own_sums = sums + worker * shape.out_channels * block;
      for (size_t task = tasks * worker / workers; task < tasks * (worker + 1) / workers; ++task) {
        const size_t image = task / blocks;  // image of one group
        const size_t first = task % blocks * block;
        const size_t count = std::min(block, places - first);
        const size_t channel = image % shape.groups * shape.out_channels;
        PatchesToColumns(shape.window, shape.in_channels, x + image * shape.in_channels * in_plane, first,
                         first + count, own_columns);
        PackIntegerColumns(own_columns, rows, count, count, nullptr, 0, own_packed);
        MultiplyIntegers(weights + channel * length, shape.out_channels, own_packed, rows, count, own_sums, count);
        for (size_t c = 0; c < shape.out_channels; ++c)
          finish(own_sums + c * count, count, (image * shape.out_channels + c) * places + first, channel + c);
      }
    });
  }

  WindowAttributes window_;
  int64_t groups_;
};

class ConvInteger : public IntegerConv {
 public:
  using IntegerConv::IntegerConv;

  void Compute(KernelContext& context) const override {
    const Tensor x = context.Input(0);
    const Tensor w = context.Input(1);
    const ConvolutionShape shape = ShapeOf(x, w);
    const Tensor y = context.Output(0, OutputShape(x, w, shape));
    if (y.count() == 0) return;
    Convolve(context, shape, x, context.OptionalInput(2), w, context.OptionalInput(3),
             [&](const int32_t* sums, size_t count, size_t at, size_t) {
               std::copy_n(sums, count, y.data<int32_t>() + at);
             });
  }
};

class QLinearConv : public IntegerConv {
 public:
  using IntegerConv::IntegerConv;

  void Compute(KernelContext& context) const override {
    const Tensor x = context.Input(0);
    const Tensor w = context.Input(3);
    const Tensor w_scale = context.Input(4);
    const Tensor bias = context.OptionalInput(8);
    const ConvolutionShape shape = ShapeOf(x, w);
    const size_t channels = shape.groups * shape.out_channels;
    for (const size_t scalar : {size_t{1}, size_t{6}, size_t{7}})
      Require(context.Input(scalar).count() == 1, "input ", scalar, " of QLinearConv must be a scalar");
    Require(w_scale.count() == 1 || w_scale.count() == channels, "input w_scale has ", w_scale.count(),
            " elements, 1 or ", channels, " are needed");
    Require(!bias || bias.count() == channels, "input B must have ", channels, " elements");
    const Tensor y = context.Output(0, OutputShape(x, w, shape));
    if (y.count() == 0) return;
    const float x_scale = *context.Input(1).data<float>();
    const float y_scale = *context.Input(6).data<float>();
    const int32_t zero = *ReadZeroPoints(context, context.Input(7), 1);
    const int32_t* added = bias ? bias.data<int32_t>() : nullptr;
    DispatchType<Bytes>(y.type(), [&]<typename T>(std::type_identity<T>) {
      Convolve(context, shape, x, context.Input(2), w, context.Input(5),
               [&](int32_t* sums, size_t count, size_t at, size_t channel) {
                 if (added != nullptr)
                   for (size_t i = 0; i < count; ++i)
                     sums[i] =
                         static_cast<int32_t>(static_cast<uint32_t>(sums[i]) + static_cast<uint32_t>(added[channel]));
                 const float factor = x_scale * w_scale.data<float>()[w_scale.count() == 1 ? 0 : channel] / y_scale;
                 RequantizeRow(sums, &factor, 0, zero, y.data<T>() + at, count);
               });
    });
  }
};

}  // namespace

void RegisterConvInteger(KernelList& list) {
  const auto bytes = Bytes::Values();
  const std::vector<TypeRule> types = {{"T1", bytes}, {"T2", bytes}};
  const std::vector<TypeRule> linear_types = {{"T1", bytes}, {"T2", bytes}, {"T3", bytes}};
  list.Add({.op = "ConvInteger", .since = 10, .types = types, .make = MakeKernel<ConvInteger>});
  list.Add({.op = "QLinearConv", .since = 10, .types = linear_types, .make = MakeKernel<QLinearConv>});
}

}  // namespace ortrun::cpu
