// SPDX-License-Identifier: Apache-2.0
#include "core/optimizer/dimension_names.h"

#include <utility>

namespace ortrun {

DimensionNames::DimensionNames(const Graph& main) {
  constexpr size_t kMostSingle = 8;
  std::map<std::string, size_t> counts;
  for (const ValueInfo* input : main.inputs())
    for (const std::string& name : input->type.tensor.symbols)
      if (!name.empty()) ++counts[name];
  for (const auto& [name, count] : counts)
    if (count > 1) repeated_.push_back(name);
  if (!repeated_.empty()) views_ = repeated_.size() == 1 || repeated_.size() > kMostSingle ? 1 : repeated_.size() + 1;
}

void DimensionNames::Begin() {
  seen_.clear();
  pending_.clear();
}

void DimensionNames::Look(Dim dim, const std::vector<Dim>& views) {
  if (dim.known()) return Equal(std::vector<Dim>(views.size(), dim), views);
  const auto [place, added] = seen_.try_emplace(dim, views);
  if (!added) Equal(place->second, views);
}

void DimensionNames::Equal(const std::vector<Dim>& a, const std::vector<Dim>& b) {
  if (a[0] == b[0]) return;
  for (size_t view = 1; view < views_; ++view) {
    if (a[view] != b[view]) continue;
    pending_.insert(*Only(view));
    return;
  }
  pending_.insert(repeated_.begin(), repeated_.end());
}

}  // namespace ortrun
