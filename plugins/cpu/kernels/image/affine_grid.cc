// SPDX-License-Identifier: Apache-2.0
// AffineGrid: the coordinates, in [-1, 1] over each axis of an image, that an affine map sends each pixel to.
#include <algorithm>
#include <array>

#include "plugins/cpu/kernels/common/element_mover.h"
#include "plugins/cpu/kernels/image/image.h"
#include "plugins/cpu/kernels/image/narrow.h"

namespace ortrun::cpu {
namespace {

constexpr size_t kGrain = 8192;  ///< pixels that pay for handing a task to another thread

class AffineGrid : public Kernel {
 public:
  explicit AffineGrid(const KernelInfo& info) : align_corners_(info.Int("align_corners", 0) != 0) {}

  void Compute(KernelContext& context) const override {
    const Tensor theta = context.Input(0);
    const std::vector<int64_t> size = ReadIntegers(context.Input(1));
    Require(size.size() == 4 || size.size() == 5, "size must have 4 or 5 entries, it has ", size.size());
    const size_t axes = size.size() - 2;
    const auto signed_axes = static_cast<int64_t>(axes);
    Require(theta.rank() == 3 && theta.dim(1) == signed_axes && theta.dim(2) == signed_axes + 1,
            "theta must have the shape [images, ", axes, ", ", axes + 1, "]");
    Require(theta.dim(0) == size[0], "theta has ", theta.dim(0), " images and size ", size[0]);
    Shape shape{size[0]};
    for (size_t i = 0; i < axes; ++i) shape.Append(size[i + 2]);
    shape.Append(signed_axes);
    const int64_t count = CheckedCount(shape.dims());
    const Tensor y = context.Output(0, shape);
    if (!y || count == 0) return;
    DispatchType<AllFloats>(theta.type(), [&]<typename T>(std::type_identity<T>) {
      const T* matrices = theta.data<T>();
      const size_t pixels = y.count() / axes;
      const size_t per_image = pixels / static_cast<size_t>(size[0]);
      context.ParallelRange(pixels, kGrain, [&](size_t begin, size_t end) {
        for (size_t pixel = begin; pixel < end; ++pixel)
          Map(matrices + pixel / per_image * axes * (axes + 1), pixel % per_image, std::span(size).subspan(2),
              y.data<T>() + pixel * axes);
      });
    });
  }

 private:
  /// Coordinates are written the innermost axis first.
  template <typename T>
  void Map(const T* matrix, size_t pixel, std::span<const int64_t> lengths, T* y) const {
    using A = Blend<T>;
    const size_t axes = lengths.size();
    std::array<A, 4> point{};
    for (size_t i = 0; i < axes; ++i) {
      const auto length = static_cast<size_t>(lengths[axes - 1 - i]);
      const A at = static_cast<A>(pixel % length);
      const A steps = static_cast<A>(length);
      pixel /= length;
      if (align_corners_)
        point[i] = length == 1 ? A(-1) : A(2) * at / (steps - 1) - 1;
      else
        point[i] = (2 * at + 1) / steps - 1;
    }
    point[axes] = 1;
    for (size_t i = 0; i < axes; ++i) {
      A sum = 0;
      for (size_t k = 0; k <= axes; ++k) sum += static_cast<A>(matrix[i * (axes + 1) + k]) * point[k];
      y[i] = static_cast<T>(sum);
    }
  }

  bool align_corners_;
};

}  // namespace

void RegisterAffineGrid(KernelList& list) {
  list.Add({.op = "AffineGrid", .since = 20, .types = {{"T1", AllFloats::Values()}}, .make = MakeKernel<AffineGrid>});
}

}  // namespace ortrun::cpu
