// SPDX-License-Identifier: Apache-2.0
#include "plugins/cpu/kernels/nn/convolution.h"

#include <algorithm>

#include "plugins/cpu/kernels/nn/matrix_product.h"

namespace ortrun::cpu {
namespace {

/// Bytes of patches that a task keeps at a time: they should stay in the second-level cache.
constexpr size_t kPatchBytes = 768 << 10;

/// Completes a block of the output: rows are channels, `stride` elements apart.
template <typename T>
void Finish(T* y, size_t stride, size_t rows, size_t columns, const T* bias, const T* residual,
            const Activation& activation) {
  for (size_t row = 0; row < rows; ++row) {
    T* line = y + row * stride;
    if (bias != nullptr)
      for (size_t i = 0; i < columns; ++i) line[i] += bias[row];
    if (residual != nullptr)
      for (size_t i = 0; i < columns; ++i) line[i] += residual[row * stride + i];
    if constexpr (std::is_same_v<T, float>)
      if (activation.kind != ActivationKind::kNone) Activate(activation, line, line, columns);
  }
}

}  // namespace

template <typename T>
void ConvolveByProducts(KernelContext& context, const ConvolutionShape& shape, const T* x, const T* w, const T* bias,
                        const T* residual, const Activation& activation, T* y) {
  const WindowGeometry& g = shape.window;
  const size_t rows = shape.in_channels * static_cast<size_t>(WindowGeometry::Count(g.kernel));
  const auto in_plane = static_cast<size_t>(WindowGeometry::Count(g.in));
  const auto places = static_cast<size_t>(WindowGeometry::Count(g.out));
  const size_t fitting = std::max<size_t>(64, kPatchBytes / std::max<size_t>(1, rows * sizeof(T)) / 16 * 16);
  const size_t chunk = std::min(places, fitting);
  const size_t chunks = (places + chunk - 1) / chunk;
  const size_t tasks = shape.batch * shape.groups * chunks;
  const size_t workers = std::min(tasks, context.Concurrency());
  T* scratch = context.Scratch<T>(workers * rows * chunk);
  context.ParallelFor(workers, [&](size_t worker) {
    T* columns = scratch + worker * rows * chunk;
    for (size_t task = tasks * worker / workers; task < tasks * (worker + 1) / workers; ++task) {
      const size_t image = task / chunks;  // image of one group
      const size_t first = task % chunks * chunk;
      const size_t last = std::min(places, first + chunk);
      PatchesToColumns(g, shape.in_channels, x + image * shape.in_channels * in_plane, first, last, columns);
      const size_t channel = image % shape.groups * shape.out_channels;
      const size_t offset = image * shape.out_channels * places + first;
      Multiply(shape.out_channels, last - first, rows, T{1}, MatrixView<T>{w + channel * rows, rows, false},
               MatrixView<T>{columns, last - first, false}, T{0}, y + offset, places);
      Finish(y + offset, places, shape.out_channels, last - first, bias == nullptr ? nullptr : bias + channel,
             residual == nullptr ? nullptr : residual + offset, activation);
    }
  });
}

template void ConvolveByProducts<float>(KernelContext&, const ConvolutionShape&, const float*, const float*,
                                        const float*, const float*, const Activation&, float*);
template void ConvolveByProducts<double>(KernelContext&, const ConvolutionShape&, const double*, const double*,
                                         const double*, const double*, const Activation&, double*);

}  // namespace ortrun::cpu
