// SPDX-License-Identifier: Apache-2.0
// ScatterElements (Scatter until version 10) and ScatterND, with their reductions.
#include <algorithm>
#include <cstring>
#include <string>

#include "plugins/cpu/kernels/common/element_mover.h"
#include "plugins/cpu/kernels/tensor/tensor.h"

namespace ortrun::cpu {
namespace {

using IndexTypes = TypeList<int32_t, int64_t>;

enum class Reduction { kNone, kAdd, kMul, kMax, kMin };

Reduction ReadReduction(const KernelInfo& info) {
  const std::string name = info.String("reduction", "none");
  constexpr std::array<const char*, 5> kNames = {"none", "add", "mul", "max", "min"};
  const auto found = std::find(kNames.begin(), kNames.end(), name);
  Require(found != kNames.end(), "attribute reduction is \"", name, "\", it must be none, add, mul, max or min");
  return static_cast<Reduction>(found - kNames.begin());
}

template <typename T>
T Reduce(Reduction reduction, T old, T fresh) {
  if constexpr (std::is_same_v<T, bool>) {
    return reduction == Reduction::kAdd || reduction == Reduction::kMax ? old || fresh : old && fresh;
  } else {
    using Wide = std::conditional_t<std::is_integral_v<T>, uint64_t,
                                    std::conditional_t<std::is_same_v<T, double>, double, float>>;
    const auto a = static_cast<Wide>(old);
    const auto b = static_cast<Wide>(fresh);
    switch (reduction) {
      case Reduction::kAdd:
        return static_cast<T>(a + b);
      case Reduction::kMul:
        return static_cast<T>(a * b);
      case Reduction::kMax:
        return old < fresh ? fresh : old;
      case Reduction::kMin:
        return fresh < old ? fresh : old;
      case Reduction::kNone:
        break;
    }
    return fresh;
  }
}

using ReducibleTypes = TypeList<float, double, int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t,
                                Float16, BFloat16, bool>;

int64_t WrapIndex(int64_t index, int64_t extent) {
  const int64_t wrapped = index < 0 ? index + extent : index;
  Require(wrapped >= 0 && wrapped < extent, "index ", index, " is outside [-", extent, ", ", extent, ")");
  return wrapped;
}

/// Puts `count` elements of `from` to `to`: copied, or combined with what is there.
void Put(Reduction reduction, ElementType type, size_t size, const void* from, size_t from_at, void* to, size_t to_at,
         size_t count) {
  if (reduction == Reduction::kNone) {
    std::memcpy(static_cast<uint8_t*>(to) + to_at * size, static_cast<const uint8_t*>(from) + from_at * size,
                count * size);
    return;
  }
  DispatchType<ReducibleTypes>(type, [&]<typename T>(std::type_identity<T>) {
    const T* source = static_cast<const T*>(from) + from_at;
    T* target = static_cast<T*>(to) + to_at;
    for (size_t i = 0; i < count; ++i) target[i] = Reduce(reduction, target[i], source[i]);
  });
}

/// Starts an output as a copy of `x` and answers where its elements (or tokens) lie.
void* StartFrom(ElementMover& mover, const Tensor& x, const Tensor& y) {
  const void* from = mover.Input(x);
  void* to = mover.Output(y);
  if (from != to && x.count() != 0) std::memcpy(to, from, x.count() * mover.size());
  return to;
}

class ScatterElements : public Kernel {
 public:
  explicit ScatterElements(const KernelInfo& info) : axis_(info.Int("axis", 0)), reduction_(ReadReduction(info)) {}

  void Compute(KernelContext& context) const override {
    const Tensor x = context.Input(0);
    const Tensor indices = context.Input(1);
    const Tensor updates = context.Input(2);
    const size_t axis = NormalizeAxis(axis_, x.rank());
    Require(indices.shape() == updates.shape(), "inputs indices and updates differ in shape");
    Require(indices.rank() == x.rank(), "input indices has rank ", indices.rank(), ", data has rank ", x.rank());
    for (size_t i = 0; i < x.rank(); ++i)
      Require(i == axis || indices.dim(i) <= x.dim(i), "input indices has ", indices.dim(i), " along axis ", i,
              ", data has only ", x.dim(i));
    Require(reduction_ == Reduction::kNone || x.type() != ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING,
            "strings cannot be reduced");
    const Tensor y = context.Output(0, x.dims());
    ElementMover mover(context, x.type());
    void* to = StartFrom(mover, x, y);
    const void* from = mover.Input(updates);
    Shape steps = x.shape();
    for (size_t i = x.rank(), step = 1; i-- > 0; step *= static_cast<size_t>(x.dim(i)))
      steps[i] = static_cast<int64_t>(step);
    DispatchType<IndexTypes>(indices.type(), [&]<typename I>(std::type_identity<I>) {
      for (size_t i = 0; i < indices.count(); ++i) {
        int64_t at = 0;
        size_t rest = i;
        for (size_t k = x.rank(); k-- > 0;) {
          const auto extent = static_cast<size_t>(indices.dim(k));
          const auto here = static_cast<int64_t>(rest % extent);
          rest /= extent;
          at += steps[k] * (k == axis ? WrapIndex(static_cast<int64_t>(indices.data<I>()[i]), x.dim(k)) : here);
        }
        Put(reduction_, x.type(), mover.size(), from, i, to, static_cast<size_t>(at), 1);
      }
    });
    mover.Finish();
  }

 private:
  int64_t axis_;
  Reduction reduction_;
};

class ScatterND : public Kernel {
 public:
  explicit ScatterND(const KernelInfo& info) : reduction_(ReadReduction(info)) {}

  void Compute(KernelContext& context) const override {
    const Tensor x = context.Input(0);
    const Tensor indices = context.Input(1);
    const Tensor updates = context.Input(2);
    Require(indices.type() == kTypeOf<int64_t> && indices.rank() >= 1, "input indices must be int64 of rank >= 1");
    const int64_t last = indices.dim(indices.rank() - 1);
    Require(last >= 0 && static_cast<size_t>(last) <= x.rank(), "the last dimension of indices is ", last,
            ", data has rank ", x.rank());
    Require(reduction_ == Reduction::kNone || x.type() != ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING,
            "strings cannot be reduced");
    const auto depth = static_cast<size_t>(last);
    Shape wanted(indices.dims().first(indices.rank() - 1));
    for (size_t i = depth; i < x.rank(); ++i) wanted.Append(x.dim(i));
    Require(updates.shape() == wanted, "input updates has the wrong shape for these data and indices");
    const Tensor y = context.Output(0, x.dims());
    ElementMover mover(context, x.type());
    void* to = StartFrom(mover, x, y);
    const void* from = mover.Input(updates);
    const auto piece = static_cast<size_t>(x.shape().Count(depth, x.rank()));
    const auto tuples = static_cast<size_t>(indices.shape().Count(0, indices.rank() - 1));
    const int64_t* index = indices.data<int64_t>();
    for (size_t i = 0; i < tuples && piece != 0; ++i) {
      size_t at = 0;
      for (size_t k = 0; k < depth; ++k)
        at = at * static_cast<size_t>(x.dim(k)) + static_cast<size_t>(WrapIndex(index[i * depth + k], x.dim(k)));
      Put(reduction_, x.type(), mover.size(), from, i * piece, to, at * piece, piece);
    }
    mover.Finish();
  }

 private:
  Reduction reduction_;
};

}  // namespace

void RegisterScatter(KernelList& list) {
  const std::vector<TypeRule> types = {{"T", AllTypes()}, {"Tind", IndexTypes::Values()}};
  list.Add({.op = "Scatter", .since = 9, .until = 10, .types = types, .make = MakeKernel<ScatterElements>});
  list.Add({.op = "ScatterElements",
            .since = 11,
            .types = types,
            .make = MakeKernel<ScatterElements>,
            .may_inplace = {{0, 0}}});
  list.Add({.op = "ScatterND",
            .since = 11,
            .types = {{"T", AllTypes()}},
            .make = MakeKernel<ScatterND>,
            .may_inplace = {{0, 0}}});
}

}  // namespace ortrun::cpu
