// SPDX-License-Identifier: Apache-2.0
#include "plugins/cpu/kernels/elementwise/loops.h"

namespace ortrun::cpu {

Shape LegacyBroadcastShape(std::span<const int64_t> a, std::span<const int64_t> b, int64_t axis) {
  if (axis < 0) return Shape(b);
  const auto first = static_cast<size_t>(axis);
  Require(first + b.size() <= a.size(), "attribute axis=", axis, " puts an input of rank ", b.size(),
          " outside the other input's rank ", a.size());
  Shape shape(b);
  for (size_t i = first + b.size(); i < a.size(); ++i) shape.Append(1);
  return shape;
}

LegacyBroadcast::LegacyBroadcast(const KernelInfo& info) {
  if (info.SinceVersion() >= 7) return;
  active = info.Int("broadcast", 0) != 0;
  axis = info.Int("axis", -1);
}

}  // namespace ortrun::cpu
