// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "core/base/key_value_pairs.h"
#include "core/base/logging.h"
#include "core/graph/graph.h"

namespace ortrun {
class SessionState;
struct Provider;
}  // namespace ortrun

/// What a kernel sees of its node while it is made. Borrowed: valid while the session is.
/// A copy (CopyKernelInfo) shares the same node.
struct OrtKernelInfo {
  const OrtNode* node = nullptr;
  ortrun::SessionState* session = nullptr;  ///< nullptr while constants are folded
  ortrun::Provider* provider = nullptr;     ///< nullptr for a custom op on the CPU
  const OrtLogger* logger = nullptr;
  const OrtKeyValuePairs* config = nullptr;  ///< the session's config entries
  std::shared_ptr<OrtAllocator> allocator;   ///< of the node's provider

  /// The constant of an input, or nullptr.
  const OrtValue* ConstantInput(size_t index) const;
};

/// What a compiled group sees while its state is made.
struct OrtNodeComputeContext {
  std::string node_name;
  OrtAllocator* allocator = nullptr;
};

namespace ortrun {
using KernelInfo = ::OrtKernelInfo;
}
