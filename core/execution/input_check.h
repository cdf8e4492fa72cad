// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <set>
#include <span>
#include <string>
#include <vector>

#include "core/execution/program.h"

namespace ortrun {

/// Compares what a caller feeds with what the model declares of its inputs. Everything that kernels and rewrites of the
/// graph rely on is compared here; what is not compared, they do not rely on.
class InputCheck {
 public:
  /// `relied`: the names of dimensions that rewrites of the graph took for equal numbers.
  InputCheck(const Program& program, const std::set<std::string>& relied);

  /// Type, rank and dimensions that are numbers. Throws Error(ORT_INVALID_ARGUMENT).
  /// An input declared as a scalar may have any rank: its type has no shape, see OrtValueInfo::declared.
  void Check(size_t index, const Value& value) const;

  /// That dimensions of one name, of those that were relied on, have one size. `inputs` in the order of the program's;
  /// nullptr: left out.
  void CheckNames(std::span<const Value* const> inputs) const;

 private:
  struct Extent {
    size_t input;
    size_t axis;
  };
  struct Name {
    std::string text;
    std::vector<Extent> extents;  ///< two or more
  };
  const ValueInfo& InfoOf(size_t index) const {
    return *program_.values()[static_cast<size_t>(program_.inputs()[index])].info;
  }

  const Program& program_;
  std::vector<Name> names_;
};

}  // namespace ortrun
