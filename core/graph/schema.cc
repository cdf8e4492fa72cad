// SPDX-License-Identifier: Apache-2.0
#include "core/graph/schema.h"

#include <onnx/defs/schema.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <set>
#include <tuple>

#include "core/graph/contrib_schemas.h"
#include "core/graph/element_inference.h"

namespace ortrun {
namespace {

const SchemaParameter* Formal(const std::vector<SchemaParameter>& parameters, size_t index) {
  if (index < parameters.size()) return &parameters[index];
  if (!parameters.empty() && parameters.back().variadic) return &parameters.back();
  return nullptr;
}

SchemaParameter Convert(const onnx::OpSchema::FormalParameter& formal) {
  return {formal.GetName(),
          formal.GetTypeStr(),
          formal.GetOption() == onnx::OpSchema::Optional,
          formal.GetOption() == onnx::OpSchema::Variadic,
          formal.GetIsHomogeneous(),
          0};
}

std::unique_ptr<OperatorSchema> Convert(const onnx::OpSchema& schema) {
  auto converted = std::make_unique<OperatorSchema>();
  converted->domain = schema.domain();
  converted->name = schema.Name();
  converted->since_version = schema.SinceVersion();
  for (const auto& input : schema.inputs()) converted->inputs.push_back(Convert(input));
  for (const auto& output : schema.outputs()) converted->outputs.push_back(Convert(output));
  converted->min_inputs = static_cast<size_t>(std::max(schema.min_input(), 0));
  converted->min_outputs = static_cast<size_t>(std::max(schema.min_output(), 0));
  converted->has_function = schema.HasFunction() || schema.HasContextDependentFunction();
  converted->standard = &schema;
  converted->deterministic = schema.GetNodeDeterminism() != onnx::OpSchema::NodeDeterminism::NonDeterministic;
  for (const auto& constraint : schema.typeConstraintParams())
    converted->constraints.push_back({constraint.type_param_str, constraint.allowed_type_strs, {}, {}});
  CompleteConstraints(*converted);
  return converted;
}

/// Converted schemas, made when they are asked for the first time.
class SchemaTable {
 public:
  const OperatorSchema* Find(const std::string& domain, const std::string& op, int version) {
    const std::lock_guard lock(mutex_);
    const auto [place, fresh] = found_.try_emplace({domain, op, version}, nullptr);
    if (!fresh) return place->second;
    if (const onnx::OpSchema* schema = onnx::OpSchemaRegistry::Schema(op, version, domain)) {
      auto& converted = converted_[schema];
      if (converted == nullptr) converted = Convert(*schema);
      place->second = converted.get();
    } else {
      place->second = FindContribSchema(domain, op);
    }
    return place->second;
  }

 private:
  std::mutex mutex_;
  std::map<std::tuple<std::string, std::string, int>, const OperatorSchema*> found_;
  std::map<const onnx::OpSchema*, std::unique_ptr<OperatorSchema>> converted_;
};

SchemaTable& Table() {
  static SchemaTable* const table = new SchemaTable();  // schemas are handed out for the life of the process
  return *table;
}

}  // namespace

const SchemaParameter* OperatorSchema::Input(size_t index) const { return Formal(inputs, index); }
const SchemaParameter* OperatorSchema::Output(size_t index) const { return Formal(outputs, index); }

void CompleteConstraints(OperatorSchema& schema) {
  const auto bit = [](const std::string& text) {
    const TypeInfo type = ParseTypeText(text);
    return type.IsTensor() ? uint64_t{1} << type.tensor.type : uint64_t{0};
  };
  for (auto* parameters : {&schema.inputs, &schema.outputs})
    for (SchemaParameter& parameter : *parameters) parameter.tensor_types = bit(parameter.type);
  for (SchemaTypeConstraint& constraint : schema.constraints) {
    uint64_t tensors = 0;
    for (const std::string& text : constraint.allowed) tensors |= bit(text);
    const auto complete = [&](std::vector<SchemaParameter>& parameters, std::vector<size_t>& indices) {
      for (size_t i = 0; i < parameters.size(); ++i) {
        if (parameters[i].type != constraint.name) continue;
        indices.push_back(i);
        parameters[i].tensor_types = tensors;
      }
    };
    complete(schema.inputs, constraint.inputs);
    complete(schema.outputs, constraint.outputs);
  }
}

const OperatorSchema* FindSchema(const std::string& domain, const std::string& op, int version) {
  if (const OperatorSchema* schema = Table().Find(domain, op, version)) return schema;
  // The channels-last forms have the standard operator's parameters.
  return domain == "com.ms.internal.nhwc" ? Table().Find("", op, version) : nullptr;
}

std::vector<std::string> OperatorNames(const std::string& domain) {
  std::set<std::string> names;
  for (const onnx::OpSchema& schema : onnx::OpSchemaRegistry::get_all_schemas())
    if (schema.domain() == domain) names.insert(schema.Name());
  AddContribNames(domain, names);
  return {names.begin(), names.end()};
}

}  // namespace ortrun
