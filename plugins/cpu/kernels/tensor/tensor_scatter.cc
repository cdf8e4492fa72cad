// SPDX-License-Identifier: Apache-2.0
// TensorScatter: puts the slices of an update into a cache, each sample of the batch at a place of its own.
#include <cstring>
#include <string>

#include "plugins/cpu/kernels/common/element_mover.h"
#include "plugins/cpu/kernels/common/narrow_types.h"
#include "plugins/cpu/kernels/tensor/tensor.h"

namespace ortrun::cpu {
namespace {

/// The cache is [batch, outer, length, inner], the update [batch, outer, count, inner]; bytes in `inner`.
struct Slices {
  size_t batch;
  size_t outer;
  size_t length;
  size_t count;
  size_t inner;
};

/// Puts the update into `to`, which holds the cache; `at` has the first place of each sample, 0 <= at < length.
void PutSlices(const Slices& s, const int64_t* at, const uint8_t* from, uint8_t* to) {
  for (size_t i = 0; i < s.batch * s.outer; ++i) {
    const auto first = static_cast<size_t>(at[i / s.outer]);
    const size_t before_end = std::min(s.count, s.length - first);
    uint8_t* cache = to + i * s.length * s.inner;
    const uint8_t* update = from + i * s.count * s.inner;
    std::memcpy(cache + first * s.inner, update, before_end * s.inner);
    std::memcpy(cache, update + before_end * s.inner, (s.count - before_end) * s.inner);
  }
}

class TensorScatter : public Kernel {
 public:
  explicit TensorScatter(const KernelInfo& info) : axis_(info.Int("axis", -2)) {
    const std::string mode = info.String("mode", "linear");
    Require(mode == "linear" || mode == "circular", "attribute mode is \"", mode, "\", it must be linear or circular");
    circular_ = mode == "circular";
  }

  void Compute(KernelContext& context) const override {
    const Tensor cache = context.Input(0);
    const Tensor update = context.Input(1);
    const Tensor indices = context.OptionalInput(2);
    const Shape shape = cache.shape();
    const size_t axis = NormalizeAxis(axis_, shape.rank());
    Require(axis != 0, "attribute axis must not be that of the batch");
    Require(update.type() == cache.type(), "inputs past_cache and update differ in type");
    Require(update.rank() == shape.rank(), "input update has rank ", update.rank(), ", past_cache has ", shape.rank());
    for (size_t i = 0; i < shape.rank(); ++i)
      Require(i == axis ? update.dim(i) <= shape[i] : update.dim(i) == shape[i], "input update has ", update.dim(i),
              " along axis ", i, ", past_cache has ", shape[i]);
    const std::vector<int64_t> at = ReadPlaces(indices, shape[0], update.dim(axis), shape[axis]);
    const Tensor y = context.Output(0, shape);
    if (y.count() == 0) return;
    Slices slices{static_cast<size_t>(shape[0]), static_cast<size_t>(shape.Count(1, axis)),
                  static_cast<size_t>(shape[axis]), static_cast<size_t>(update.dim(axis)),
                  static_cast<size_t>(shape.Count(axis + 1, shape.rank()))};
    if (const PackedType* packed = FindPackedType(cache.type())) {
      auto* codes = context.Scratch<uint8_t>(cache.count());
      auto* update_codes = context.Scratch<uint8_t>(update.count());
      Unpack(*packed, cache.data<uint8_t>(), cache.count(), codes);
      Unpack(*packed, update.data<uint8_t>(), update.count(), update_codes);
      PutSlices(slices, at.data(), update_codes, codes);
      Pack(*packed, codes, cache.count(), y.data<uint8_t>());
      return;
    }
    ElementMover mover(context, cache.type());
    slices.inner *= mover.size();
    const void* old = mover.Input(cache);
    const void* fresh = mover.Input(update);
    void* to = mover.Output(y);
    if (old != to) std::memcpy(to, old, cache.count() * mover.size());
    PutSlices(slices, at.data(), static_cast<const uint8_t*>(fresh), static_cast<uint8_t*>(to));
    mover.Finish();
  }

 private:
  std::vector<int64_t> ReadPlaces(const Tensor& indices, int64_t batch, int64_t count, int64_t length) const {
    std::vector<int64_t> places(static_cast<size_t>(batch));
    if (!indices) return places;
    Require(indices.type() == kTypeOf<int64_t> && indices.count() == places.size(),
            "input write_indices must have an int64 for each of the ", batch, " samples, it has ", indices.count(),
            " elements");
    for (size_t i = 0; i < places.size(); ++i) {
      const int64_t given = indices.data<int64_t>()[i];
      if (circular_) {
        places[i] = length == 0 ? 0 : (given % length + length) % length;
        continue;
      }
      Require(given >= 0 && given <= length - count, "write_indices[", i, "]=", given, " leaves no room for ", count,
              " slices in a cache of ", length);
      places[i] = given;
    }
    return places;
  }

  int64_t axis_;
  bool circular_ = false;
};

}  // namespace

void RegisterTensorScatter(KernelList& list) {
  list.Add({.op = "TensorScatter",
            .since = 24,
            .types = {{"T", StoredTypes()}},
            .make = MakeKernel<TensorScatter>,
            .may_inplace = {{0, 0}}});
}

}  // namespace ortrun::cpu
