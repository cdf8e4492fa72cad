// SPDX-License-Identifier: Apache-2.0
// DynamicQuantizeLinear: QuantizeLinear to uint8 with a scale and zero point that just hold the input's range and 0.
#include <algorithm>
#include <cmath>

#include "plugins/cpu/kernels/common/types.h"
#include "plugins/cpu/kernels/quantization/quantization.h"
#include "plugins/cpu/kernels/quantization/quantized_rows.h"
#include "plugins/cpu/kernels/reduction/float_fold.h"

namespace ortrun::cpu {
namespace {

constexpr size_t kGrain = 1 << 14;  ///< elements that pay for handing a task to another thread

class DynamicQuantizeLinear : public Kernel {
 public:
  explicit DynamicQuantizeLinear(const KernelInfo&) {}

  void Compute(KernelContext& context) const override {
    const Tensor x = context.Input(0);
    const float* from = x.data<float>();
    const Tensor y = context.Output(0, x.dims());
    const Tensor scale_output = context.Output(1, Shape{});
    const Tensor zero_output = context.Output(2, Shape{});
    float low = 0;
    float high = 0;
    if (x.count() != 0) {
      low = std::min(low, FoldRow(Fold::kMin, Map::kNone, from, x.count()));
      high = std::max(high, FoldRow(Fold::kMax, Map::kNone, from, x.count()));
    }
    const float scale = high == low ? 1 : (high - low) / 255;
    const float zero = std::clamp(std::nearbyint(-low / scale), 0.0F, 255.0F);
    const auto zero_point = static_cast<uint8_t>(zero == zero ? zero : 0.0F);
    if (scale_output) *scale_output.data<float>() = scale;
    if (zero_output) *zero_output.data<uint8_t>() = zero_point;
    context.ParallelRange(x.count(), kGrain, [&](size_t begin, size_t end) {
      QuantizeRow(from + begin, scale, zero_point, y.data<uint8_t>() + begin, end - begin);
    });
  }
};

}  // namespace

void RegisterDynamicQuantizeLinear(KernelList& list) {
  list.Add({.op = "DynamicQuantizeLinear",
            .since = 11,
            .types = {{"T1", {kTypeOf<float>}}},
            .make = MakeKernel<DynamicQuantizeLinear>});
}

}  // namespace ortrun::cpu
