// SPDX-License-Identifier: Apache-2.0
// Operators whose output is the input's memory under another shape: Reshape, Flatten, Squeeze, Unsqueeze.
#include <algorithm>

#include "plugins/cpu/kernels/common/element_mover.h"
#include "plugins/cpu/kernels/sequence/values.h"
#include "plugins/cpu/kernels/tensor/tensor.h"

namespace ortrun::cpu {
namespace {

/// Axes that stand in an attribute in old versions and in an input in new ones.
class AxesParameter {
 public:
  AxesParameter(const KernelInfo& info, int input_since)
      : by_input_(info.SinceVersion() >= input_since), axes_(by_input_ ? std::vector<int64_t>{} : info.Ints("axes")) {}
  std::vector<int64_t> Read(const KernelContext& context) const {
    if (!by_input_) return axes_;
    const Tensor axes = context.OptionalInput(1);
    return axes ? ReadIntegers(axes) : std::vector<int64_t>{};
  }

 private:
  bool by_input_;
  std::vector<int64_t> axes_;
};

class Reshape : public Kernel {
 public:
  explicit Reshape(const KernelInfo& info)
      : by_input_(info.SinceVersion() >= 5),
        allow_zero_(info.Int("allowzero", 0) != 0),
        target_(by_input_ ? std::vector<int64_t>{} : info.Ints("shape")) {}

  void Compute(KernelContext& context) const override {
    const Tensor x = context.Input(0);
    if (by_input_) {
      const Tensor shape = context.Input(1);
      Require(shape.type() == kTypeOf<int64_t> && shape.rank() == 1, "input shape must be a list of int64");
      CopyWhole(context, x, context.Output(0, Resolve(x, {shape.data<int64_t>(), shape.count()})));
    } else {
      CopyWhole(context, x, context.Output(0, Resolve(x, target_)));
    }
  }

 private:
  Shape Resolve(const Tensor& x, std::span<const int64_t> target) const {
    Shape shape(target);
    const auto count = static_cast<int64_t>(x.count());
    int64_t known = 1;
    size_t inferred = Shape::kMaxRank;
    for (size_t i = 0; i < target.size(); ++i) {
      if (target[i] == -1) {
        Require(inferred == Shape::kMaxRank, "the new shape has more than one -1");
        inferred = i;
        continue;
      }
      if (target[i] == 0 && !allow_zero_) {
        Require(i < x.rank(), "the new shape copies dimension ", i, " of an input of rank ", x.rank());
        shape[i] = x.dim(i);
      }
      Require(shape[i] >= 0, "the new shape has the dimension ", shape[i]);
      Require(!__builtin_mul_overflow(known, shape[i], &known), "the new shape is too large");
    }
    if (inferred != Shape::kMaxRank && known == 0 && !allow_zero_) {
      shape[inferred] = BesideEmpty(x, target);
    } else if (inferred != Shape::kMaxRank) {
      Require(known != 0 ? count % known == 0 : count == 0, "an input of ", count,
              " elements does not divide into the new shape, whose known dimensions make ", known);
      shape[inferred] = known != 0 ? count / known : 0;
    } else {
      Require(known == count, "an input of ", count, " elements cannot take a shape of ", known);
    }
    return shape;
  }

  /// The open dimension beside a copied one that is empty: what is left on both sides without the copied ones.
  static int64_t BesideEmpty(const Tensor& x, std::span<const int64_t> target) {
    int64_t left = 1;
    int64_t given = 1;
    bool fits = true;
    for (size_t i = 0; i < x.rank(); ++i)
      if (i >= target.size() || target[i] != 0) fits = fits && !__builtin_mul_overflow(left, x.dim(i), &left);
    for (const int64_t dim : target)
      if (dim > 0) fits = fits && !__builtin_mul_overflow(given, dim, &given);
    Require(fits && left % given == 0, "the open dimension of an empty tensor cannot be told");
    return left / given;
  }

  bool by_input_;
  bool allow_zero_;
  std::vector<int64_t> target_;
};

class Flatten : public Kernel {
 public:
  explicit Flatten(const KernelInfo& info) : axis_(info.Int("axis", 1)) {}
  void Compute(KernelContext& context) const override {
    const Tensor x = context.Input(0);
    const auto rank = static_cast<int64_t>(x.rank());
    Require(axis_ >= -rank && axis_ <= rank, "attribute axis=", axis_, " is outside an input of rank ", rank);
    const auto axis = static_cast<size_t>(axis_ < 0 ? axis_ + rank : axis_);
    const Shape shape = x.shape();
    CopyWhole(context, x, context.Output(0, Shape{shape.Count(0, axis), shape.Count(axis, shape.rank())}));
  }

 private:
  int64_t axis_;
};

class Squeeze : public Kernel {
 public:
  explicit Squeeze(const KernelInfo& info) : axes_(info, 13) {}
  void Compute(KernelContext& context) const override {
    const Tensor x = context.Input(0);
    std::array<bool, Shape::kMaxRank> drop{};
    const Shape from = x.shape();
    const std::vector<int64_t> axes = axes_.Read(context);
    for (int64_t axis : axes) {
      const size_t at = NormalizeAxis(axis, from.rank());
      Require(from[at] == 1, "axis ", axis, " cannot be squeezed, its dimension is ", from[at]);
      drop[at] = true;
    }
    Shape shape;
    for (size_t i = 0; i < from.rank(); ++i)
      if (axes.empty() ? from[i] != 1 : !drop[i]) shape.Append(from[i]);
    CopyWhole(context, x, context.Output(0, shape));
  }

 private:
  AxesParameter axes_;
};

class Unsqueeze : public Kernel {
 public:
  explicit Unsqueeze(const KernelInfo& info) : axes_(info, 13) {}
  void Compute(KernelContext& context) const override {
    const Tensor x = context.Input(0);
    const std::vector<int64_t> axes = axes_.Read(context);
    const size_t rank = x.rank() + axes.size();
    Require(rank <= Shape::kMaxRank, "rank ", rank, " is larger than the ", Shape::kMaxRank, " supported");
    std::array<bool, Shape::kMaxRank> fresh{};
    for (int64_t axis : axes) {
      const size_t at = NormalizeAxis(axis, rank);
      Require(!fresh[at], "axis ", axis, " is named twice");
      fresh[at] = true;
    }
    Shape shape;
    for (size_t i = 0, from = 0; i < rank; ++i) shape.Append(fresh[i] ? 1 : x.dim(from++));
    CopyWhole(context, x, context.Output(0, shape));
  }

 private:
  AxesParameter axes_;
};

template <typename K>
void RegisterView(KernelList& list, const char* op) {
  list.Add({.op = op, .types = {{"T", StoredTypes()}}, .make = MakeKernel<K>, .alias = {{0, 0}}});
}

}  // namespace

void RegisterReshape(KernelList& list) {
  RegisterView<Reshape>(list, "Reshape");
  RegisterView<Flatten>(list, "Flatten");
  RegisterView<Squeeze>(list, "Squeeze");
  RegisterView<Unsqueeze>(list, "Unsqueeze");
}

}  // namespace ortrun::cpu
