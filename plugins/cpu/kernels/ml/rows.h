// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "ortrun/kernel_context.h"
#include "plugins/cpu/kernels/common/types.h"

namespace ortrun::cpu {

/// Types that the feature inputs of ai.onnx.ml's models may have.
using FeatureTypes = TypeList<float, double, int64_t, int32_t>;

/// Rows and columns of a model's input: a vector is one row.
struct RowShape {
  size_t rows;
  size_t width;

  explicit RowShape(const Tensor& x) {
    Require(x.rank() == 1 || x.rank() == 2, "input must have 1 or 2 dimensions, has ", x.rank());
    rows = x.rank() == 1 ? 1 : static_cast<size_t>(x.dim(0));
    width = static_cast<size_t>(x.dim(x.rank() - 1));
  }
};

/// The features as floats: the input's own memory, or a converted copy in scratch memory of the call.
inline const float* FeaturesAsFloats(KernelContext& context, const Tensor& x) {
  const float* result = nullptr;
  DispatchType<FeatureTypes>(x.type(), [&](auto type) {
    using T = typename decltype(type)::type;
    if constexpr (std::is_same_v<T, float>) {
      result = x.data<float>();
    } else {
      float* copy = context.Scratch<float>(x.count());
      for (size_t i = 0; i < x.count(); ++i) copy[i] = static_cast<float>(x.data<T>()[i]);
      result = copy;
    }
  });
  return result;
}

}  // namespace ortrun::cpu
