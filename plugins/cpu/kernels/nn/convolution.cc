// SPDX-License-Identifier: Apache-2.0
#include "plugins/cpu/kernels/nn/convolution.h"

#include <algorithm>

namespace ortrun::cpu {
namespace {

/// Bytes of patches that a task keeps at a time: they should stay in the second-level cache.
constexpr size_t kPatchBytes = 768 << 10;

bool IsPointwise(const WindowGeometry& g) {
  for (size_t i = 0; i < WindowGeometry::kAxes; ++i)
    if (g.kernel[i] != 1 || g.stride[i] != 1 || g.pad_begin[i] != 0 || g.pad_end[i] != 0) return false;
  return true;
}

/// How a convolution is cut into tasks: over images, groups, output places and, where those are few, output channels.
struct Cut {
  size_t places;        ///< output places of one image
  size_t chunk;         ///< of them in one task
  size_t chunks;        ///< tasks along the places
  size_t channel_parts;  ///< tasks along the output channels

  Cut(const ConvolutionShape& shape, size_t patch_rows, size_t element, bool pointwise, size_t threads)
      : places(static_cast<size_t>(WindowGeometry::Count(shape.window.out))) {
    const size_t fitting = std::max<size_t>(64, kPatchBytes / std::max<size_t>(1, patch_rows * element) / 16 * 16);
    const size_t images = shape.batch * shape.groups;
    const size_t wanted = images >= threads ? 1 : (threads + images - 1) / images;
    chunk = std::min(places, pointwise ? places : fitting);
    if (places / wanted >= 64) chunk = std::min(chunk, (places / wanted + 15) / 16 * 16);
    chunks = (places + chunk - 1) / chunk;
    channel_parts = 1;
    const double work = static_cast<double>(places) * static_cast<double>(patch_rows * shape.out_channels);
    if (images * chunks < threads && work > 1e6)
      channel_parts = std::min(threads / (images * chunks), (shape.out_channels + 15) / 16);
  }
};

void MultiplyBlock(size_t m, size_t n, size_t k, const float* w, const float* b, size_t b_stride, float* y, size_t y_stride) {
  Multiply(m, n, k, 1.0F, MatrixView{w, k, false}, MatrixView{b, b_stride, false}, 0.0F, y, y_stride);
}
void MultiplyBlock(size_t m, size_t n, size_t k, const double* w, const double* b, size_t b_stride, double* y, size_t y_stride) {
  Multiply(m, n, k, 1.0, w, k, false, b, b_stride, false, 0.0, y, y_stride);
}

/// Finish(first_channel, rows, columns, y_block, offset_of_block) completes a block of the output.
template <typename T, typename Finish>
void ConvolveByProducts(KernelContext& context, const ConvolutionShape& shape, const T* x, const T* w, T* y,
                        const Finish& finish) {
  const WindowGeometry& g = shape.window;
  const bool pointwise = IsPointwise(g);
  const size_t rows = shape.in_channels * static_cast<size_t>(WindowGeometry::Count(g.kernel));
  const auto in_plane = static_cast<size_t>(WindowGeometry::Count(g.in));
  const size_t threads = context.Concurrency();
  const Cut cut(shape, rows, sizeof(T), pointwise, threads);
  const size_t tasks = shape.batch * shape.groups * cut.chunks * cut.channel_parts;
  const size_t workers = std::min(tasks, threads);
  const size_t patches = pointwise ? 0 : rows * cut.chunk;
  T* scratch = pointwise ? nullptr : context.Scratch<T>(workers * patches);
  context.ParallelFor(workers, [&](size_t worker) {
    T* columns = pointwise ? nullptr : scratch + worker * patches;
    size_t loaded = tasks;  // the patches that `columns` holds, as image * chunks + chunk
    for (size_t task = tasks * worker / workers; task < tasks * (worker + 1) / workers; ++task) {
      const size_t part = task % cut.channel_parts;
      const size_t piece = task / cut.channel_parts;
      const size_t image = piece / cut.chunks;  // image of one group
      const size_t first = piece % cut.chunks * cut.chunk;
      const size_t last = std::min(cut.places, first + cut.chunk);
      const T* from = x + image * shape.in_channels * in_plane;
      if (!pointwise && loaded != piece) {
        PatchesToColumns(g, shape.in_channels, from, first, last, columns);
        loaded = piece;
      }
      const size_t channel = shape.out_channels * part / cut.channel_parts;
      const size_t last_channel = shape.out_channels * (part + 1) / cut.channel_parts;
      const size_t group_channel = image % shape.groups * shape.out_channels + channel;
      const size_t offset = (image * shape.out_channels + channel) * cut.places + first;
      MultiplyBlock(last_channel - channel, last - first, rows, w + group_channel * rows,
                    pointwise ? from + first : columns, pointwise ? in_plane : last - first, y + offset, cut.places);
      finish(group_channel, last_channel - channel, last - first, cut.places, offset);
    }
  });
}

void ConvolveDepthwise(KernelContext& context, const ConvolutionShape& shape, const float* x, const float* w,
                       const float* bias, const float* residual, const FusedActivation& activation, float* y) {
  const WindowGeometry& g = shape.window;
  const auto in_plane = static_cast<size_t>(WindowGeometry::Count(g.in));
  const auto out_plane = static_cast<size_t>(WindowGeometry::Count(g.out));
  const auto taps = static_cast<size_t>(WindowGeometry::Count(g.kernel));
  const size_t planes = shape.batch * shape.groups;
  const size_t workers =
      std::clamp<size_t>(planes * out_plane * taps / (size_t{1} << 16), 1, std::min(planes, context.Concurrency()));
  const size_t scratch_size = (DepthwiseScratch(g) + 15) / 16 * 16;
  auto* scratch = context.Scratch<float>(workers * scratch_size);
  ProductEpilogue epilogue;
  epilogue.activation = activation;
  epilogue.residual_after = false;
  context.ParallelFor(workers, [&](size_t worker) {
    for (size_t plane = planes * worker / workers; plane < planes * (worker + 1) / workers; ++plane) {
      const size_t channel = plane % shape.groups;
      float* out = y + plane * out_plane;
      ConvolveDepthwisePlane(g, x + plane * in_plane, w + channel * taps, bias == nullptr ? 0 : bias[channel],
                             scratch + worker * scratch_size, out);
      epilogue.Apply(out, out_plane, 1, out_plane, residual == nullptr ? nullptr : residual + plane * out_plane);
    }
  });
}

}  // namespace

void Convolve(KernelContext& context, const ConvolutionShape& shape, const float* x, const float* w, const float* bias,
              const float* residual, const FusedActivation& activation, float* y) {
  if (shape.in_channels == 1 && shape.out_channels == 1 && shape.window.in[0] == 1 && shape.window.kernel[0] == 1 &&
      shape.window.out[0] == 1)
    return ConvolveDepthwise(context, shape, x, w, bias, residual, activation, y);
  ProductEpilogue epilogue;
  epilogue.activation = activation;
  epilogue.residual_after = false;
  ConvolveByProducts(context, shape, x, w, y,
                     [&](size_t channel, size_t rows, size_t columns, size_t stride, size_t offset) {
                       ProductEpilogue own = epilogue;
                       own.row_bias = bias == nullptr ? nullptr : bias + channel;
                       own.Apply(y + offset, stride, rows, columns, residual == nullptr ? nullptr : residual + offset);
                     });
}

void Convolve(KernelContext& context, const ConvolutionShape& shape, const double* x, const double* w,
              const double* bias, double* y) {
  ConvolveByProducts(context, shape, x, w, y,
                     [&](size_t channel, size_t rows, size_t columns, size_t stride, size_t offset) {
                       if (bias == nullptr) return;
                       for (size_t row = 0; row < rows; ++row)
                         for (size_t i = 0; i < columns; ++i) y[offset + row * stride + i] += bias[channel + row];
                     });
}

}  // namespace ortrun::cpu
