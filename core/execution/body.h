// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/execution/kernel_context.h"
#include "core/execution/kernel_info.h"
#include "core/execution/program.h"

namespace ortrun {

/// One body of a control-flow node, ready to run inside a call of that node's kernel.
class Body {
 public:
  /// The body named by a graph attribute; throws Error(ORT_INVALID_GRAPH) when the node has none.
  Body(const KernelInfo& info, const std::string& attribute);

  size_t formal_inputs() const { return formal_inputs_; }
  size_t outputs() const { return program_->outputs().size(); }
  const ValueInfo& output_info(size_t index) const;

  /// Runs the body: `formal` are its own inputs, values of outer graphs come from the implicit inputs of `context`.
  /// Results are new values in the order of the body's outputs.
  std::vector<Value> Run(const OrtKernelContext& context, const std::vector<const Value*>& formal) const;

 private:
  Program* program_ = nullptr;
  size_t formal_inputs_ = 0;
  std::vector<size_t> outer_positions_;  ///< of each outer input, in the context's list of inputs
};

/// The provider's helper of a kernel, released with it. Taken last: while its kernel cannot be made, it is the
/// caller's.
template <typename Helper>
std::shared_ptr<Helper> OwnHelper(Helper* helper) {
  return {helper, [](Helper* released) {
            if (released->Release != nullptr) released->Release(released);
          }};
}

/// Puts a result of a body into output `index` of a kernel call (nothing when the node does not name it).
void TakeOutput(OrtKernelContext& context, size_t index, Value value);

/// Throws unless all are tensors of one type and shape, which scan output `index` of `op` needs.
void CheckAlike(const std::vector<Value>& parts, const char* op, size_t index);

/// The single bool (or int64) of an input; throws when it is missing or no scalar.
bool ScalarBool(const Value& value, const char* what);
int64_t ScalarInt64(const Value& value, const char* what);

}  // namespace ortrun
