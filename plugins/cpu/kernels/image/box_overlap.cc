// SPDX-License-Identifier: Apache-2.0
#include "plugins/cpu/kernels/image/box_overlap.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "plugins/cpu/kernels/image/box_overlap.cc"
// clang-format off
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace ortrun::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

bool OverlapsTarget(const Box& box, const BoxList& list, float limit) {
  const hn::CappedTag<float, BoxList::kBlock> d;
  using V = hn::Vec<decltype(d)>;
  const size_t lanes = hn::Lanes(d);
  const V zero = hn::Zero(d), top = hn::Set(d, box.top), left = hn::Set(d, box.left), bottom = hn::Set(d, box.bottom);
  const V right = hn::Set(d, box.right), area = hn::Set(d, box.area), most = hn::Set(d, limit);
  for (size_t i = 0; i < list.size(); i += lanes) {
    const V height =
        hn::Sub(hn::Min(bottom, hn::Load(d, list.bottom() + i)), hn::Max(top, hn::Load(d, list.top() + i)));
    const V width = hn::Sub(hn::Min(right, hn::Load(d, list.right() + i)), hn::Max(left, hn::Load(d, list.left() + i)));
    const auto meets = hn::And(hn::Gt(height, zero), hn::Gt(width, zero));
    if (hn::AllFalse(d, meets)) continue;
    const V common = hn::Mul(height, width);
    const V other = hn::Load(d, list.area() + i);
    const V share = hn::Div(common, hn::Sub(hn::Add(area, other), common));
    const auto hits = hn::And(hn::And(meets, hn::Gt(common, zero)), hn::And(hn::Gt(other, zero), hn::Gt(share, most)));
    if (!hn::AllFalse(d, hits)) return true;
  }
  return false;
}

}  // namespace ortrun::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ortrun::cpu {
HWY_EXPORT(OverlapsTarget);

void BoxList::Append(const Box& box) {
  const float fields[kFields] = {box.top, box.left, box.bottom, box.right, box.area};
  for (size_t field = 0; field < kFields; ++field) {
    float* list = memory_ + field * stride_ + size_;
    if (size_ % kBlock == 0) std::fill_n(list, kBlock, 0.0f);  // the rest of the block has no area
    *list = fields[field];
  }
  ++size_;
}

bool BoxList::Overlaps(const Box& box, float limit) const {
  return box.area > 0 && HWY_DYNAMIC_DISPATCH(OverlapsTarget)(box, *this, limit);
}

}  // namespace ortrun::cpu
#endif
