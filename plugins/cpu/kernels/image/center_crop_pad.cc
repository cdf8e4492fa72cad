// SPDX-License-Identifier: Apache-2.0
// CenterCropPad: cuts or fills with zeros, evenly on both sides, until axes have the lengths asked for.
#include <algorithm>
#include <array>
#include <cstring>

#include "plugins/cpu/kernels/common/element_mover.h"
#include "plugins/cpu/kernels/image/image.h"

namespace ortrun::cpu {
namespace {

class CenterCropPad : public Kernel {
 public:
  explicit CenterCropPad(const KernelInfo& info) : axes_(info.Ints("axes")), all_(!info.HasAttribute("axes")) {}

  void Compute(KernelContext& context) const override {
    const Tensor x = context.Input(0);
    const std::vector<int64_t> wanted = ReadIntegers(context.Input(1));
    const Shape from = x.shape();
    Shape to = from;
    const size_t axes = all_ ? from.rank() : axes_.size();
    Require(wanted.size() == axes, "input shape has ", wanted.size(), " values for ", axes, " axes");
    std::array<bool, Shape::kMaxRank> seen{};
    for (size_t i = 0; i < axes; ++i) {
      const size_t axis = all_ ? i : NormalizeAxis(axes_[i], from.rank());
      Require(!seen[axis], "attribute axes names axis ", axis, " twice");
      Require(wanted[i] >= 0, "input shape has the negative length ", wanted[i]);
      seen[axis] = true;
      to[axis] = wanted[i];
    }
    CheckedCount(to.dims());
    const Tensor y = context.Output(0, to);
    if (!y || y.count() == 0) return;
    const size_t size = ElementSize(x.type());
    auto* target = static_cast<uint8_t*>(y.raw());
    if (!std::equal(from.begin(), from.end(), to.begin(), [](int64_t a, int64_t b) { return a >= b; }))
      std::memset(target, 0, y.count() * size);
    if (x.count() != 0) CopyMiddle(static_cast<const uint8_t*>(x.raw()), from, target, to, size);
  }

 private:
  /// Copies what both shapes have, row by row of the last axis.
  static void CopyMiddle(const uint8_t* x, const Shape& from, uint8_t* y, const Shape& to, size_t size) {
    const size_t rank = from.rank();
    if (rank == 0) {
      std::memcpy(y, x, size);
      return;
    }
    std::array<int64_t, Shape::kMaxRank> at{};
    const auto skipped = [](int64_t longer, int64_t shorter) { return std::max<int64_t>(0, longer - shorter) / 2; };
    const auto shared = [&](size_t axis) { return std::min(from[axis], to[axis]); };
    for (bool more = true; more;) {
      int64_t source = 0, target = 0;
      for (size_t axis = 0; axis < rank; ++axis) {
        source = source * from[axis] + at[axis] + skipped(from[axis], to[axis]);
        target = target * to[axis] + at[axis] + skipped(to[axis], from[axis]);
      }
      std::memcpy(y + static_cast<size_t>(target) * size, x + static_cast<size_t>(source) * size,
                  static_cast<size_t>(shared(rank - 1)) * size);
      more = false;
      for (size_t axis = rank - 1; axis-- > 0 && !more;) {
        more = ++at[axis] < shared(axis);
        if (!more) at[axis] = 0;
      }
    }
  }

  std::vector<int64_t> axes_;
  bool all_;
};

}  // namespace

void RegisterCenterCropPad(KernelList& list) {
  list.Add({.op = "CenterCropPad", .since = 18, .types = {{"T", FixedSizeTypes()}}, .make = MakeKernel<CenterCropPad>});
}

}  // namespace ortrun::cpu
