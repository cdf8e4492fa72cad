// SPDX-License-Identifier: Apache-2.0
#include "core/execution/plan.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "core/execution/program.h"

namespace ortrun {
namespace {

/// Free ranges of one block while the steps are walked: best fit, neighbours joined.
class Layout {
 public:
  size_t Take(size_t bytes) {
    auto best = free_.end();
    for (auto range = free_.begin(); range != free_.end(); ++range)
      if (range->second >= bytes && (best == free_.end() || range->second < best->second)) best = range;
    if (best != free_.end()) {
      const auto [offset, size] = *best;
      free_.erase(best);
      if (size > bytes) free_.emplace(offset + bytes, size - bytes);
      return offset;
    }
    // A free range at the end of the block can grow.
    size_t offset = end_;
    if (!free_.empty()) {
      const auto last = std::prev(free_.end());
      if (last->first + last->second == end_) {
        offset = last->first;
        free_.erase(last);
      }
    }
    end_ = offset + bytes;
    return offset;
  }

  void Give(size_t offset, size_t bytes) {
    auto [range, added] = free_.emplace(offset, bytes);
    if (const auto next = std::next(range); next != free_.end() && range->first + range->second == next->first) {
      range->second += next->second;
      free_.erase(next);
    }
    if (range != free_.begin()) {
      const auto previous = std::prev(range);
      if (previous->first + previous->second == range->first) {
        previous->second += range->second;
        free_.erase(range);
      }
    }
  }

  size_t end() const { return end_; }

 private:
  std::map<size_t, size_t> free_;  ///< offset to bytes
  size_t end_ = 0;
};

/// Values that share one place: the first one and those that alias it or take its memory over.
struct Group {
  int last_use = -1;
  size_t bytes = 0;
  size_t offset = 0;
  size_t memory = 0;
};

size_t Rounded(size_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

class Planner {
 public:
  Planner(const Program& program, const ObservedRun& run, Plan& plan)
      : values_(program.values()),
        steps_(program.steps()),
        pattern_(program.session().options.memory_pattern),
        reuse_(program.reuses_memory()),
        program_outputs_(program.outputs()),
        run_(run),
        plan_(plan),
        group_of_(values_.size(), -1) {}

  void Make() {
    plan_.values.resize(values_.size());
    LimitHeld();
    FindNeeded();
    for (size_t s = 0; s < steps_.size(); ++s) {
      if (needed_[s] == 0 || IsHeld(steps_[s]) || (plan_.selection != nullptr && plan_.selection->steps[s] == 0))
        continue;
      plan_.steps.push_back(static_cast<int>(s));
      if (!pattern_) continue;
      for (const int v : steps_[s].outputs)
        if (v >= 0) Join(v, static_cast<int>(s));
    }
    GivePlaces();
  }

 private:
  size_t BytesOf(int v) const {
    const auto& seen = run_.values[static_cast<size_t>(v)];
    return TensorBytes(seen.type, ElementCount(seen.dims.data(), seen.dims.rank()));
  }

  /// Whether the plan has all that the step would make.
  bool IsHeld(const Step& step) const {
    return step.shape_only && std::all_of(step.outputs.begin(), step.outputs.end(), [this](int v) {
             return v < 0 || plan_.constants[static_cast<size_t>(v)].HasValue();
           });
  }

  /// Drops the largest results of shape-only steps until the rest is no more than a program may hold.
  void LimitHeld() {
    std::vector<std::pair<size_t, size_t>> held;  // bytes, value
    std::set<const void*> seen;
    for (const ProgramValue& value : values_)
      if (value.role == ProgramValue::Role::kConstant && value.constant.IsTensor())
        seen.insert(value.constant.tensor().data);
    for (size_t v = 0; v < plan_.constants.size(); ++v) {
      const Value& value = plan_.constants[v];
      if (!value.HasValue() || !seen.insert(value.tensor().data).second) continue;
      held.emplace_back(BytesOf(value), v);
      plan_.held_bytes += held.back().first;
    }
    std::sort(held.begin(), held.end());
    for (; plan_.held_bytes > PlanCache::kMostHeldBytes; held.pop_back()) {
      plan_.held_bytes -= held.back().first;
      const void* gone = plan_.constants[held.back().second].tensor().data;
      for (Value& value : plan_.constants)
        if (value.HasValue() && value.tensor().data == gone) value.Reset();
    }
  }

  static size_t BytesOf(const Value& value) {
    if (!value.IsString()) return value.bytes();
    size_t bytes = value.tensor().count * sizeof(std::string);
    for (size_t i = 0; i < value.tensor().count; ++i) bytes += value.strings()[i].capacity();
    return bytes;
  }

  /// What only steps read whose results are held does not run either.
  void FindNeeded() {
    needed_.assign(steps_.size(), 1);
    std::vector<char> read(values_.size(), 0);
    for (const int v : program_outputs_) read[static_cast<size_t>(v)] = 1;
    for (size_t s = steps_.size(); s-- > 0;) {
      const Step& step = steps_[s];
      if (step.shape_only)
        needed_[s] = std::any_of(step.outputs.begin(), step.outputs.end(),
                                 [&](int v) { return v >= 0 && read[static_cast<size_t>(v)] != 0; });
      if (needed_[s] == 0 || IsHeld(step)) continue;
      for (const int v : step.inputs)
        if (v >= 0) read[static_cast<size_t>(v)] = 1;
    }
  }

  bool Plannable(int v) const {
    const ProgramValue& value = values_[static_cast<size_t>(v)];
    const auto& seen = run_.values[static_cast<size_t>(v)];
    return value.role == ProgramValue::Role::kLocal && seen.tensor && !value.is_output &&
           !plan_.constants[static_cast<size_t>(v)].HasValue() && seen.type != ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING;
  }

  void Join(int v, int step) {
    if (!Plannable(v)) return;
    const ProgramValue& value = values_[static_cast<size_t>(v)];
    const size_t bytes = BytesOf(v);
    int group = -1;
    if (value.alias_of >= 0) group = group_of_[static_cast<size_t>(value.alias_of)];
    if (group < 0 && value.inplace_of >= 0) {
      const int candidate = group_of_[static_cast<size_t>(value.inplace_of)];
      if (candidate >= 0 && groups_[static_cast<size_t>(candidate)].last_use == step) group = candidate;
    }
    if (group >= 0 && (groups_[static_cast<size_t>(group)].bytes < bytes ||
                       groups_[static_cast<size_t>(group)].memory != value.memory))
      group = -1;
    if (group < 0) {
      group = static_cast<int>(groups_.size());
      groups_.push_back({.bytes = bytes, .memory = value.memory});
    }
    group_of_[static_cast<size_t>(v)] = group;
    Group& shared = groups_[static_cast<size_t>(group)];
    shared.last_use = std::max({shared.last_use, value.last_use, step});
  }

  void GivePlaces() {
    std::vector<Layout> layouts;
    std::vector<std::vector<int>> ending(steps_.size() + 1);
    std::vector<char> placed(groups_.size(), 0);
    // All steps: a value's last reader may be one that does not run.
    for (size_t s = 0; s < steps_.size(); ++s) {
      for (const int v : steps_[s].outputs) {
        if (v < 0 || group_of_[static_cast<size_t>(v)] < 0) continue;
        const auto g = static_cast<size_t>(group_of_[static_cast<size_t>(v)]);
        Group& group = groups_[g];
        if (layouts.size() <= group.memory) layouts.resize(group.memory + 1);
        if (placed[g] == 0) {
          placed[g] = 1;
          group.offset = layouts[group.memory].Take(Rounded(group.bytes));
          ending[static_cast<size_t>(group.last_use)].push_back(static_cast<int>(g));
        }
        PlannedValue& planned = plan_.values[static_cast<size_t>(v)];
        const auto& seen = run_.values[static_cast<size_t>(v)];
        planned = {true, seen.dims, seen.type, group.memory, group.offset};
      }
      if (!reuse_) continue;
      for (const int g : ending[s]) {
        const Group& group = groups_[static_cast<size_t>(g)];
        layouts[group.memory].Give(group.offset, Rounded(group.bytes));
      }
    }
    for (const Layout& layout : layouts) plan_.block_bytes.push_back(layout.end());
  }

  const std::vector<ProgramValue>& values_;
  const std::vector<Step>& steps_;
  bool pattern_;
  bool reuse_;
  const std::vector<int>& program_outputs_;
  const ObservedRun& run_;
  Plan& plan_;
  std::vector<char> needed_;   ///< by step
  std::vector<int> group_of_;  ///< by value index
  std::vector<Group> groups_;
};

}  // namespace

std::shared_ptr<const Plan> MakePlan(const Program& program, ShapeKey key, ObservedRun run) {
  auto plan = std::make_shared<Plan>();
  plan->key = std::move(key);
  plan->constants = std::move(run.shape_only);
  plan->results = std::move(run.results);
  plan->selection = std::move(run.selection);
  plan->scratch_bytes = run.scratch_bytes;
  Planner(program, run, *plan).Make();
  return plan;
}

ShapeKey KeyOf(std::span<const Value* const> inputs) {
  ShapeKey key;
  key.push_back(static_cast<int64_t>(inputs.size()));
  for (const Value* input : inputs) {
    if (input == nullptr) {
      key.push_back(-1);
      continue;
    }
    if (!input->IsTensor()) return {};
    const OrtrunTensor& tensor = input->tensor();
    key.push_back(tensor.type);
    key.push_back(static_cast<int64_t>(tensor.rank));
    key.insert(key.end(), tensor.shape, tensor.shape + tensor.rank);
  }
  return key;
}

namespace {

bool Matches(const ShapeKey& key, std::span<const Value* const> inputs) {
  const int64_t* at = key.data();
  const int64_t* const end = at + key.size();
  if (at == end || *at++ != static_cast<int64_t>(inputs.size())) return false;
  for (const Value* input : inputs) {
    if (at == end) return false;
    if (input == nullptr) {
      if (*at++ != -1) return false;
      continue;
    }
    const OrtrunTensor& tensor = input->tensor();
    if (!input->IsTensor() || end - at < 2 + static_cast<int64_t>(tensor.rank)) return false;
    if (at[0] != tensor.type || at[1] != static_cast<int64_t>(tensor.rank)) return false;
    if (!std::equal(tensor.shape, tensor.shape + tensor.rank, at + 2)) return false;
    at += 2 + tensor.rank;
  }
  return at == end;
}

}  // namespace

std::shared_ptr<const Plan> PlanCache::Find(std::span<const Value* const> inputs, const Selection* selection) {
  const std::lock_guard lock(mutex_);
  for (auto plan = plans_.begin(); plan != plans_.end(); ++plan) {
    if ((*plan)->selection.get() != selection || !Matches((*plan)->key, inputs)) continue;
    std::rotate(plans_.begin(), plan, plan + 1);
    return plans_.front();
  }
  return nullptr;
}

void PlanCache::Add(std::shared_ptr<const Plan> plan) {
  const std::lock_guard lock(mutex_);
  if (plans_.size() == kCapacity) plans_.pop_back();
  plans_.insert(plans_.begin(), std::move(plan));
  size_t held = 0;
  size_t kept = 0;
  while (kept < plans_.size() && (held += plans_[kept]->held_bytes) <= kMostHeldBytes) ++kept;
  plans_.resize(std::max<size_t>(kept, 1));
}

size_t PlanCache::size() const {
  const std::lock_guard lock(mutex_);
  return plans_.size();
}

size_t PlanCache::bytes() const {
  const std::lock_guard lock(mutex_);
  size_t largest = 0;
  for (const auto& plan : plans_) {
    size_t bytes = plan->scratch_bytes;
    for (const size_t block : plan->block_bytes) bytes += block;
    largest = std::max(largest, bytes);
  }
  return largest;
}

}  // namespace ortrun
