// SPDX-License-Identifier: Apache-2.0
// NonMaxSuppression: per batch and class, takes boxes in the order of their scores and drops those that overlap a box
// already taken.
#include <algorithm>
#include <cmath>
#include <limits>

#include "plugins/cpu/kernels/common/ordered_key.h"
#include "plugins/cpu/kernels/image/box_overlap.h"
#include "plugins/cpu/kernels/image/image.h"

namespace ortrun::cpu {
namespace {

Box BoxOf(const float* given, bool centre) {
  Box box{};
  if (centre) {  // [x, y, width, height]
    const float half_width = given[2] / 2, half_height = given[3] / 2;
    box = {given[1] - half_height, given[0] - half_width, given[1] + half_height, given[0] + half_width, 0};
  } else {  // two corners [y, x, y, x] in any order
    box = {std::min(given[0], given[2]), std::min(given[1], given[3]), std::max(given[0], given[2]),
           std::max(given[1], given[3]), 0};
  }
  box.area = (box.bottom - box.top) * (box.right - box.left);
  return box;
}

/// A single number of an optional input.
template <typename T>
T Scalar(const KernelContext& context, size_t index, const char* name, T otherwise) {
  const Tensor given = context.OptionalInput(index);
  if (!given) return otherwise;
  Require(given.type() == kTypeOf<T>, "input ", name, " has the wrong element type");
  Require(given.count() == 1, "input ", name, " must hold one number, it has ", given.count());
  return *given.data<T>();
}

class NonMaxSuppression : public Kernel {
 public:
  explicit NonMaxSuppression(const KernelInfo& info) : centre_(info.Int("center_point_box", 0) != 0) {
    const int64_t given = info.Int("center_point_box", 0);
    Require(given == 0 || given == 1, "attribute center_point_box=", given, " must be 0 or 1");
  }

  void Compute(KernelContext& context) const override {
    const Tensor boxes = context.Input(0);
    const Tensor scores = context.Input(1);
    Require(boxes.type() == kTypeOf<float> && scores.type() == kTypeOf<float>, "boxes and scores must be float");
    Require(boxes.rank() == 3 && boxes.dim(2) == 4, "input boxes must have the shape [batches, boxes, 4]");
    Require(scores.rank() == 3, "input scores must have the shape [batches, classes, boxes], it has rank ",
            scores.rank());
    Require(boxes.dim(0) == scores.dim(0), "boxes has ", boxes.dim(0), " batches and scores ", scores.dim(0));
    Require(boxes.dim(1) == scores.dim(2), "boxes has ", boxes.dim(1), " boxes and scores ", scores.dim(2));
    const auto most = Scalar<int64_t>(context, 2, "max_output_boxes_per_class", 0);
    const auto overlap = Scalar<float>(context, 3, "iou_threshold", 0.0f);
    Require(overlap >= 0 && overlap <= 1, "input iou_threshold=", overlap, " must be in [0, 1]");
    const bool has_lowest = static_cast<bool>(context.OptionalInput(4));
    const auto lowest = Scalar<float>(context, 4, "score_threshold", 0.0f);

    const auto batches = static_cast<size_t>(scores.dim(0));
    const auto classes = static_cast<size_t>(scores.dim(1));
    const auto count = static_cast<size_t>(scores.dim(2));
    Require(count < std::numeric_limits<uint32_t>::max(), "input boxes has too many boxes: ", count);
    const size_t limit = std::min(count, static_cast<size_t>(std::max<int64_t>(most, 0)));
    const size_t tasks = limit == 0 ? 0 : batches * classes;
    const Lists lists{.overlap = overlap,
                      .lowest = has_lowest ? lowest : -std::numeric_limits<float>::infinity(),
                      .keep_all = !has_lowest,
                      .centre = centre_,
                      .count = count,
                      .limit = limit};
    auto* ranks = context.Scratch<uint64_t>(tasks * count);
    auto* taken = context.Scratch<float>(tasks * BoxList::MemoryFor(limit));
    auto* chosen = context.Scratch<uint32_t>(tasks * limit);
    auto* lengths = context.Scratch<size_t>(tasks);
    context.ParallelFor(tasks, [&](size_t task) {
      lengths[task] =
          Select(lists, boxes.data<float>() + task / classes * count * 4, scores.data<float>() + task * count,
                 ranks + task * count, BoxList(taken + task * BoxList::MemoryFor(limit), limit), chosen + task * limit);
    });

    int64_t total = 0;
    for (size_t task = 0; task < tasks; ++task) total += static_cast<int64_t>(lengths[task]);
    const Tensor selected = context.Output(0, Shape{total, 3});
    if (!selected) return;
    int64_t* to = selected.data<int64_t>();
    for (size_t task = 0; task < tasks; ++task)
      for (size_t i = 0; i < lengths[task]; ++i, to += 3) {
        to[0] = static_cast<int64_t>(task / classes);
        to[1] = static_cast<int64_t>(task % classes);
        to[2] = static_cast<int64_t>(chosen[task * limit + i]);
      }
  }

 private:
  struct Lists {
    float overlap;
    float lowest;
    bool keep_all;
    bool centre;
    size_t count;
    size_t limit;
  };

  /// Writes the boxes of one class to `chosen`, best first, and answers how many. Ranks are unique, equal scores come
  /// in the order of the boxes; a heap, since most of it is never asked for where `limit` is small.
  static size_t Select(const Lists& lists, const float* boxes, const float* scores, uint64_t* ranks, BoxList taken,
                       uint32_t* chosen) {
    size_t candidates = 0;
    for (size_t i = 0; i < lists.count; ++i) {
      ranks[candidates] = (static_cast<uint64_t>(OrderedKey(scores[i])) << 32) | ~static_cast<uint32_t>(i);
      candidates += lists.keep_all || scores[i] > lists.lowest ? 1 : 0;
    }
    std::make_heap(ranks, ranks + candidates);
    for (; candidates > 0 && taken.size() < lists.limit; --candidates) {
      const auto at = ~static_cast<uint32_t>(ranks[0]);
      std::pop_heap(ranks, ranks + candidates);
      const Box box = BoxOf(boxes + size_t{4} * at, lists.centre);
      if (taken.Overlaps(box, lists.overlap)) continue;
      chosen[taken.size()] = at;
      taken.Append(box);
    }
    return taken.size();
  }

  bool centre_;
};

}  // namespace

void RegisterNonMaxSuppression(KernelList& list) {
  list.Add({.op = "NonMaxSuppression", .since = 10, .make = MakeKernel<NonMaxSuppression>});
}

}  // namespace ortrun::cpu
