// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "ortrun/kernel.h"

namespace ortrun::cpu {

/// The labels of a classifier: integers or strings, whichever the node gives.
class ClassLabels {
 public:
  ClassLabels() = default;
  /// Throws unless exactly one of the two attributes is filled.
  ClassLabels(const KernelInfo& info, const char* integers, const char* strings)
      : integers_(info.Ints(integers)), strings_(info.Strings(strings)) {
    Require(integers_.empty() || strings_.empty(), "only one of ", integers, " and ", strings, " may be given");
  }

  size_t size() const { return strings_.empty() ? integers_.size() : strings_.size(); }

  /// Writes labels[pick[i]] into output `index`, a vector of `rows` labels.
  void Write(KernelContext& context, size_t index, const int32_t* pick, size_t rows) const {
    const Tensor y = context.Output(index, Shape{static_cast<int64_t>(rows)});
    if (!y) return;
    if (strings_.empty()) {
      for (size_t i = 0; i < rows; ++i) y.data<int64_t>()[i] = integers_[static_cast<size_t>(pick[i])];
      return;
    }
    const OrtApi& api = *context.host().api;
    for (size_t i = 0; i < rows; ++i)
      ThrowOnError(api, api.FillStringTensorElement(y.value(), strings_[static_cast<size_t>(pick[i])].c_str(), i));
  }

 private:
  std::vector<int64_t> integers_;
  std::vector<std::string> strings_;
};

}  // namespace ortrun::cpu
