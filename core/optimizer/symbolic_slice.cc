// SPDX-License-Identifier: Apache-2.0
// The part of the analysis that follows lengths of slices, and what broadcasting tells about them.
//
// A causal mask is cut from a constant [1,1,N,N] as rows [T-S, T) and columns [0, T). No graph says that T <= N, and
// beyond N a Slice gives less than it was asked for. But the mask then meets scores [B,H,S,T], and no run in which it
// does not fit succeeds:
//   The length of [0, T) is L = min(T, N). Beside T, the run succeeds only with L = T, L = 1 or T = 1. For N >= 2, L =
//   1 says T = 1, and T = 1 says L = 1. So T = L <= N whenever the run succeeds, and both lengths are what was asked
//   for.
// A run that would have failed may succeed once the proof removed what failed; a run that succeeds keeps its results.
// For [s, T) with s > 0 that does not hold: the length 0 fits beside T - s = 1. Such lengths wait for a bound of T that
// comes from elsewhere.
#include <algorithm>
#include <limits>

#include "core/optimizer/symbolic_shape.h"

namespace ortrun {

namespace {

/// `element` of starts or ends as a place counted from the front; nothing when its sign cannot be told.
std::optional<Dim> FromFront(LinearForms& forms, Dim element, Dim size) {
  if (forms.NeverNegative(element)) return element;
  if (!element.known()) return std::nullopt;
  const auto place = forms.Sum(size, element);
  return place && forms.NeverNegative(*place) ? place : std::nullopt;
}

}  // namespace

/// A length that is known as clipped only, as its full length where a bound is known.
Dim ShapeAnalysis::Resolved(Dim dim) {
  const auto clipped = dim.known() ? clipped_.end() : clipped_.find(dim.symbol);
  if (clipped == clipped_.end()) return dim;
  const auto& [start, end, size] = clipped->second;
  const auto bound = bounds_.find(end.symbol);
  if (bound == bounds_.end() || bound->second > size) return dim;
  return forms_.Difference(end, start).value_or(dim);
}

/// Notes what `end` cannot exceed when a clipped length [0, end) meets `end` itself.
void ShapeAnalysis::LearnFromBroadcast(const SymbolicShape& a, const SymbolicShape& b) {
  const auto learn = [this](Dim length, Dim other) {
    const auto clipped = length.known() ? clipped_.end() : clipped_.find(length.symbol);
    if (clipped == clipped_.end() || !clipped->second.start.Is(0) || clipped->second.end != other) return;
    if (clipped->second.size < 2) return;
    const auto [bound, added] = bounds_.emplace(other.symbol, clipped->second.size);
    if (!added) bound->second = std::min(bound->second, clipped->second.size);
  };
  for (size_t back = 1; back <= std::min(a.size(), b.size()); ++back) {
    learn(a[a.size() - back], b[b.size() - back]);
    learn(b[b.size() - back], a[a.size() - back]);
  }
}

/// Of [start, end) with step 1 along an axis of `size`.
std::optional<Dim> ShapeAnalysis::SliceLength(Dim start, Dim end, Dim size) {
  const auto from = FromFront(forms_, start, size);
  // "To the end", as exporters write it, is further than any axis is long.
  const bool open = end.Is(std::numeric_limits<int64_t>::max());
  const auto to = open ? std::optional(size) : FromFront(forms_, end, size);
  if (!from || !to) return std::nullopt;
  if (size.known() && from->known() && to->known()) {
    const int64_t last = std::min(to->value, size.value);
    return Dim{std::max<int64_t>(0, last - std::min(from->value, last)), 0};
  }
  if (!forms_.AtMost(*from, *to)) return std::nullopt;
  if (forms_.AtMost(*to, size)) return forms_.Difference(*to, *from);
  if (!size.known() || to->known()) return std::nullopt;
  const Dim length = forms_.Fresh();
  clipped_.emplace(length.symbol, ClippedLength{*from, *to, size.value});
  return Resolved(length);
}

std::optional<SymbolicShape> ShapeAnalysis::InferSlice(const Node& node) {
  const SymbolicShape& input = *ShapeOf(node.inputs[0]);
  const int64_t rank = static_cast<int64_t>(input.size());
  const std::vector<Dim>* starts = ElementsOf(Input(&node, 1));
  const std::vector<Dim>* ends = ElementsOf(Input(&node, 2));
  const auto steps = Input(&node, 4) != nullptr ? IntsOf(node.inputs[4]) : std::nullopt;
  auto axes = IntsOf(Input(&node, 3));
  if (!axes) {
    if (Input(&node, 3) != nullptr || starts == nullptr) return std::nullopt;
    axes.emplace();
    for (size_t i = 0; i < starts->size(); ++i) axes->push_back(static_cast<int64_t>(i));
  }
  SymbolicShape result = input;
  for (size_t i = 0; i < axes->size(); ++i) {
    const int64_t axis = (*axes)[i] < 0 ? (*axes)[i] + rank : (*axes)[i];
    if (axis < 0 || axis >= rank) return std::nullopt;
    Dim& dim = result[static_cast<size_t>(axis)];
    const bool single = Input(&node, 4) == nullptr || (steps && i < steps->size() && (*steps)[i] == 1);
    std::optional<Dim> length;
    if (single && starts != nullptr && ends != nullptr && i < starts->size() && i < ends->size()) {
      length = SliceLength((*starts)[i], (*ends)[i], dim);
    }
    dim = length ? *length : forms_.Fresh();
  }
  return result;
}

std::optional<SymbolicShape> ShapeAnalysis::InferBroadcast(const Node& node) {
  std::optional<SymbolicShape> result;
  for (const ValueInfo* input : node.inputs) {
    const SymbolicShape* shape = ShapeOf(input);
    if (shape == nullptr) return std::nullopt;
    if (!result) {
      result = *shape;
      continue;
    }
    LearnFromBroadcast(*result, *shape);
    // Two different names: one of them may be 1 in some run, so the result is a number of its own.
    SymbolicShape joined(std::max(result->size(), shape->size()));
    for (size_t back = 1; back <= joined.size(); ++back) {
      const SymbolicShape left = {back <= result->size() ? Resolved((*result)[result->size() - back]) : Dim{1, 0}};
      const SymbolicShape right = {back <= shape->size() ? Resolved((*shape)[shape->size() - back]) : Dim{1, 0}};
      const auto one = Broadcast(left, right);
      joined[joined.size() - back] = one ? (*one)[0] : forms_.Fresh();
    }
    result = std::move(joined);
  }
  return result;
}

}  // namespace ortrun
