// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/graph/graph.h"
#include "core/graph/schema.h"

/// A tensor type, as kernel definitions name it. One per element type; they live as long as the process.
struct OrtDataType {
  ONNXTensorElementDataType element = ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
};

/// What a kernel serves: operator, versions, types, where it wants its inputs and makes its outputs.
struct OrtKernelDef {
  std::string op;
  std::string domain;
  std::string provider;
  int since = 1;
  int until = 0;  ///< inclusive; INT_MAX: exactly `since`'s schema, until a newer one changes it
  /// Type parameter (or input/output name) to the allowed element types.
  std::map<std::string, std::vector<ONNXTensorElementDataType>> types;
  std::map<size_t, OrtMemType> input_memory;
  std::map<size_t, OrtMemType> output_memory;
  std::vector<std::pair<int, int>> aliases;      ///< (input, output) that always share memory
  std::vector<std::pair<int, int>> may_inplace;  ///< (input, output) that may share memory

  OrtMemType InputMemory(size_t index) const;
  OrtMemType OutputMemory(size_t index) const;
};

struct OrtKernelDefBuilder {
  OrtKernelDef def;
};

/// The kernels of one provider. Filled by the provider before its first session, only read afterwards.
struct OrtKernelRegistry {
 public:
  struct Entry {
    OrtKernelDef def;
    OrtKernelCreateFunc create = nullptr;
    void* state = nullptr;
  };

  void Add(const OrtKernelDef& def, OrtKernelCreateFunc create, void* state);

  /// The kernel that serves `node`. When there is none answers nullptr and says why in `reason` (not null).
  const Entry* Find(const OrtNode& node, const ortrun::OperatorSchema* schema, std::string* reason) const;

  /// What its kernels do with elements of type `stored`, see ortrun/compute_type.h. `op` empty: all operators.
  void SetComputeType(const std::string& domain, const std::string& op, ONNXTensorElementDataType stored,
                      ONNXTensorElementDataType computed);
  /// The type in which the kernels of an operator compute with elements of type `stored`.
  ONNXTensorElementDataType ComputeType(const std::string& domain, const std::string& op,
                                        ONNXTensorElementDataType stored) const;

 private:
  std::unordered_map<std::string, std::vector<Entry>> entries_;  ///< by "domain:op"
  /// By operator ("" for all) and stored type.
  std::map<std::pair<std::string, ONNXTensorElementDataType>, ONNXTensorElementDataType> compute_types_;
};

namespace ortrun {
/// The process-wide type object of a tensor of `element`; nullptr for an unknown value.
const OrtDataType* DataTypeOf(ONNXTensorElementDataType element);
}  // namespace ortrun
