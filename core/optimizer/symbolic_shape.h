// SPDX-License-Identifier: Apache-2.0
#pragma once

// Shapes with names for what is not known before a run, so that "these two dimensions are the same number" can be
// answered: exporters write the shape arithmetic of a decoder as a thousand nodes, all of which follow from a few
// input dimensions.

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/optimizer/dimension_names.h"
#include "core/optimizer/linear_form.h"
#include "core/optimizer/match.h"

namespace ortrun {

/// Longer integer tensors are data, not shapes.
inline constexpr size_t kMostShapeElements = 64;

using SymbolicShape = std::vector<Dim>;

/// The shapes of all values of a sorted graph, and the elements of small integer tensors made from shapes.
/// Computed once, in the order of the nodes; valid while the values live, also after nodes were replaced.
class ShapeAnalysis {
 public:
  /// `names` (may be nullptr): hears which names of dimensions the answers depend on; it must outlive this.
  explicit ShapeAnalysis(const Graph& graph, DimensionNames* names = nullptr);
  ShapeAnalysis(const ShapeAnalysis&) = delete;
  ShapeAnalysis& operator=(const ShapeAnalysis&) = delete;

  /// The rank, or -1.
  int64_t Rank(const ValueInfo* value) const;

  /// nullptr when not even the rank is known.
  const SymbolicShape* ShapeOf(const ValueInfo* value) const;
  /// Elements of an integer tensor of rank 0 or 1; nullptr when they are not known even as symbols. Unlike
  /// dimensions they may be negative.
  const std::vector<Dim>* ElementsOf(const ValueInfo* value) const;
  /// Whether both have the same known rank and equal dimensions.
  bool SameShape(const ValueInfo* a, const ValueInfo* b) const;
  /// The number when it is known, otherwise -1.
  int64_t NumberOf(const ValueInfo* value, int64_t axis) const;
  /// Whether dimension `a_axis` of a and `b_axis` of b are the same number; negative axes count from the back.
  bool SameDim(const ValueInfo* a, int64_t a_axis, const ValueInfo* b, int64_t b_axis) const;
  const Dim* DimAt(const ValueInfo* value, int64_t axis) const;
  /// What broadcasting both gives; nothing when it cannot be told.
  std::optional<SymbolicShape> Broadcast(const SymbolicShape& a, const SymbolicShape& b) const;

 private:
  /// The length of a Slice that may reach beyond its axis: min(end, size) - min(start, size), 0 <= start <= end.
  struct ClippedLength {
    Dim start, end;
    int64_t size = 0;
  };

  /// With a repeated name that alone means one size, or none of them.
  ShapeAnalysis(const Graph& graph, const DimensionNames& names, size_t view);

  void AddGraph(const Graph& graph);
  const SymbolicShape* FindShape(const ValueInfo* value) const;
  const Dim* FindDim(const ValueInfo* value, int64_t axis) const;
  /// What the other analyses know of one dimension, or one element.
  std::vector<Dim> Views(const ValueInfo* value, size_t axis, bool element = false) const;
  Dim Named(const std::string& name, const ValueInfo& value, size_t axis);
  void AddValue(const ValueInfo* value);
  void AddNode(const Node& node);
  SymbolicShape Declared(const ValueInfo& value);
  std::optional<SymbolicShape> Infer(const Node& node, size_t output);
  std::optional<SymbolicShape> InferReshape(const Node& node);
  std::optional<SymbolicShape> InferMoved(const Node& node, size_t output);
  std::optional<SymbolicShape> InferBroadcast(const Node& node);
  std::optional<SymbolicShape> InferAttention(const Node& node, size_t output);
  std::optional<SymbolicShape> InferSlice(const Node& node);
  std::optional<Dim> SliceLength(Dim start, Dim end, Dim size);
  void LearnFromBroadcast(const SymbolicShape& a, const SymbolicShape& b);
  Dim Resolved(Dim dim);
  std::optional<std::vector<Dim>> Elements(const Node& node);
  std::optional<std::vector<Dim>> Arithmetic(const Node& node);

  LinearForms forms_;
  std::unordered_map<std::string, Dim> symbols_;
  std::unordered_map<int, ClippedLength> clipped_;  ///< by the symbol of the length
  std::unordered_map<int, int64_t> bounds_;         ///< by symbol: what it does not exceed in any run that succeeds
  std::unordered_map<const ValueInfo*, SymbolicShape> shapes_;
  std::unordered_map<const ValueInfo*, std::vector<Dim>> elements_;

  DimensionNames* names_ = nullptr;                    ///< nullptr: nobody asks
  std::vector<std::unique_ptr<ShapeAnalysis>> views_;  ///< as DimensionNames::views says
  bool apart_ = false;                                 ///< names mean nothing but `only_`
  std::string only_;
  mutable std::unordered_map<const ValueInfo*, int> strangers_;  ///< values that a view does not know
};

/// A constant target for a Reshape from one shape to the other, with 0 for a copied and -1 for at most one open
/// dimension; nothing where that does not suffice.
std::optional<std::vector<int64_t>> ReshapeTarget(const SymbolicShape& from, const SymbolicShape& to);

}  // namespace ortrun
