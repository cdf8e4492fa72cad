// SPDX-License-Identifier: Apache-2.0
#include "core/graph/node_check.h"

#include <onnx/defs/schema.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "core/base/nearest.h"
#include "ortrun/error.h"

namespace ortrun {
namespace {

[[noreturn]] void Invalid(const Node& node, const std::string& what) {
  throw Error(ORT_INVALID_GRAPH, Concat("This is an invalid model. In ", node.Describe(), ": Error ", what));
}

/// Texts of types without the blanks that some have after a comma, and with plain map values: "map(int64,float)".
std::string Compact(std::string text) {
  std::erase(text, ' ');
  if (const size_t map = text.find("map("); map != std::string::npos)
    if (const size_t value = text.find(",tensor(", map); value != std::string::npos) {
      text.erase(value + 1, 7);
      text.erase(text.find(')', value), 1);
    }
  return text;
}

/// The types that a parameter may have; empty: any.
std::vector<std::string> AllowedTypes(const OperatorSchema& schema, const SchemaParameter& formal) {
  for (const SchemaTypeConstraint& constraint : schema.constraints)
    if (constraint.name == formal.type) return constraint.allowed;
  // Neither a type parameter nor a type: a parameter of a schema that says nothing about types.
  return formal.type.find('(') == std::string::npos ? std::vector<std::string>() : std::vector{formal.type};
}

bool Allows(const OperatorSchema& schema, const SchemaParameter& formal, const TypeInfo& type) {
  if (type.IsTensor() && formal.tensor_types != 0) return (formal.tensor_types >> type.tensor.type & 1) != 0;
  const std::string name = Compact(TypeName(type));
  const std::vector<std::string> allowed = AllowedTypes(schema, formal);
  return allowed.empty() ||
         std::any_of(allowed.begin(), allowed.end(), [&](const std::string& text) { return Compact(text) == name; });
}

class NodeCheck {
 public:
  NodeCheck(const Node& node, const OperatorSchema& schema) : node_(node), schema_(schema) {}

  void Run() {
    CheckCount("input", node_.inputs.size(), schema_.min_inputs, schema_.inputs);
    CheckCount("output", node_.outputs.size(), schema_.min_outputs, schema_.outputs);
    for (size_t i = 0; i < node_.inputs.size(); ++i) CheckInput(i);
    for (size_t i = 0; i < node_.outputs.size(); ++i) CheckOutput(i);
    if (schema_.standard != nullptr && schema_.domain == node_.domain) CheckAttributes(*schema_.standard);
  }

 private:
  void CheckCount(const char* what, size_t count, size_t least, const std::vector<SchemaParameter>& formals) const {
    const bool open = !formals.empty() && formals.back().variadic;
    if (count >= least && (open || count <= formals.size())) return;
    Invalid(node_,
            Concat("Node(", node_.name, ") with schema(", schema_.domain, "::", schema_.name, ":",
                   schema_.since_version, ") has ", what, " size ", count, " not in range [min=", least,
                   ", max=", open ? static_cast<size_t>(std::numeric_limits<int>::max()) : formals.size(), "]."));
  }

  void CheckInput(size_t index) {
    const SchemaParameter& formal = *schema_.Input(index);
    const ValueInfo* value = node_.inputs[index];
    if (value == nullptr) {
      // Lists that hold anything, as a context of another runtime takes, may have gaps.
      if (!formal.optional && (!formal.variadic || schema_.standard != nullptr))
        Invalid(node_,
                Concat("Node (", node_.name, ")'s input ", index, " is ",
                       formal.variadic ? "one of a list" : "marked single", " but has an empty string in the graph"));
      return;
    }
    if (!value->type.IsKnown()) return;
    RequireAllowed("input", ORT_INVALID_GRAPH, formal, *value);
    const ValueInfo* bound = Bind(formal, *value);
    if (bound != nullptr && !bound->type.SameKind(value->type))
      throw Error(ORT_FAIL, Concat("Type Error: Type parameter (", formal.type, ") of Optype (", node_.op_type,
                                   ") bound to different types (", TypeName(bound->type), " and ",
                                   TypeName(value->type), ") in node (", node_.name, "). '", bound->name, "' and '",
                                   value->name, "' of ", node_.Describe(), " must be of one type: cast one of them"));
  }

  void CheckOutput(size_t index) {
    const SchemaParameter& formal = *schema_.Output(index);
    const ValueInfo* value = node_.outputs[index];
    if (value == nullptr || !value->type.IsKnown()) return;
    const ValueInfo* bound = Bind(formal, *value);
    if (bound != nullptr && !bound->type.SameKind(value->type))
      throw Error(ORT_FAIL, Concat("Type Error: Type (", TypeName(value->type), ") of output arg (", value->name,
                                   ") of node (", node_.name, ") does not match expected type (", TypeName(bound->type),
                                   "). The model declares '", value->name, "' wrongly: ", node_.Describe(),
                                   " makes it of the type of '", bound->name, "'"));
    RequireAllowed("output", ORT_FAIL, formal, *value);
  }

  void RequireAllowed(const char* what, OrtErrorCode code, const SchemaParameter& formal,
                      const ValueInfo& value) const {
    if (Allows(schema_, formal, value.type)) return;
    throw Error(code, Concat(code == ORT_INVALID_GRAPH ? "This is an invalid model. " : "", "Type Error: Type '",
                             TypeName(value.type), "' of ", what, " parameter (", value.name, ") of operator (",
                             node_.op_type, ") in node (", node_.name, ") is invalid. '", value.name, "' of ",
                             node_.Describe(), " may be ", Join(AllowedTypes(schema_, formal))));
  }

  /// The value that first had the parameter's type, or nullptr when it is this one.
  const ValueInfo* Bind(const SchemaParameter& formal, const ValueInfo& value) {
    if (!formal.homogeneous) return nullptr;
    for (const auto& [parameter, bound] : bound_)
      if (*parameter == formal.type) return bound;
    bound_.emplace_back(&formal.type, &value);
    return nullptr;
  }

  void CheckAttributes(const onnx::OpSchema& schema) const {
    const auto& known = schema.attributes();
    for (const OrtOpAttr& attribute : node_.attributes) {
      const auto found = known.find(attribute.name);
      if (found == known.end()) {
        if (attribute.name.starts_with("__")) continue;  // onnx leaves these names to tools
        Invalid(node_, Concat("Unrecognized attribute: ", attribute.name, " for operator ", node_.op_type));
      }
      if (!Suits(attribute.type, found->second.type))
        Invalid(node_, Concat("Mismatched attribute type in '", node_.name, " : ", attribute.name, "'."));
      CheckAxes(attribute);
    }
    for (const auto& [name, attribute] : known)
      if (attribute.required && node_.Attribute(name) == nullptr)
        Invalid(node_, Concat("Required attribute '", name, "' is missing."));
  }

  /// Inference counts dimensions in 32 bits. Whether an axis suits the rank is its operator's to say.
  void CheckAxes(const OrtOpAttr& attribute) const {
    if (!attribute.name.ends_with("axis") && !attribute.name.ends_with("axes")) return;
    const auto check = [&](int64_t axis) {
      if (axis < std::numeric_limits<int32_t>::min() || axis > std::numeric_limits<int32_t>::max())
        Invalid(node_, Concat("Attribute '", attribute.name, "' is ", axis, ": no tensor has such a dimension."));
    };
    if (attribute.type == ORT_OP_ATTR_INT) check(attribute.i);
    if (attribute.type == ORT_OP_ATTR_INTS) std::for_each(attribute.ints.begin(), attribute.ints.end(), check);
  }

  static bool Suits(OrtOpAttrType given, onnx::AttributeProto_AttributeType expected) {
    switch (expected) {
      case onnx::AttributeProto::INT:
        return given == ORT_OP_ATTR_INT;
      case onnx::AttributeProto::INTS:
        return given == ORT_OP_ATTR_INTS;
      case onnx::AttributeProto::FLOAT:
        return given == ORT_OP_ATTR_FLOAT;
      case onnx::AttributeProto::FLOATS:
        return given == ORT_OP_ATTR_FLOATS;
      case onnx::AttributeProto::STRING:
        return given == ORT_OP_ATTR_STRING;
      case onnx::AttributeProto::STRINGS:
        return given == ORT_OP_ATTR_STRINGS;
      case onnx::AttributeProto::TENSOR:
      case onnx::AttributeProto::SPARSE_TENSOR:
        return given == ORT_OP_ATTR_TENSOR;
      case onnx::AttributeProto::GRAPH:
        return given == ORT_OP_ATTR_GRAPH;
      default:
        return true;
    }
  }

  const Node& node_;
  const OperatorSchema& schema_;
  std::vector<std::pair<const std::string*, const ValueInfo*>> bound_;
};

}  // namespace

void CheckNode(const Node& node, const OperatorSchema& schema) { NodeCheck(node, schema).Run(); }

}  // namespace ortrun
