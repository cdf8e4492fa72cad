// SPDX-License-Identifier: Apache-2.0
// LRN: y = x / (bias + alpha / size * sum of squares over `size` neighbouring channels) ^ beta.
#include <algorithm>
#include <cmath>

#include "ortrun/kernel.h"
#include "plugins/cpu/kernels/common/float_view.h"
#include "plugins/cpu/kernels/common/types.h"
#include "plugins/cpu/kernels/elementwise/float_loops.h"
#include "plugins/cpu/kernels/normalization/float_rows.h"
#include "plugins/cpu/kernels/normalization/normalization.h"
#include "plugins/cpu/kernels/reduction/float_fold.h"

namespace ortrun::cpu {
namespace {

constexpr size_t kColumnBlock = 256;

class LocalResponseNormalization : public Kernel {
 public:
  explicit LocalResponseNormalization(const KernelInfo& info)
      : size_(info.Int("size")),
        alpha_(info.Float("alpha", 1e-4F)),
        beta_(info.Float("beta", 0.75F)),
        bias_(info.Float("bias", 1)),
        power_(FindBinaryFloatLoops("Pow")->b_single),
        multiply_(FindBinaryFloatLoops("Mul")->both) {
    Require(size_ >= 1, "attribute size=", size_, " must be at least 1");
  }

  void Compute(KernelContext& context) const override {
    const Tensor x = context.Input(0);
    Require(x.rank() >= 2, "X needs batch and channels, it has rank ", x.rank());
    const Shape shape = x.shape();
    const Tensor y = context.Output(0, shape);
    if (x.count() == 0) return;
    const auto batch = static_cast<size_t>(shape[0]);
    const auto plane = static_cast<size_t>(shape.Count(2, shape.rank()));
    const size_t blocks = (plane + kColumnBlock - 1) / kColumnBlock;
    const auto for_blocks = [&](const auto* from, auto* to) {
      context.ParallelRange(batch * blocks, 1, [&](size_t begin, size_t end) {
        for (size_t task = begin; task < end; ++task) {
          const size_t first = task % blocks * kColumnBlock;
          const size_t at = task / blocks * static_cast<size_t>(shape[1]) * plane + first;
          Columns(from + at, to + at, shape[1], plane, std::min(kColumnBlock, plane - first));
        }
      });
    };
    if (x.type() == kTypeOf<double>) return for_blocks(x.data<double>(), y.data<double>());
    const FloatOutput to(context, y);
    for_blocks(ReadFloats(context, x), to.data());
    to.Finish();
  }

 private:
  /// All channels of up to kColumnBlock neighbouring places.
  template <typename T>
  void Columns(const T* x, T* y, int64_t channels, size_t stride, size_t width) const {
    const int64_t before = std::min((size_ - 1) / 2, channels);
    const int64_t after = std::min(size_ - 1 - (size_ - 1) / 2, channels);
    T sums[kColumnBlock];
    for (int64_t c = 0; c < channels; ++c) {
      const auto first = static_cast<size_t>(std::max<int64_t>(0, c - before));
      const auto last = static_cast<size_t>(std::min(channels - 1, c + after));
      const T* from = x + static_cast<size_t>(c) * stride;
      T* to = y + static_cast<size_t>(c) * stride;
      std::fill_n(sums, width, T{0});
      if constexpr (std::is_same_v<T, float>) {
        FoldColumns(Fold::kSum, Map::kSquare, sums, x + first * stride, width, last - first + 1, stride);
        AffineRow(sums, 0, alpha_ / static_cast<float>(size_), bias_, sums, width);
        const float exponent = -beta_;
        power_(sums, &exponent, sums, width);
        multiply_(from, sums, to, width);
      } else {
        const T factor = static_cast<T>(alpha_) / static_cast<T>(size_);
        for (size_t i = first; i <= last; ++i)
          for (size_t k = 0; k < width; ++k) sums[k] += x[i * stride + k] * x[i * stride + k];
        for (size_t k = 0; k < width; ++k)
          to[k] = from[k] * std::pow(sums[k] * factor + static_cast<T>(bias_), -static_cast<T>(beta_));
      }
    }
  }

  int64_t size_;
  float alpha_;
  float beta_;
  float bias_;
  BinaryFloatLoop power_;
  BinaryFloatLoop multiply_;
};

}  // namespace

void RegisterLocalResponseNormalization(KernelList& list) {
  list.Add({.op = "LRN", .types = {{"T", AllFloats::Values()}}, .make = MakeKernel<LocalResponseNormalization>});
}

}  // namespace ortrun::cpu
