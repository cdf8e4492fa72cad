// SPDX-License-Identifier: Apache-2.0
#include <cstring>

#include "plugins/cpu/kernels/common/element_mover.h"
#include "plugins/cpu/kernels/tensor/tensor.h"

namespace ortrun::cpu {
namespace {

/// The sizes stand in an attribute (versions 2 to 12) or in input 1; version 18 adds num_outputs.
class Split : public Kernel {
 public:
  explicit Split(const KernelInfo& info)
      : version_(info.SinceVersion()),
        axis_(info.Int("axis", 0)),
        sizes_(version_ < 13 ? info.Ints("split") : std::vector<int64_t>{}),
        outputs_(info.OutputCount()) {
    const int64_t pieces = info.Int("num_outputs", static_cast<int64_t>(outputs_));
    Require(pieces == static_cast<int64_t>(outputs_), "attribute num_outputs=", pieces, " but the node has ", outputs_,
            " outputs");
  }

  void Compute(KernelContext& context) const override {
    const Tensor x = context.Input(0);
    const size_t axis = NormalizeAxis(axis_, x.rank());
    const std::vector<int64_t> sizes = Sizes(context, x.dim(axis));
    Shape shape = x.shape();
    ElementMover mover(context, x.type());
    const auto* from = static_cast<const uint8_t*>(mover.Input(x));
    const auto outer = static_cast<size_t>(shape.Count(0, axis));
    const size_t inner = static_cast<size_t>(shape.Count(axis + 1, shape.rank())) * mover.size();
    const size_t row = static_cast<size_t>(x.dim(axis)) * inner;
    for (size_t i = 0, at = 0; i < outputs_; ++i) {
      shape[axis] = sizes[i];
      const size_t piece = static_cast<size_t>(sizes[i]) * inner;
      const Tensor y = context.Output(i, shape);
      if (y && y.count() != 0) {
        auto* to = static_cast<uint8_t*>(mover.Output(y));
        context.ParallelRange(outer, std::max<size_t>(1, kGrainBytes / piece), [=](size_t begin, size_t end) {
          for (size_t r = begin; r < end; ++r) std::memcpy(to + r * piece, from + r * row + at, piece);
        });
      }
      at += piece;
    }
    mover.Finish();
  }

 private:
  static constexpr size_t kGrainBytes = 1 << 18;

  std::vector<int64_t> Sizes(const KernelContext& context, int64_t extent) const {
    std::vector<int64_t> sizes = sizes_;
    if (const Tensor given = version_ == 1 || version_ >= 13 ? context.OptionalInput(1) : Tensor())
      sizes = ReadIntegers(given);
    const auto pieces = static_cast<int64_t>(outputs_);
    if (sizes.empty()) {
      const int64_t each = (extent + pieces - 1) / pieces;
      Require(version_ >= 18 || extent % pieces == 0, "a dimension of ", extent, " does not split into ", pieces,
              " equal parts: give the sizes in split");
      sizes.assign(outputs_, each);
      sizes.back() = extent - each * (pieces - 1);
      Require(sizes.back() >= 0, "a dimension of ", extent, " does not split into ", pieces, " parts of ", each);
    }
    Require(sizes.size() == outputs_, "split names ", sizes.size(), " sizes for ", outputs_, " outputs");
    int64_t sum = 0;
    for (int64_t size : sizes) {
      Require(size >= 0 && size <= extent - sum, "the sizes in split do not add up to the dimension ", extent);
      sum += size;
    }
    Require(sum == extent, "the sizes in split add up to ", sum, ", the dimension is ", extent);
    return sizes;
  }

  int version_;
  int64_t axis_;
  std::vector<int64_t> sizes_;
  size_t outputs_;
};

}  // namespace

void RegisterSplit(KernelList& list) {
  list.Add({.op = "Split", .types = {{"T", AllTypes()}}, .make = MakeKernel<Split>});
}

}  // namespace ortrun::cpu
