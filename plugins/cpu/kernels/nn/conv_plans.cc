// SPDX-License-Identifier: Apache-2.0
#include "plugins/cpu/kernels/nn/conv_plans.h"

#include <algorithm>
#include <stdexcept>

#include "ortrun/error.h"

namespace ortrun::cpu {
namespace {

constexpr size_t kRecent = 16;

/// Whether a plan serves `shape`: all but the input's sizes is the same in one convolution.
bool Serves(const ConvPlan& plan, const Conv2dShape& shape) {
  const Conv2dShape& own = plan.shape();
  return own.batch == shape.batch && own.in_height == shape.in_height && own.in_width == shape.in_width &&
         own.in_channels == shape.in_channels && own.out_channels == shape.out_channels &&
         own.kernel_height == shape.kernel_height && own.kernel_width == shape.kernel_width &&
         own.pad_top == shape.pad_top && own.pad_left == shape.pad_left && own.pad_bottom == shape.pad_bottom &&
         own.pad_right == shape.pad_right;
}

ConvPlan MakePlan(const Conv2dShape& shape) {
  try {
    return ConvPlan(shape);
  } catch (const std::invalid_argument& error) {
    throw Error(ORT_INVALID_ARGUMENT, error.what());
  }
}

}  // namespace

void ConvPlans::Fix(const Conv2dShape& shape, const ConstantTensor& weights) {
  ConvPlan plan = MakePlan(shape);
  const void* packed = Packed(plan, weights);
  fixed_ = std::make_shared<const Entry>(Entry{std::move(plan), packed});
}

std::shared_ptr<const ConvPlans::Entry> ConvPlans::Find(const Conv2dShape& shape, const float* weights) {
  if (fixed_ != nullptr && Serves(fixed_->plan, shape)) return fixed_;
  const std::lock_guard lock(mutex_);
  const auto found =
      std::find_if(recent_.begin(), recent_.end(), [&](const auto& entry) { return Serves(entry->plan, shape); });
  if (found != recent_.end()) {
    std::rotate(recent_.begin(), found, found + 1);
    return recent_.front();
  }
  ConvPlan plan = MakePlan(shape);
  ConstantTensor unshared;  // in memory of this kernel's own: the host shares weights only while kernels are made
  unshared.data = weights;
  const void* packed =
      weights == nullptr && !packed_[static_cast<size_t>(plan.weights_form())] ? nullptr : Packed(plan, unshared);
  if (recent_.size() == kRecent) recent_.pop_back();
  recent_.insert(recent_.begin(), std::make_shared<const Entry>(Entry{std::move(plan), packed}));
  return recent_.front();
}

const void* ConvPlans::Packed(const ConvPlan& plan, const ConstantTensor& weights) {
  PackedForm& buffer = packed_[static_cast<size_t>(plan.weights_form())];
  if (!buffer) {
    const Conv2dShape& s = plan.shape();
    const std::string form =
        Concat("convolution ", static_cast<int>(plan.weights_form()), ' ', static_cast<int>(s.layout), ' ', s.groups,
               ' ', s.out_channels, 'x', s.in_channels, 'x', s.kernel_height, 'x', s.kernel_width);
    buffer = Pack(weights, form, plan.PackedWeightsSize(),
                  [&](void* to) { plan.PackWeights(weights.as<float>(), to, Parallel{}); });
  }
  return buffer.get();
}

}  // namespace ortrun::cpu
