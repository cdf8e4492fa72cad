// SPDX-License-Identifier: Apache-2.0
// SplitToSequence and ConcatFromSequence.
#include <algorithm>

#include "plugins/cpu/kernels/common/element_mover.h"
#include "plugins/cpu/kernels/sequence/sequence.h"
#include "plugins/cpu/kernels/sequence/values.h"

namespace ortrun::cpu {
namespace {

/// Copies elements between places of tensors: for strings one by one, else as bytes.
void CopyElements(const Host& host, const Tensor& from, size_t from_at, const Tensor& to, size_t to_at, size_t count) {
  if (from.type() == ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING) {
    for (size_t i = 0; i < count; ++i) CopyString(host, from, from_at + i, to, to_at + i);
  } else if (count != 0) {
    const size_t size = ElementSize(from.type());
    std::memcpy(to.data<uint8_t>() + to_at * size, from.data<uint8_t>() + from_at * size, count * size);
  }
}

class SplitToSequence : public Kernel {
 public:
  explicit SplitToSequence(const KernelInfo& info)
      : axis_(info.Int("axis", 0)), keep_dims_(info.Int("keepdims", 1) != 0) {}

  void Compute(KernelContext& context) const override {
    const Tensor x = context.Input(0);
    const size_t axis = NormalizeAxis(axis_, x.rank());
    const Tensor split = context.OptionalInput(1);
    const std::vector<int64_t> sizes = Sizes(split, x.dim(axis));
    const Shape shape = x.shape();
    const auto outer = static_cast<size_t>(shape.Count(0, axis));
    const auto inner = static_cast<size_t>(shape.Count(axis + 1, shape.rank()));
    const size_t row = static_cast<size_t>(shape[axis]) * inner;
    std::vector<OwnedValue> elements;
    size_t at = 0;
    for (const int64_t size : sizes) {
      Shape piece;
      for (size_t i = 0; i < shape.rank(); ++i)
        if (i != axis || keep_dims_ || split) piece.Append(i == axis ? size : shape[i]);
      elements.push_back(NewTensor(context.host(), x.type(), piece.dims()));
      const Tensor to = ViewOf(context.host(), elements.back().get());
      const size_t count = static_cast<size_t>(size) * inner;
      for (size_t i = 0; i < outer; ++i) CopyElements(context.host(), x, i * row + at, to, i * count, count);
      at += count;
    }
    SetSequence(context, 0, elements);
  }

 private:
  /// Without `split` every index is a piece; a scalar gives the size of all pieces but perhaps the last.
  static std::vector<int64_t> Sizes(const Tensor& split, int64_t extent) {
    if (split && split.rank() == 1) {
      std::vector<int64_t> sizes = ReadIntegers(split);
      int64_t sum = 0;
      for (const int64_t size : sizes) {
        Require(size >= 0 && size <= extent - sum, "the sizes in split do not add up to the dimension ", extent);
        sum += size;
      }
      Require(sum == extent, "the sizes in split add up to ", sum, ", the dimension is ", extent);
      return sizes;
    }
    Require(!split || split.rank() == 0, "input split must have rank 0 or 1");
    const int64_t each = split ? ReadIntegers(split)[0] : 1;
    Require(each >= 1, "input split=", each, " must be at least 1");
    std::vector<int64_t> sizes;
    for (int64_t left = extent; left > 0; left -= each) sizes.push_back(std::min(left, each));
    return sizes;
  }

  int64_t axis_;
  bool keep_dims_;
};

class ConcatFromSequence : public Kernel {
 public:
  explicit ConcatFromSequence(const KernelInfo& info)
      : axis_(info.Int("axis")), new_axis_(info.Int("new_axis", 0) != 0) {}

  void Compute(KernelContext& context) const override {
    const std::vector<OwnedValue> elements = ReadSequence(context, 0);
    Require(!elements.empty(), "an empty sequence cannot be joined");
    std::vector<Tensor> parts;
    for (const OwnedValue& element : elements) parts.push_back(ViewOf(context.host(), element.get()));
    const size_t rank = parts[0].rank();
    const size_t axis = NormalizeAxis(axis_, rank + (new_axis_ ? 1 : 0));
    int64_t extent = 0;
    for (const Tensor& part : parts) {
      Require(part.rank() == rank && part.type() == parts[0].type(), "the elements differ in rank or type");
      for (size_t i = 0; i < rank; ++i)
        Require((i == axis && !new_axis_) || part.dim(i) == parts[0].dim(i), "the elements differ along axis ", i);
      extent += new_axis_ ? 1 : part.dim(axis);
    }
    Shape shape;
    for (size_t i = 0; i < rank; ++i) {
      if (i == axis) shape.Append(extent);
      if (i != axis || new_axis_) shape.Append(parts[0].dim(i));
    }
    if (axis == rank) shape.Append(extent);
    CheckedCount(shape.dims());
    const Tensor y = context.Output(0, shape);
    Require(y.type() == parts[0].type(), "the elements are tensors of type ", static_cast<int>(parts[0].type()),
            ", but the output is declared with type ", static_cast<int>(y.type()));
    const auto outer = static_cast<size_t>(shape.Count(0, axis));
    const auto inner = static_cast<size_t>(shape.Count(axis + 1, shape.rank()));
    size_t at = 0;
    for (const Tensor& part : parts) {
      const size_t count = (new_axis_ ? 1 : static_cast<size_t>(part.dim(axis))) * inner;
      for (size_t i = 0; i < outer; ++i)
        CopyElements(context.host(), part, i * count, y, i * static_cast<size_t>(extent) * inner + at, count);
      at += count;
    }
  }

 private:
  int64_t axis_;
  bool new_axis_;
};

}  // namespace

void RegisterSequenceSplits(KernelList& list, const Host& host) {
  list.Add(
      {.op = "ConcatFromSequence", .since = 11, .types = {{"S", AllTypes()}}, .make = MakeKernel<ConcatFromSequence>});
  if (OutputValues(host) == nullptr) return;
  list.Add({.op = "SplitToSequence", .since = 11, .types = {{"T", AllTypes()}}, .make = MakeKernel<SplitToSequence>});
}

}  // namespace ortrun::cpu
