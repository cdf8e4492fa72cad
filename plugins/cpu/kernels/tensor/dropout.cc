// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <optional>

#include "plugins/cpu/kernels/common/element_mover.h"
#include "plugins/cpu/kernels/random/random.h"
#include "plugins/cpu/kernels/tensor/tensor.h"

namespace ortrun::cpu {
namespace {

/// In inference the input itself. In training (since version 12, by input) elements are zeroed by a Mersenne twister
/// in the way of numpy's RandomState(seed).uniform, which the standard's reference uses.
class Dropout : public Kernel {
 public:
  explicit Dropout(const KernelInfo& info)
      : training_by_input_(info.SinceVersion() >= 12),
        mask_is_bool_(info.SinceVersion() >= 10),
        source_(info,
                info.HasAttribute("seed") ? std::optional(static_cast<uint32_t>(info.Int("seed", 0))) : std::nullopt) {
    Require(info.SinceVersion() >= 7 || info.Int("is_test", 0) != 0,
            "Dropout in training mode (is_test=0) is not served: export the model for inference");
  }

  void Compute(KernelContext& context) const override {
    const Tensor x = context.Input(0);
    const Tensor y = context.Output(0, x.dims());
    const Tensor mask = context.OutputCount() > 1 ? context.Output(1, x.dims()) : Tensor();
    const Tensor training = training_by_input_ ? context.OptionalInput(2) : Tensor();
    Require(!training || training.count() == 1, "input training_mode must be a scalar");
    const double ratio = training && *training.data<bool>() ? Ratio(context.OptionalInput(1)) : 0.0;
    if (ratio != 0) return Drop(x, y, mask, ratio);
    CopyWhole(context, x, y);
    if (!mask) return;
    if (mask_is_bool_)
      std::fill_n(mask.data<bool>(), mask.count(), true);
    else
      DispatchType<AllFloats>(mask.type(), [&]<typename T>(std::type_identity<T>) {
        std::fill_n(mask.data<T>(), mask.count(), static_cast<T>(1.0F));
      });
  }

 private:
  static double Ratio(const Tensor& given) {
    double ratio = 0.5;
    if (given) {
      Require(given.count() == 1, "input ratio must be a scalar");
      DispatchType<AllFloats>(
          given.type(), [&]<typename T>(std::type_identity<T>) { ratio = static_cast<double>(*given.data<T>()); });
    }
    Require(ratio >= 0 && ratio < 1, "input ratio=", ratio, " must lie in [0, 1)");
    return ratio;
  }

  void Drop(const Tensor& x, const Tensor& y, const Tensor& mask, double ratio) const {
    std::mt19937 generator = source_.Start();
    DispatchType<AllFloats>(x.type(), [&]<typename T>(std::type_identity<T>) {
      const double scale = 1 / (1 - ratio);
      for (size_t i = 0; i < x.count(); ++i) {
        const bool kept = RandomSource::Uniform(generator) >= ratio;
        if (mask) mask.data<bool>()[i] = kept;
        const double value = kept ? static_cast<double>(x.data<T>()[i]) * scale : 0.0;
        if constexpr (std::is_same_v<T, double>)
          y.data<T>()[i] = value;
        else
          y.data<T>()[i] = static_cast<T>(static_cast<float>(value));
      }
    });
  }

  bool training_by_input_;
  bool mask_is_bool_;
  RandomSource source_;
};

}  // namespace

void RegisterDropout(KernelList& list) {
  list.Add(
      {.op = "Dropout", .types = {{"T", AllFloats::Values()}}, .make = MakeKernel<Dropout>, .may_inplace = {{0, 0}}});
}

}  // namespace ortrun::cpu
