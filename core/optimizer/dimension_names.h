// SPDX-License-Identifier: Apache-2.0
#pragma once

// A model may give one name to dimensions of several inputs, and then callers who give other sizes. What the nodes say
// works for them; a rewrite that took equal names for equal sizes does not. So it is recorded which names rewrites
// relied on, and only those are compared where a run begins.

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/graph/graph.h"
#include "core/optimizer/linear_form.h"

namespace ortrun {

class DimensionNames {
 public:
  /// The names that stand at more than one place of the main graph's inputs.
  explicit DimensionNames(const Graph& main);

  const std::vector<std::string>& repeated() const { return repeated_; }
  /// What else must be known of a dimension: as what it appears when no repeated name counts, then, for each of
  /// repeated(), when that one alone counts. The last are left out where there is one name, or so many that it is not
  /// worth it.
  size_t views() const { return views_; }
  /// The name that alone counts in that view; nullptr: none does.
  const std::string* Only(size_t view) const { return view == 0 ? nullptr : &repeated_[view - 1]; }

  /// A rewrite begins: what was looked at before is of no account to it.
  void Begin();
  /// A rewrite looks at a dimension, which it may compare with the others that it looks at.
  void Look(Dim dim, const std::vector<Dim>& views);
  /// A rewrite was told that two dimensions are the same number.
  void Equal(const std::vector<Dim>& a, const std::vector<Dim>& b);
  /// The rewrite is made.
  void Commit() { relied_.insert(pending_.begin(), pending_.end()); }

  const std::set<std::string>& relied() const { return relied_; }

 private:
  std::vector<std::string> repeated_;
  size_t views_ = 0;
  std::map<Dim, std::vector<Dim>> seen_;
  std::set<std::string> pending_;
  std::set<std::string> relied_;
};

}  // namespace ortrun
