// SPDX-License-Identifier: Apache-2.0
#include "core/execution/selection.h"

#include <algorithm>

#include "core/execution/program.h"

namespace ortrun {
namespace {

std::shared_ptr<const Selection> Select(const Program& program, std::span<const char> wanted) {
  auto selection = std::make_shared<Selection>();
  selection->wanted.assign(wanted.begin(), wanted.end());
  std::vector<char> needed(program.values().size());
  for (size_t i = 0; i < wanted.size(); ++i)
    if (wanted[i] != 0) needed[static_cast<size_t>(program.outputs()[i])] = 1;
  const std::vector<Step>& steps = program.steps();
  selection->steps.resize(steps.size());
  for (size_t s = steps.size(); s-- > 0;) {
    const auto is_needed = [&](int v) { return v >= 0 && needed[static_cast<size_t>(v)] != 0; };
    if (std::none_of(steps[s].outputs.begin(), steps[s].outputs.end(), is_needed)) continue;
    selection->steps[s] = 1;
    for (const int v : steps[s].inputs)
      if (v >= 0) needed[static_cast<size_t>(v)] = 1;
  }
  for (const int v : program.inputs()) selection->inputs.push_back(needed[static_cast<size_t>(v)]);
  return selection;
}

}  // namespace

std::shared_ptr<const Selection> SelectionCache::Find(const Program& program, std::span<const char> wanted) {
  const std::lock_guard lock(mutex_);
  const auto found = std::find_if(selections_.begin(), selections_.end(), [&](const auto& selection) {
    return std::equal(wanted.begin(), wanted.end(), selection->wanted.begin(), selection->wanted.end());
  });
  if (found != selections_.end()) {
    std::rotate(selections_.begin(), found, found + 1);
    return selections_.front();
  }
  if (selections_.size() == kCapacity) selections_.pop_back();
  selections_.insert(selections_.begin(), Select(program, wanted));
  return selections_.front();
}

}  // namespace ortrun
