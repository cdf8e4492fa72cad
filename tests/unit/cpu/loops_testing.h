// SPDX-License-Identifier: Apache-2.0
// What the tests of the inner loops share: every instruction set of this machine, a parallel-for of threads, random
// arrays with guards behind them, the activations in double precision.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "hwy/highway.h"
#include "plugins/cpu/gemm/epilogue.h"
#include "plugins/cpu/gemm/parallel.h"

namespace ortrun::cpu {

/// Runs `body` once for each instruction set that this machine has and the loops are built for.
inline void ForEachTarget(const std::function<void()>& body) {
  hwy::SetSupportedTargetsForTest(0);
  const int64_t supported = hwy::SupportedTargets() & HWY_TARGETS;
  ASSERT_NE(supported, 0);
  for (int64_t rest = supported; rest != 0; rest &= rest - 1) {
    const int64_t target = rest & -rest;
    SCOPED_TRACE(hwy::TargetName(target));
    hwy::SetSupportedTargetsForTest(target);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
    body();
  }
  hwy::SetSupportedTargetsForTest(0);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}

/// As many threads as blocks, at most `threads` at a time, last block first.
inline Parallel Threads(size_t threads) {
  Parallel parallel;
  parallel.threads = threads;
  parallel.run = [](void*, size_t blocks, void (*fn)(void*, size_t), void* arg) {
    std::atomic<size_t> next{blocks};
    const auto work = [&] {
      for (size_t left = next.load(); left != 0;) {
        if (next.compare_exchange_weak(left, left - 1)) {
          fn(arg, left - 1);
          left = next.load();
        }
      }
    };
    std::thread helper(work);
    work();
    helper.join();
  };
  return parallel;
}

/// `count` random floats in [-1, 1) with nothing behind them, so that the address sanitizer sees reads beyond.
inline std::vector<float> RandomFloats(size_t count, uint32_t seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> uniform(-1.0F, 1.0F);
  std::vector<float> values(count);
  for (float& value : values) value = uniform(random);
  return values;
}

/// `count` random floats in [-1, 1) and, behind them, guards that must not change.
class GuardedArray {
 public:
  explicit GuardedArray(size_t count, uint32_t seed = 1) : values_(count + kGuards, kGuard), count_(count) {
    std::mt19937 random(seed);
    std::uniform_real_distribution<float> uniform(-1.0F, 1.0F);
    for (size_t i = 0; i < count; ++i) values_[i] = uniform(random);
  }
  float* data() { return values_.data(); }
  const float* data() const { return values_.data(); }
  size_t size() const { return count_; }
  float operator[](size_t i) const { return values_[i]; }
  bool Intact() const {
    return std::all_of(values_.begin() + static_cast<ptrdiff_t>(count_), values_.end(),
                       [](float value) { return value == kGuard; });
  }

 private:
  static constexpr size_t kGuards = 64;
  static constexpr float kGuard = 12345.0F;
  std::vector<float> values_;
  size_t count_;
};

inline double ActivateReference(const Activation& a, double x) {
  const double alpha = a.alpha;
  const double beta = a.beta;
  switch (a.kind) {
    case ActivationKind::kNone:
      return x;
    case ActivationKind::kRelu:
      return std::max(x, 0.0);
    case ActivationKind::kClip:
      return std::min(std::max(x, alpha), beta);
    case ActivationKind::kLeakyRelu:
      return x < 0 ? x * alpha : x;
    case ActivationKind::kSigmoid:
      return 1 / (1 + std::exp(-x));
    case ActivationKind::kTanh:
      return std::tanh(x);
    case ActivationKind::kHardSigmoid:
      return std::clamp(alpha * x + beta, 0.0, 1.0);
    case ActivationKind::kHardSwish:
      return x * std::clamp(x / 6 + 0.5, 0.0, 1.0);
    case ActivationKind::kSilu:
      return x / (1 + std::exp(-x));
    case ActivationKind::kGeluErf:
      return x * 0.5 * (1 + std::erf(x / std::sqrt(2.0)));
    case ActivationKind::kGeluTanh:
      return x * 0.5 * (1 + std::tanh(std::sqrt(2 / 3.14159265358979323846) * (x + 0.044715 * x * x * x)));
  }
  return 0;
}

inline std::vector<Activation> AllActivations() {
  return {{ActivationKind::kNone},
          {ActivationKind::kRelu},
          {ActivationKind::kClip, -0.25F, 0.5F},
          {ActivationKind::kLeakyRelu, 0.1F},
          {ActivationKind::kSigmoid},
          {ActivationKind::kTanh},
          {ActivationKind::kHardSigmoid, 0.2F, 0.5F},
          {ActivationKind::kHardSwish},
          {ActivationKind::kSilu},
          {ActivationKind::kGeluErf},
          {ActivationKind::kGeluTanh}};
}

}  // namespace ortrun::cpu
