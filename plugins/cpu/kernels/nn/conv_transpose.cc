// SPDX-License-Identifier: Apache-2.0
// ConvTranspose: a matrix product whose columns are added to the places that they came from.
#include <algorithm>

#include "plugins/cpu/kernels/common/types.h"
#include "plugins/cpu/kernels/common/widened_kernel.h"
#include "plugins/cpu/kernels/nn/matrix_product.h"
#include "plugins/cpu/kernels/nn/nn.h"
#include "plugins/cpu/kernels/nn/spatial.h"

namespace ortrun::cpu {
namespace {

constexpr size_t kAxes = WindowGeometry::kAxes;

class ConvTranspose : public Kernel {
 public:
  explicit ConvTranspose(const KernelInfo& info)
      : window_(info),
        groups_(info.Int("group", 1)),
        output_padding_(info.Ints("output_padding")),
        output_shape_(info.Ints("output_shape")) {
    Require(groups_ >= 1, "attribute group=", groups_, " must be at least 1");
    for (int64_t padding : output_padding_)
      Require(padding >= 0 && padding < (int64_t{1} << 31), "attribute output_padding has the entry ", padding);
  }

  void Compute(KernelContext& context) const override {
    const Tensor x = context.Input(0);
    const Tensor w = context.Input(1);
    const Tensor bias = context.OptionalInput(2);
    Require(x.rank() >= 3 && x.rank() <= 2 + kAxes && w.rank() == x.rank(),
            "ConvTranspose needs X and W of the same rank, 3 to 5; they have ", x.rank(), " and ", w.rank());
    Require(x.dim(1) == w.dim(0) && w.dim(0) % groups_ == 0, "X has ", x.dim(1), " channels, W takes ", w.dim(0),
            " in ", groups_, " groups");
    const int64_t channels = w.dim(1) * groups_;
    Require(!bias || bias.count() == static_cast<size_t>(channels), "input B must have ", channels, " elements");
    const WindowGeometry g = Geometry(x, w);
    Shape shape{x.dim(0), channels};
    for (size_t i = 2; i < x.rank(); ++i) shape.Append(g.in[kAxes - x.rank() + i]);
    const Tensor y = context.Output(0, shape);
    if (y.count() == 0) return;
    if (x.type() == kTypeOf<float>)
      Run<float>(context, g, x, w, bias, y);
    else
      Run<double>(context, g, x, w, bias, y);
  }

 private:
  /// The geometry of the convolution that this one transposes: its input is our output.
  WindowGeometry Geometry(const Tensor& x, const Tensor& w) const {
    const size_t rank = x.rank() - 2;
    const auto entry = [rank](const std::vector<int64_t>& values, size_t i, int64_t otherwise, const char* name,
                              size_t per_axis) {
      Require(values.empty() || values.size() == rank * per_axis, "attribute ", name, " has ", values.size(),
              " entries for ", rank, " spatial dimensions");
      return values.empty() ? otherwise : values[i];
    };
    WindowGeometry g;
    for (size_t i = 0; i < rank; ++i) {
      const size_t at = kAxes - rank + i;
      g.out[at] = x.dim(i + 2);
      g.kernel[at] = w.dim(i + 2);
      constexpr int64_t kLargest = int64_t{1} << 31;
      Require(g.kernel[at] >= 1 && g.kernel[at] < kLargest && g.out[at] < kLargest, "spatial axis ", i, " has ",
              g.out[at], " places and a kernel of ", g.kernel[at]);
      g.stride[at] = entry(window_.strides(), i, 1, "strides", 1);
      g.dilation[at] = entry(window_.dilations(), i, 1, "dilations", 1);
      const int64_t extra = entry(output_padding_, i, 0, "output_padding", 1);
      const int64_t full = (g.out[at] - 1) * g.stride[at] + extra + (g.kernel[at] - 1) * g.dilation[at] + 1;
      using AutoPad = WindowAttributes::AutoPad;
      const bool same = window_.auto_pad() == AutoPad::kSameUpper || window_.auto_pad() == AutoPad::kSameLower;
      if (!output_shape_.empty() || same) {
        // Some exporters give the whole shape, with batch and channels in front.
        const bool whole = output_shape_.size() == rank + 2;
        Require(output_shape_.empty() || whole || output_shape_.size() == rank, "attribute output_shape has ",
                output_shape_.size(), " entries for ", rank, " spatial dimensions");
        g.in[at] = output_shape_.empty() ? g.out[at] * g.stride[at] : output_shape_[i + (whole ? 2 : 0)];
        Require(g.in[at] >= 0 && g.in[at] < (int64_t{1} << 31), "attribute output_shape has the entry ", g.in[at]);
        const int64_t total = std::max<int64_t>(0, full - g.in[at]);
        g.pad_begin[at] = window_.auto_pad() == AutoPad::kSameUpper ? total / 2 : total - total / 2;
        g.pad_end[at] = total - g.pad_begin[at];
      } else {
        const bool padded = window_.auto_pad() == AutoPad::kNotSet;
        g.pad_begin[at] = padded ? entry(window_.pads(), i, 0, "pads", 2) : 0;
        g.pad_end[at] = padded ? entry(window_.pads(), i + rank, 0, "pads", 2) : 0;
        g.in[at] = full - g.pad_begin[at] - g.pad_end[at];
        Require(g.in[at] >= 0, "the pads remove more than spatial axis ", i, " has");
      }
    }
    return g;
  }

  template <typename T>
  void Run(KernelContext& context, const WindowGeometry& g, const Tensor& x, const Tensor& w, const Tensor& bias,
           const Tensor& y) const {
    const auto groups = static_cast<size_t>(groups_);
    const size_t in_channels = static_cast<size_t>(x.dim(1)) / groups;
    const auto out_channels = static_cast<size_t>(w.dim(1));
    const auto places = static_cast<size_t>(WindowGeometry::Count(g.out));
    const auto plane = static_cast<size_t>(WindowGeometry::Count(g.in));
    const auto taps = static_cast<size_t>(WindowGeometry::Count(g.kernel));
    const size_t images = static_cast<size_t>(x.dim(0)) * groups;
    // A task makes some output channels of one image: nobody else adds to them.
    const size_t parts = std::min(out_channels, std::max<size_t>(1, context.Concurrency()));
    const size_t widest = (out_channels + parts - 1) / parts;
    const size_t workers = std::min(images * parts, context.Concurrency());
    const size_t column_count = widest * taps * places;
    T* scratch = context.Scratch<T>(workers * column_count);
    context.ParallelFor(workers, [&](size_t worker) {
      T* columns = scratch + worker * column_count;
      for (size_t task = images * parts * worker / workers; task < images * parts * (worker + 1) / workers; ++task) {
        const size_t image = task / parts;
        const size_t group = image % groups;
        const size_t first = out_channels * (task % parts) / parts;
        const size_t last = out_channels * (task % parts + 1) / parts;
        const T* weights = w.data<T>() + group * in_channels * out_channels * taps + first * taps;
        Multiply((last - first) * taps, places, in_channels, T{1}, MatrixView<T>{weights, out_channels * taps, true},
                 MatrixView<T>{x.data<T>() + image * in_channels * places, places, false}, T{0}, columns, places);
        for (size_t channel = first; channel < last; ++channel) {
          T* out = y.data<T>() + (image * out_channels + channel) * plane;
          std::fill_n(out, plane, bias ? bias.data<T>()[group * out_channels + channel] : T{0});
          AddColumns(g, columns + (channel - first) * taps * places, out);
        }
      }
    });
  }

  template <typename T>
  static void AddColumns(const WindowGeometry& g, const T* columns, T* out) {
    for (int64_t kd = 0; kd < g.kernel[0]; ++kd)
      for (int64_t kh = 0; kh < g.kernel[1]; ++kh)
        for (int64_t kw = 0; kw < g.kernel[2]; ++kw)
          for (int64_t d = 0; d < g.out[0]; ++d)
            for (int64_t h = 0; h < g.out[1]; ++h, columns += g.out[2]) {
              const int64_t od = d * g.stride[0] + kd * g.dilation[0] - g.pad_begin[0];
              const int64_t oh = h * g.stride[1] + kh * g.dilation[1] - g.pad_begin[1];
              if (od < 0 || od >= g.in[0] || oh < 0 || oh >= g.in[1]) continue;
              T* row = out + (od * g.in[1] + oh) * g.in[2];
              for (int64_t i = 0; i < g.out[2]; ++i) {
                const int64_t ow = i * g.stride[2] + kw * g.dilation[2] - g.pad_begin[2];
                if (ow >= 0 && ow < g.in[2]) row[ow] += columns[i];
              }
            }
  }

  WindowAttributes window_;
  int64_t groups_;
  std::vector<int64_t> output_padding_;
  std::vector<int64_t> output_shape_;
};

}  // namespace

void RegisterConvTranspose(KernelList& list) {
  list.Add({.op = "ConvTranspose", .types = {{"T", Floats::Values()}}, .make = MakeKernel<ConvTranspose>});
  list.Add({.op = "ConvTranspose", .types = {{"T", Halves::Values()}}, .make = MakeWidened<ConvTranspose>});
}

}  // namespace ortrun::cpu
