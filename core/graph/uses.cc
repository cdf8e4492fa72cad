// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "core/graph/graph.h"

namespace {

/// Up to so many a search is cheaper than an index.
constexpr size_t kFew = 64;

}  // namespace

void OrtUses::IndexAll() {
  for (size_t i = 0; i < list_.size(); ++i) index_.emplace(Place(list_[i].node, list_[i].index), i);
}

void OrtUses::Add(const OrtUse& use) {
  list_.push_back(use);
  if (!index_.empty())
    index_.emplace(Place(use.node, use.index), list_.size() - 1);
  else if (list_.size() > kFew)
    IndexAll();
}

void OrtUses::Drop(const OrtNode* node, int64_t index) {
  if (index_.empty()) {
    const auto found = std::find_if(list_.begin(), list_.end(),
                                    [&](const OrtUse& use) { return use.node == node && use.index == index; });
    if (found != list_.end()) list_.erase(found);
    return;
  }
  const auto found = index_.find(Place(node, index));
  if (found == index_.end()) return;
  const size_t hole = found->second;
  index_.erase(found);
  if (hole + 1 != list_.size()) {
    list_[hole] = list_.back();
    index_[Place(list_[hole].node, list_[hole].index)] = hole;
  }
  list_.pop_back();
}

std::vector<OrtUse> OrtUses::TakeAll() {
  index_.clear();
  return std::exchange(list_, {});
}
