// SPDX-License-Identifier: Apache-2.0
// GlobalAveragePool, GlobalMaxPool, GlobalLpPool on channels-first data, the first two on channels-last data too.
#include <algorithm>
#include <cmath>
#include <limits>

#include "plugins/cpu/conv/pool.h"
#include "plugins/cpu/kernels/common/context_parallel.h"
#include "plugins/cpu/kernels/common/types.h"
#include "plugins/cpu/kernels/common/widened_kernel.h"
#include "plugins/cpu/kernels/nn/layout.h"
#include "plugins/cpu/kernels/nn/nn.h"

namespace ortrun::cpu {
namespace {

enum class GlobalKind { kAverage, kMax, kLp };

/// Several partial sums, so that additions need not wait for each other.
template <typename T, typename Sum, typename Term>
Sum SumOf(const T* x, size_t count, const Term& term) {
  constexpr size_t kLanes = 8;
  std::array<Sum, kLanes> sums{};
  size_t i = 0;
  for (; i + kLanes <= count; i += kLanes)
    for (size_t lane = 0; lane < kLanes; ++lane) sums[lane] += term(static_cast<Sum>(x[i + lane]));
  Sum total{0};
  for (; i < count; ++i) total += term(static_cast<Sum>(x[i]));
  for (Sum sum : sums) total += sum;
  return total;
}

template <GlobalKind kKind>
class GlobalPoolKernel : public Kernel {
 public:
  explicit GlobalPoolKernel(const KernelInfo& info) {
    if constexpr (kKind == GlobalKind::kLp)
      p_ = info.SinceVersion() == 1 ? info.Float("p", 2) : static_cast<float>(info.Int("p", 2));
    Require(p_ > 0, "attribute p=", p_, " must be positive");
  }

  void Compute(KernelContext& context) const override {
    const Tensor x = context.Input(0);
    Require(x.rank() >= 2, "a global pool needs an input of rank 2 or more, it has ", x.rank());
    Shape shape{x.dim(0), x.dim(1)};
    for (size_t i = 2; i < x.rank(); ++i) shape.Append(1);
    const auto count = static_cast<size_t>(x.shape().Count(2, x.rank()));
    const Tensor y = context.Output(0, shape);
    DispatchType<AllFloats>(x.type(), [&]<typename T>(std::type_identity<T>) {
      context.ParallelRange(y.count(), std::max<size_t>(1, (size_t{1} << 15) / std::max<size_t>(1, count)),
                            [&](size_t begin, size_t end) {
                              for (size_t i = begin; i < end; ++i)
                                y.data<T>()[i] = static_cast<T>(Reduce(x.data<T>() + i * count, count));
                            });
    });
  }

 private:
  template <typename T>
  auto Reduce(const T* x, size_t count) const {
    using Sum = std::conditional_t<std::is_same_v<T, double>, double, float>;
    if constexpr (kKind == GlobalKind::kAverage) {
      return SumOf<T, Sum>(x, count, [](Sum v) { return v; }) / static_cast<Sum>(count);
    } else if constexpr (kKind == GlobalKind::kMax) {
      Sum most = -std::numeric_limits<Sum>::infinity();
      for (size_t i = 0; i < count; ++i) {
        const auto value = static_cast<Sum>(x[i]);
        most = value > most || value != value ? value : most;
      }
      return most;
    } else {
      const auto p = static_cast<Sum>(p_);
      return std::pow(SumOf<T, Sum>(x, count, [p](Sum v) { return std::pow(std::abs(v), p); }), 1 / p);
    }
  }

  float p_ = 2;
};

template <PoolKind kKind>
class ChannelsLastGlobalPool : public Kernel {
 public:
  explicit ChannelsLastGlobalPool(const KernelInfo&) {}
  void Compute(KernelContext& context) const override {
    const Tensor x = context.Input(0);
    Require(x.rank() >= 2, "a global pool needs an input of rank 2 or more, it has ", x.rank());
    const size_t last = x.rank() - 1;
    Shape shape{x.dim(0)};
    for (size_t i = 1; i < last; ++i) shape.Append(1);
    shape.Append(x.dim(last));
    const Tensor y = context.Output(0, shape);
    if (y.count() == 0) return;
    GlobalPool(kKind, ConvLayout::kNhwc, static_cast<size_t>(x.dim(0)), static_cast<size_t>(x.dim(last)),
               static_cast<size_t>(x.shape().Count(1, last)), x.data<float>(), y.data<float>(), ParallelOf(context));
  }
};

template <GlobalKind kKind>
void RegisterGlobalPool(KernelList& list, const char* op) {
  using GlobalKernel = GlobalPoolKernel<kKind>;
  AddWidened(list, {.op = op, .types = {{"T", AllFloats::Values()}}, .make = MakeKernel<GlobalKernel>},
             MakeWidened<GlobalKernel>);
}

}  // namespace

void RegisterGlobalPools(KernelList& list) {
  RegisterGlobalPool<GlobalKind::kAverage>(list, "GlobalAveragePool");
  RegisterGlobalPool<GlobalKind::kMax>(list, "GlobalMaxPool");
  RegisterGlobalPool<GlobalKind::kLp>(list, "GlobalLpPool");
  const std::vector<TypeRule> single = {{"T", {kTypeOf<float>}}};
  list.Add({.domain = kNhwcDomain,
            .op = "GlobalAveragePool",
            .types = single,
            .make = MakeKernel<ChannelsLastGlobalPool<PoolKind::kAverage>>});
  list.Add({.domain = kNhwcDomain,
            .op = "GlobalMaxPool",
            .types = single,
            .make = MakeKernel<ChannelsLastGlobalPool<PoolKind::kMax>>});
}

}  // namespace ortrun::cpu
