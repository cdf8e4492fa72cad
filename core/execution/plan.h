// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "core/execution/selection.h"
#include "core/execution/value.h"

namespace ortrun {

class Program;

/// Shapes of a run's inputs, flattened: the key under which its plan is kept.
using ShapeKey = std::vector<int64_t>;

/// Where one value of a planned run lies.
struct PlannedValue {
  bool planned = false;
  Dims dims;
  ElementType type = ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
  size_t memory = 0;  ///< index of the block
  size_t offset = 0;  ///< in the block, in bytes
};

/// The shape of one result of a program, where a run has seen it.
struct ResultShape {
  bool seen = false;
  Dims dims;
};

/// Everything about a run that its input shapes decide: places of the intermediate values, results that are the same
/// for every run of these shapes, the steps that are left, the scratch that kernels ask for. Immutable, shared.
struct Plan {
  ShapeKey key;
  std::shared_ptr<const Selection> selection;  ///< nullptr: the whole program
  std::vector<PlannedValue> values;
  std::vector<Value> constants;      ///< by value index; results of shape-only steps
  std::vector<int> steps;            ///< indices of the steps to run
  std::vector<ResultShape> results;  ///< by output
  std::vector<size_t> block_bytes;   ///< by memory index
  size_t scratch_bytes = 0;
  size_t held_bytes = 0;  ///< of `constants`, without memory that the program's own constants have
};

/// What a finished run without a plan knows of its values.
struct ObservedRun {
  struct Observed {
    bool tensor = false;  ///< a dense tensor that the run itself allocated
    Dims dims;
    ElementType type = ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
  };
  std::vector<Observed> values;
  std::vector<Value> shape_only;  ///< by value index; what is a constant's memory in another shape shares it
  std::vector<ResultShape> results;
  std::shared_ptr<const Selection> selection;
  size_t scratch_bytes = 0;
};

/// Lays out a program's local values by their lifetimes, in the order of the steps; each takes the smallest free range
/// that holds it. The session's options say whether places are shared, or planned at all.
std::shared_ptr<const Plan> MakePlan(const Program& program, ShapeKey key, ObservedRun run);

/// The plans of the most recent shapes. Thread-safe.
class PlanCache {
 public:
  static constexpr size_t kCapacity = 8;
  /// What the plans of one program may hold together, in bytes; the oldest go. Of one shape's results no more either:
  /// what is beyond is computed in every run.
  static constexpr size_t kMostHeldBytes = size_t{64} << 20;
  std::shared_ptr<const Plan> Find(std::span<const Value* const> inputs, const Selection* selection = nullptr);
  void Add(std::shared_ptr<const Plan> plan);
  size_t size() const;
  size_t bytes() const;

 private:
  mutable std::mutex mutex_;
  std::vector<std::shared_ptr<const Plan>> plans_;  ///< most recent first
};

/// The key of a list of inputs. Answers an empty key when one is no dense tensor: such runs are not planned.
ShapeKey KeyOf(std::span<const Value* const> inputs);

}  // namespace ortrun
