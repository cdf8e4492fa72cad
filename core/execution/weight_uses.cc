// SPDX-License-Identifier: Apache-2.0
#include "core/execution/weight_uses.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace ortrun {
namespace {

/// The bytes of a tensor, or an empty range: text has no storage of its own that could be given back.
WeightUses::Range RangeOf(const Value& tensor) {
  if (!tensor.IsTensor() || tensor.IsString() || tensor.tensor().data == nullptr) return {};
  const auto begin = reinterpret_cast<uintptr_t>(tensor.tensor().data);
  return {begin, begin + tensor.bytes()};
}

const Value* ConstantAt(const ValueInfo* value) {
  if (value == nullptr) return nullptr;
  while (value->outer != nullptr) value = value->outer;
  return value->IsConstant() ? value->initializer.get() : nullptr;
}

}  // namespace

void WeightUses::Count(const Graph& graph) {
  for (const auto& value : graph.values())
    if (value->is_input && value->initializer != nullptr) Add(*value->initializer);
  for (const auto& node : graph.nodes()) {
    for (const ValueInfo* input : node->inputs)
      if (const Value* constant = ConstantAt(input)) Add(*constant);
    for (const Attribute& attribute : node->attributes)
      if (attribute.tensor != nullptr) Add(*attribute.tensor);
    for (const auto& body : node->subgraphs) Count(*body.second);
  }
  for (const ValueInfo* output : graph.outputs())
    if (const Value* constant = ConstantAt(output)) Add(*constant);
}

WeightUses::Entry* WeightUses::Touch(const Value& tensor) {
  const Range range = RangeOf(tensor);
  if (range.begin == range.end) return nullptr;
  uintptr_t begin = range.begin;
  Entry merged{range.end, 0, false};
  auto at = entries_.upper_bound(begin);
  if (at != entries_.begin() && std::prev(at)->second.end > begin) --at;
  while (at != entries_.end() && at->first < range.end) {
    begin = std::min(begin, at->first);
    merged.end = std::max(merged.end, at->second.end);
    merged.readers += at->second.readers;
    merged.keep_content |= at->second.keep_content;
    at = entries_.erase(at);
  }
  return &entries_.emplace(begin, merged).first->second;
}

void WeightUses::Add(const Value& tensor) {
  if (Entry* entry = Touch(tensor)) ++entry->readers;
}

void WeightUses::KeepContent(const Value& tensor) {
  if (Entry* entry = Touch(tensor)) entry->keep_content = true;
}

const WeightUses::Entry* WeightUses::Find(const Value& constant) const {
  const Range range = RangeOf(constant);
  if (range.begin == range.end) return nullptr;
  const auto after = entries_.upper_bound(range.begin);
  if (after == entries_.begin()) return nullptr;
  const Entry& entry = std::prev(after)->second;
  return range.end <= entry.end ? &entry : nullptr;
}

WeightUses::Entry* WeightUses::Find(const Value& constant) {
  return const_cast<Entry*>(std::as_const(*this).Find(constant));  // NOLINT: the map is this object's
}

void WeightUses::Drop(const Value& constant) {
  Entry* entry = Find(constant);
  if (entry != nullptr && entry->readers != 0) --entry->readers;
}

bool WeightUses::Needed(const Value& constant) const {
  const Entry* entry = Find(constant);
  return entry == nullptr || entry->readers != 0;
}

std::optional<WeightUses::Range> WeightUses::Disposable(const Value& constant) const {
  const Entry* entry = Find(constant);
  if (entry == nullptr || entry->readers != 0 || entry->keep_content) return std::nullopt;
  // Memory without an owner was lent by the caller.
  if (constant.storage() == nullptr) return std::nullopt;
  const auto place = std::prev(entries_.upper_bound(reinterpret_cast<uintptr_t>(constant.tensor().data)));
  return Range{place->first, entry->end};
}

}  // namespace ortrun
