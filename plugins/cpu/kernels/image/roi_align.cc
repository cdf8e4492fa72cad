// SPDX-License-Identifier: Apache-2.0
// RoiAlign: each bin of a region is the mean, or the largest part, of bilinear samples. The formulas are those of the
// ONNX specification's reference evaluator.
#include <algorithm>
#include <cmath>

#include "plugins/cpu/kernels/common/element_mover.h"
#include "plugins/cpu/kernels/image/image.h"
#include "plugins/cpu/kernels/image/narrow.h"

namespace ortrun::cpu {
namespace {

constexpr size_t kGrain = 4096;            ///< samples that pay for handing a task to another thread
constexpr int64_t kMostSamples = 1 << 16;  ///< along one axis of a region

/// Where a sample lies between two elements of an axis; `inside` is false where it counts as zero.
template <typename A>
struct Sample {
  size_t low, high;
  A low_weight, high_weight;
  bool inside;
};

/// One axis of one region.
template <typename A>
struct Span {
  A start;
  A bin;            ///< extent of a bin
  int64_t samples;  ///< in each bin

  Span(A begin, A end, int64_t bins, int64_t sampling_ratio, bool half_pixel) : start(begin) {
    const A length = half_pixel ? end - begin : std::max(end - begin, A(1));
    bin = length / static_cast<A>(bins);
    const A wanted = std::ceil(bin);
    Require(std::isfinite(wanted) && wanted <= static_cast<A>(kMostSamples), "a region is ", length,
            " elements long, too long to sample");
    samples = sampling_ratio > 0 ? sampling_ratio : static_cast<int64_t>(std::max(wanted, A(0)));
  }

  Sample<A> At(int64_t which, int64_t sample, int64_t extent) const {
    A x = start + static_cast<A>(which) * bin + (static_cast<A>(sample) + A(0.5)) * bin / static_cast<A>(samples);
    if (!(x >= -1 && x <= static_cast<A>(extent))) return {0, 0, 0, 0, false};
    x = std::max(x, A(0));
    const auto low = static_cast<int64_t>(x);
    if (low >= extent - 1) {
      const auto last = static_cast<size_t>(extent - 1);
      return {last, last, 1, 0, true};
    }
    const A part = x - static_cast<A>(low);
    return {static_cast<size_t>(low), static_cast<size_t>(low) + 1, 1 - part, part, true};
  }
};

class RoiAlign : public Kernel {
 public:
  explicit RoiAlign(const KernelInfo& info)
      : height_(info.Int("output_height", 1)),
        width_(info.Int("output_width", 1)),
        sampling_ratio_(info.Int("sampling_ratio", 0)),
        scale_(info.Float("spatial_scale", 1.0f)) {
    const std::string mode = info.String("mode", "avg");
    Require(mode == "avg" || mode == "max", "attribute mode=\"", mode, "\" is neither avg nor max");
    largest_ = mode == "max";
    const std::string coordinates =
        info.String("coordinate_transformation_mode", info.SinceVersion() < 16 ? "output_half_pixel" : "half_pixel");
    Require(coordinates == "half_pixel" || coordinates == "output_half_pixel",
            "attribute coordinate_transformation_mode=\"", coordinates,
            "\" is neither half_pixel nor output_half_pixel");
    half_pixel_ = coordinates == "half_pixel";
    Require(height_ > 0 && width_ > 0 && height_ <= kMostSamples && width_ <= kMostSamples,
            "attributes output_height=", height_, " and output_width=", width_, " must be positive and at most ",
            kMostSamples);
    Require(sampling_ratio_ >= 0 && sampling_ratio_ <= kMostSamples, "attribute sampling_ratio=", sampling_ratio_,
            " must be in [0, ", kMostSamples, "]");
  }

  void Compute(KernelContext& context) const override {
    const Tensor x = context.Input(0);
    const Tensor rois = context.Input(1);
    const Tensor batches = context.Input(2);
    Require(x.rank() == 4, "X must have rank 4, it has ", x.rank());
    Require(rois.rank() == 2 && rois.dim(1) == 4, "rois must have the shape [regions, 4]");
    Require(batches.rank() == 1 && batches.dim(0) == rois.dim(0), "batch_indices must have ", rois.dim(0), " entries");
    Require(rois.type() == x.type(), "rois and X must have one element type");
    Require(batches.type() == kTypeOf<int64_t>, "batch_indices must be int64");
    for (size_t i = 0; i < batches.count(); ++i) {
      const int64_t batch = batches.data<int64_t>()[i];
      Require(batch >= 0 && batch < x.dim(0), "batch_indices[", i, "]=", batch, " is outside [0, ", x.dim(0), ")");
    }
    const Shape shape{rois.dim(0), x.dim(1), height_, width_};
    CheckedCount(shape.dims());
    const Tensor y = context.Output(0, shape);
    if (!y || y.count() == 0) return;
    Require(x.count() != 0, "X is empty");
    DispatchType<AllFloats>(x.type(), [&]<typename T>(std::type_identity<T>) {
      const size_t maps = static_cast<size_t>(rois.dim(0)) * static_cast<size_t>(x.dim(1));
      const auto area = static_cast<size_t>(height_ * width_);
      context.ParallelRange(maps, std::max<size_t>(1, kGrain / area), [&](size_t begin, size_t end) {
        for (size_t map = begin; map < end; ++map) Map<T>(x, rois, batches, map, y.data<T>() + map * area);
      });
    });
  }

 private:
  /// One channel of one region.
  template <typename T>
  void Map(const Tensor& x, const Tensor& rois, const Tensor& batches, size_t map, T* y) const {
    using A = Blend<T>;
    const auto channels = static_cast<size_t>(x.dim(1));
    const size_t region = map / channels;
    const int64_t extents[2] = {x.dim(2), x.dim(3)};
    const auto width = static_cast<size_t>(extents[1]);
    const T* plane = x.data<T>() + (static_cast<size_t>(batches.data<int64_t>()[region]) * channels + map % channels) *
                                       static_cast<size_t>(extents[0]) * width;
    const T* corners = rois.data<T>() + 4 * region;
    const auto place = [&](size_t i) {
      return static_cast<A>(corners[i]) * static_cast<A>(scale_) - (half_pixel_ ? A(0.5) : A(0));
    };
    const Span<A> rows(place(1), place(3), height_, sampling_ratio_, half_pixel_);
    const Span<A> columns(place(0), place(2), width_, sampling_ratio_, half_pixel_);
    const A count = static_cast<A>(std::max<int64_t>(1, rows.samples * columns.samples));
    for (int64_t i = 0; i < height_; ++i)
      for (int64_t j = 0; j < width_; ++j) {
        A result = 0;
        bool first = true;
        for (int64_t r = 0; r < rows.samples; ++r) {
          const Sample<A> v = rows.At(i, r, extents[0]);
          for (int64_t c = 0; c < columns.samples; ++c) {
            const Sample<A> h = columns.At(j, c, extents[1]);
            A parts[4] = {};
            if (v.inside && h.inside) {
              parts[0] = v.low_weight * h.low_weight * static_cast<A>(plane[v.low * width + h.low]);
              parts[1] = v.low_weight * h.high_weight * static_cast<A>(plane[v.low * width + h.high]);
              parts[2] = v.high_weight * h.low_weight * static_cast<A>(plane[v.high * width + h.low]);
              parts[3] = v.high_weight * h.high_weight * static_cast<A>(plane[v.high * width + h.high]);
            }
            if (!largest_) {
              result += parts[0] + parts[1] + parts[2] + parts[3];
            } else {
              const A most = *std::max_element(parts, parts + 4);
              result = first ? most : std::max(result, most);
            }
            first = false;
          }
        }
        *y++ = static_cast<T>(largest_ ? result : result / count);
      }
  }

  int64_t height_;
  int64_t width_;
  int64_t sampling_ratio_;
  float scale_;
  bool largest_ = false;
  bool half_pixel_ = true;
};

}  // namespace

void RegisterRoiAlign(KernelList& list) {
  list.Add({.op = "RoiAlign", .since = 10, .types = {{"T1", AllFloats::Values()}}, .make = MakeKernel<RoiAlign>});
}

}  // namespace ortrun::cpu
