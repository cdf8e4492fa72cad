// SPDX-License-Identifier: Apache-2.0
#include "core/providers/kernel_registry.h"

#include <algorithm>
#include <array>
#include <climits>
#include <utility>

#include "ortrun/error.h"

using ortrun::Concat;
using ortrun::OperatorSchema;

namespace ortrun {

const OrtDataType* DataTypeOf(ONNXTensorElementDataType element) {
  static const std::array<OrtDataType, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT8E8M0 + 1> types = [] {
    std::array<OrtDataType, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT8E8M0 + 1> made;
    for (size_t i = 0; i < made.size(); ++i) made[i].element = static_cast<ONNXTensorElementDataType>(i);
    return made;
  }();
  const auto index = static_cast<size_t>(element);
  return index == 0 || index >= types.size() ? nullptr : &types[index];
}

namespace {

OrtMemType MemoryAt(const std::map<size_t, OrtMemType>& memory, size_t index) {
  const auto found = memory.find(index);
  return found == memory.end() ? OrtMemTypeDefault : found->second;
}

bool ServesVersion(const OrtKernelDef& def, int version) {
  if (def.until == INT_MAX) return def.since == version;
  return def.since <= version && version <= def.until;
}

std::string VersionsOf(const OrtKernelDef& def) {
  if (def.until == INT_MAX) return std::to_string(def.since);
  return def.since == def.until ? std::to_string(def.since) : Concat(def.since, "-", def.until);
}

/// What a node gives to, or takes from, a type parameter (or an input's or output's name) of its operator.
struct ParameterUse {
  const SchemaParameter& formal;
  const ValueInfo& value;
  bool input;
};

std::vector<ParameterUse> UsesOf(const OrtNode& node, const OperatorSchema& schema, const std::string& parameter) {
  std::vector<ParameterUse> uses;
  const auto collect = [&](const std::vector<OrtValueInfo*>& values, bool input) {
    for (size_t i = 0; i < values.size(); ++i) {
      const SchemaParameter* formal = input ? schema.Input(i) : schema.Output(i);
      if (values[i] != nullptr && formal != nullptr && (formal->type == parameter || formal->name == parameter))
        uses.push_back({*formal, *values[i], input});
    }
  };
  collect(node.inputs, true);
  collect(node.outputs, false);
  return uses;
}

/// Whether a kernel that takes tensors of these element types takes a value. Kernels name element types only: where
/// the operator allows no tensor at all, they mean the tensors that a sequence or optional holds.
bool Takes(const std::vector<ElementType>& allowed, const ParameterUse& use) {
  const OrtTypeInfo* type = &use.value.type;
  if (use.formal.tensor_types == 0)
    while (type->kind == ONNX_TYPE_SEQUENCE || type->kind == ONNX_TYPE_OPTIONAL)
      type = type->kind == ONNX_TYPE_SEQUENCE ? &type->sequence->element : &type->optional->contained;
  if (type->kind == ONNX_TYPE_UNKNOWN) return true;
  if (type->kind != ONNX_TYPE_TENSOR) return false;
  return type->tensor.type == ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED ||
         std::find(allowed.begin(), allowed.end(), type->tensor.type) != allowed.end();
}

/// A value of a node whose type a kernel does not take, and the types that it, or others of the operator, take there.
struct Mismatch {
  std::string parameter;
  const ValueInfo* value = nullptr;
  bool input = false;
  std::vector<ElementType> allowed;

  explicit operator bool() const { return value != nullptr; }
  std::string Text() const {
    std::string list;
    for (const ElementType one : allowed) list += (list.empty() ? "" : ", ") + std::string(ElementTypeName(one));
    return Concat(input ? "input '" : "output '", value->name, "' (", parameter, ") is ", TypeName(value->type),
                  "; the kernel takes tensors of ", list);
  }
};

Mismatch FindMismatch(const OrtKernelDef& def, const OrtNode& node, const OperatorSchema* schema) {
  if (schema == nullptr) return {};
  for (const auto& [parameter, allowed] : def.types)
    for (const ParameterUse& use : UsesOf(node, *schema, parameter))
      if (!Takes(allowed, use)) return {parameter, &use.value, use.input, allowed};
  return {};
}

/// Kernels of one operator share its types among them: the message lists them all.
void Collect(Mismatch& all, Mismatch one) {
  if (!all) {
    all = std::move(one);
  } else if (all.value == one.value && all.parameter == one.parameter) {
    for (ElementType type : one.allowed)
      if (std::find(all.allowed.begin(), all.allowed.end(), type) == all.allowed.end()) all.allowed.push_back(type);
  }
}

}  // namespace
}  // namespace ortrun

OrtMemType OrtKernelDef::InputMemory(size_t index) const { return ortrun::MemoryAt(input_memory, index); }
OrtMemType OrtKernelDef::OutputMemory(size_t index) const { return ortrun::MemoryAt(output_memory, index); }

void OrtKernelRegistry::Add(const OrtKernelDef& def, OrtKernelCreateFunc create, void* state) {
  entries_[def.domain + ":" + def.op].push_back({def, create, state});
}

const OrtKernelRegistry::Entry* OrtKernelRegistry::Find(const OrtNode& node, const OperatorSchema* schema,
                                                        std::string* reason) const {
  const auto found = entries_.find(node.domain + ":" + node.op_type);
  if (found == entries_.end()) {
    *reason = Concat("it has no kernel for ", node.domain.empty() ? "" : node.domain + ".", node.op_type);
    return nullptr;
  }
  std::string versions;
  ortrun::Mismatch mismatch;
  for (const Entry& entry : found->second) {
    if (!ortrun::ServesVersion(entry.def, node.since_version)) {
      versions += (versions.empty() ? "" : ", ") + ortrun::VersionsOf(entry.def);
      continue;
    }
    ortrun::Mismatch found_here = ortrun::FindMismatch(entry.def, node, schema);
    if (!found_here) return &entry;
    ortrun::Collect(mismatch, std::move(found_here));
  }
  if (mismatch)
    *reason = Concat("its kernel for ", node.op_type, " does not serve these types: ", mismatch.Text());
  else
    *reason = Concat("its kernels for ", node.op_type, " serve versions ", versions, ", the node is of version ",
                     node.since_version);
  return nullptr;
}

void OrtKernelRegistry::SetComputeType(const std::string& domain, const std::string& op,
                                       ONNXTensorElementDataType stored, ONNXTensorElementDataType computed) {
  compute_types_[{op.empty() ? "" : domain + ":" + op, stored}] = computed;
}

ONNXTensorElementDataType OrtKernelRegistry::ComputeType(const std::string& domain, const std::string& op,
                                                         ONNXTensorElementDataType stored) const {
  if (compute_types_.empty()) return stored;
  auto said = compute_types_.find({domain + ":" + op, stored});
  if (said == compute_types_.end()) said = compute_types_.find({"", stored});
  return said == compute_types_.end() ? stored : said->second;
}
