// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/graph/graph.h"

namespace onnx {
class OpSchema;
}

namespace ortrun {

/// One type parameter of an operator ("T") with the types that it allows, as "tensor(float)" texts.
struct SchemaTypeConstraint {
  std::string name;
  std::vector<std::string> allowed;
  std::vector<size_t> inputs;   ///< indices of the formal inputs of this type
  std::vector<size_t> outputs;  ///< indices of the formal outputs of this type
};

struct SchemaParameter {
  std::string name;
  std::string type;  ///< the type parameter's name ("T"), or a fixed type ("tensor(int64)")
  bool optional = false;
  bool variadic = false;
  bool homogeneous = true;    ///< false: a variadic one whose values may differ in type
  uint64_t tensor_types = 0;  ///< bit t: a tensor of element type t is allowed; 0: no tensor, or any
};

/// What is known of an operator: from onnx's own schemas, the schemas of ortrun's fused operators, or a custom op.
/// Immutable; lives as long as the process (onnx's) or the session (custom ops').
struct OperatorSchema {
  std::string domain;
  std::string name;
  int since_version = 1;
  std::vector<SchemaParameter> inputs;
  std::vector<SchemaParameter> outputs;
  std::vector<SchemaTypeConstraint> constraints;
  size_t min_inputs = 0;
  size_t min_outputs = 0;
  bool has_function = false;  ///< its body is given in terms of other operators
  bool deterministic = true;
  const onnx::OpSchema* standard = nullptr;  ///< onnx's own, for what is rarely asked; nullptr for others

  /// The formal parameter that input `index` of a node belongs to, a variadic last one included; nullptr: too many.
  const SchemaParameter* Input(size_t index) const;
  const SchemaParameter* Output(size_t index) const;
};

/// The newest schema of an operator not newer than `version`, or nullptr. Thread-safe.
const OperatorSchema* FindSchema(const std::string& domain, const std::string& op, int version);

/// Names of all operators of a domain (for "did you mean").
std::vector<std::string> OperatorNames(const std::string& domain);

/// Replaces `node`, whose operator has a function body, by the nodes of that body in the same graph.
/// Answers false when it has none for this node.
bool ExpandFunction(Node& node);

/// Turns a SequenceMap into the Loop that the standard defines it by, in place, with the nodes around it.
/// Answers false when the types of what its body gives are not known.
bool ExpandSequenceMap(Node& node);

}  // namespace ortrun
