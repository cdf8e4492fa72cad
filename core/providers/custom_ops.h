// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/execution/options.h"
#include "core/graph/schema.h"

/// Custom operators of one domain. The OrtCustomOp objects stay the caller's and must outlive every session.
struct OrtCustomOpDomain {
  std::string domain;
  std::vector<const OrtCustomOp*> ops;
};

namespace ortrun {

/// Schemas made from the callbacks of custom ops. Lives with its session.
class CustomOpSchemas {
 public:
  explicit CustomOpSchemas(const std::vector<const OrtCustomOpDomain*>& domains);
  const OperatorSchema* Find(const std::string& domain, const std::string& op, int version) const;
  /// The custom op that serves a node (by name, version range and input types), or nullptr with the reason.
  const OrtCustomOp* FindOp(const Node& node, std::string* reason) const;
  /// Sets the types of the node's outputs through the op's own callbacks (types, InferOutputShapeFn).
  static void InferOutputs(Node& node, const OrtCustomOp& op);

 private:
  std::vector<const OrtCustomOpDomain*> domains_;
  std::vector<std::unique_ptr<OperatorSchema>> schemas_;
};

/// "" when the types of the node's inputs suit the op, as far as they are known, else what does not.
std::string CustomOpMismatch(const Node& node, const OrtCustomOp& op);

/// Makes an OrtKernelImpl that runs `op` for `info`'s node.
OrtKernelImpl* CreateCustomOpKernel(const OrtCustomOp& op, const OrtKernelInfo& info);

/// Loads a custom-op library and calls its RegisterCustomOps (or the function named).
void RegisterCustomOpsLibrary(OrtSessionOptions& options, const std::string& file);

}  // namespace ortrun
