// SPDX-License-Identifier: Apache-2.0
// HannWindow, HammingWindow, BlackmanWindow: sums of up to three cosines.
#include <cmath>
#include <numbers>

#include "plugins/cpu/kernels/common/element_mover.h"
#include "plugins/cpu/kernels/signal/signal.h"

namespace ortrun::cpu {
namespace {

/// w[i] = c0 - c1 cos(2 pi i / n) + c2 cos(4 pi i / n).
struct Hann {
  static constexpr double kCosines[3] = {0.5, 0.5, 0};
};
struct Hamming {
  static constexpr double kCosines[3] = {25.0 / 46, 21.0 / 46, 0};
};
struct Blackman {
  static constexpr double kCosines[3] = {0.42, 0.5, 0.08};
};

using WindowTypes = NumbersAndHalf;

template <typename Form>
class Window : public Kernel {
 public:
  explicit Window(const KernelInfo& info) : periodic_(info.Int("periodic", 1) != 0) {}

  void Compute(KernelContext& context) const override {
    const Tensor size = context.Input(0);
    Require(size.count() == 1, "input size must be a scalar, it has ", size.count(), " elements");
    const int64_t count = ReadIntegers(size)[0];
    Require(count >= 0, "input size=", count, " must not be negative");
    const Tensor y = context.Output(0, Shape{count});
    const auto period = static_cast<double>(std::max<int64_t>(1, periodic_ ? count : count - 1));
    DispatchType<WindowTypes>(y.type(), [&]<typename T>(std::type_identity<T>) {
      for (size_t i = 0; i < y.count(); ++i) {
        const double angle = 2 * std::numbers::pi * static_cast<double>(i) / period;
        const auto& c = Form::kCosines;
        const double value = c[0] - c[1] * std::cos(angle) + c[2] * std::cos(2 * angle);
        if constexpr (std::is_same_v<T, Float16> || std::is_same_v<T, BFloat16>)
          y.data<T>()[i] = T(static_cast<float>(value));
        else if constexpr (std::is_unsigned_v<T>)
          y.data<T>()[i] = static_cast<T>(std::max(0.0, value));
        else
          y.data<T>()[i] = static_cast<T>(value);
      }
    });
  }

 private:
  bool periodic_;
};

template <typename Form>
void RegisterWindow(KernelList& list, const char* op) {
  list.Add({.op = op, .since = 17, .types = {{"T2", WindowTypes::Values()}}, .make = MakeKernel<Window<Form>>});
}

}  // namespace

void RegisterWindows(KernelList& list) {
  RegisterWindow<Hann>(list, "HannWindow");
  RegisterWindow<Hamming>(list, "HammingWindow");
  RegisterWindow<Blackman>(list, "BlackmanWindow");
}

}  // namespace ortrun::cpu
