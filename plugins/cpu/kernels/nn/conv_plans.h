// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <memory>
#include <mutex>
#include <vector>

#include "ortrun/kernel_info.h"
#include "plugins/cpu/conv/conv.h"
#include "plugins/cpu/kernels/common/packed_form.h"

namespace ortrun::cpu {

/// The plans of one convolution for the input shapes that it has met, and its constant weights in the forms that they
/// want. Thread-safe. The shape known when the kernel is made has a plan of its own, found without a lock; of others
/// the latest few are kept.
class ConvPlans {
 public:
  struct Entry {
    ConvPlan plan;
    const void* packed;  ///< NULL where the weights are not constant; lives as long as the ConvPlans
  };

  /// Makes the plan for the one shape that this convolution has, and packs its weights (OIHW) for it.
  void Fix(const Conv2dShape& shape, const ConstantTensor& weights);

  /// The entry for a shape. `weights` are read only when a form is packed for the first time; NULL when they are not
  /// constant.
  std::shared_ptr<const Entry> Find(const Conv2dShape& shape, const float* weights);

  bool fixed() const { return fixed_ != nullptr; }

 private:
  const void* Packed(const ConvPlan& plan, const ConstantTensor& weights);

  std::shared_ptr<const Entry> fixed_;
  std::mutex mutex_;
  std::vector<std::shared_ptr<const Entry>> recent_;
  std::array<PackedForm, ConvPlan::kWeightsForms> packed_;  ///< by WeightsForm
};

}  // namespace ortrun::cpu
