// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

namespace ortrun {

/// A message of ONNX imports one version of each domain. A node that means its operator at another version is written
/// with a pinned domain, "ortrun.opset.N" for the standard's own or "ortrun.opset.N:DOMAIN", imported at version N: the
/// operators of that domain as they are at opset N. In a graph in memory, where every node has a version of its own,
/// such a node has the plain domain. Models have pinned domains where a function of theirs imports another opset than
/// they do, and saved models where a pass made an operator that is newer than the others.
struct PinnedDomain {
  std::string domain;  ///< "" is the standard's
  int opset = 0;

  std::string Name() const;
  /// What a name stands for; nothing when it is that of an ordinary domain.
  static std::optional<PinnedDomain> Parse(const std::string& name);
};

}  // namespace ortrun
