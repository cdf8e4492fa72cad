// SPDX-License-Identifier: Apache-2.0
#include "core/graph/schema.h"

#include "core/abi/fill.h"
#include "core/abi/guard.h"

/// One type parameter of a schema with C strings to hand out.
struct OrtOpSchemaTypeConstraint {
  const ortrun::SchemaTypeConstraint* constraint = nullptr;
  std::vector<const char*> allowed;
};

/// A handle on a schema, which itself lives as long as the process.
struct OrtOpSchema {
  const ortrun::OperatorSchema* schema = nullptr;
  std::vector<OrtOpSchemaTypeConstraint> constraints;
};

namespace ortrun::abi {
namespace {

OrtStatus* GetOpSchema(const char* name, int max_inclusive_version, const char* domain, OrtOpSchema** out_schema) {
  return Guard({{"name", name}, {"domain", domain}, {"out_schema", out_schema}}, [&] {
    const std::string in_domain = std::string(domain) == "ai.onnx" ? "" : domain;
    *out_schema = nullptr;
    const OperatorSchema* found = FindSchema(in_domain, name, max_inclusive_version);
    if (found == nullptr) return;
    auto handle = std::make_unique<OrtOpSchema>();
    handle->schema = found;
    for (const SchemaTypeConstraint& constraint : found->constraints) {
      handle->constraints.push_back({&constraint, {}});
      for (const std::string& type : constraint.allowed) handle->constraints.back().allowed.push_back(type.c_str());
    }
    *out_schema = handle.release();
  });
}

OrtStatus* OpSchema_GetSinceVersion(const OrtOpSchema* schema, int* out) {
  return Guard({{"schema", schema}, {"out", out}}, [&] { *out = schema->schema->since_version; });
}

using Parameters = std::vector<SchemaParameter>;

template <Parameters OperatorSchema::*kList>
OrtStatus* Count(const OrtOpSchema* schema, size_t* out) {
  return Guard(
      {{"schema", schema}, {"out", out}}, [&] { *out = (schema->schema->*kList).size(); }, "OpSchema_GetNum");
}

const SchemaParameter& At(const Parameters& list, size_t index) {
  Require(index < list.size(), "the schema has ", list.size(), " of them, there is no number ", index);
  return list[index];
}

template <Parameters OperatorSchema::*kList>
OrtStatus* NameAt(const OrtOpSchema* schema, size_t index, const char** out) {
  return Guard(
      {{"schema", schema}, {"out", out}}, [&] { *out = At(schema->schema->*kList, index).name.c_str(); },
      "OpSchema_GetName");
}

template <Parameters OperatorSchema::*kList>
OrtStatus* ConstraintOf(const OrtOpSchema* schema, size_t index, const OrtOpSchemaTypeConstraint** out) {
  return Guard(
      {{"schema", schema}, {"out", out}},
      [&] {
        const std::string& type = At(schema->schema->*kList, index).type;
        *out = nullptr;  // a fixed type has no constraint
        for (const OrtOpSchemaTypeConstraint& constraint : schema->constraints)
          if (constraint.constraint->name == type) *out = &constraint;
      },
      "OpSchema_GetTypeConstraint");
}

OrtStatus* OpSchema_GetTypeConstraintCount(const OrtOpSchema* schema, size_t* out) {
  return Guard({{"schema", schema}, {"out", out}}, [&] { *out = schema->constraints.size(); });
}

OrtStatus* OpSchema_GetTypeConstraint(const OrtOpSchema* schema, size_t index, const OrtOpSchemaTypeConstraint** out) {
  return Guard({{"schema", schema}, {"out", out}}, [&] {
    Require(index < schema->constraints.size(), "the schema has ", schema->constraints.size(), " type constraints");
    *out = &schema->constraints[index];
  });
}

OrtStatus* OpSchemaTypeConstraint_GetTypeParamName(const OrtOpSchemaTypeConstraint* type_constraint, const char** out) {
  return Guard({{"type_constraint", type_constraint}, {"out", out}},
               [&] { *out = type_constraint->constraint->name.c_str(); });
}

OrtStatus* OpSchemaTypeConstraint_GetAllowedTypes(const OrtOpSchemaTypeConstraint* type_constraint,
                                                  const char* const** out_types, size_t* num_types) {
  return Guard({{"type_constraint", type_constraint}, {"out_types", out_types}, {"num_types", num_types}}, [&] {
    *out_types = type_constraint->allowed.data();
    *num_types = type_constraint->allowed.size();
  });
}

template <std::vector<size_t> SchemaTypeConstraint::*kList>
OrtStatus* IndicesOf(const OrtOpSchemaTypeConstraint* type_constraint, const size_t** out_indices, size_t* count) {
  return Guard(
      {{"type_constraint", type_constraint}, {"out_indices", out_indices}, {"count", count}},
      [&] {
        *out_indices = (type_constraint->constraint->*kList).data();
        *count = (type_constraint->constraint->*kList).size();
      },
      "OpSchemaTypeConstraint_GetIndices");
}

}  // namespace

void FillOpSchema(OrtEpApi& api) {
  api.GetOpSchema = GetOpSchema;
  api.ReleaseOpSchema = Delete<OrtOpSchema>;
  api.OpSchema_GetSinceVersion = OpSchema_GetSinceVersion;
  api.OpSchema_GetNumInputs = Count<&OperatorSchema::inputs>;
  api.OpSchema_GetInputName = NameAt<&OperatorSchema::inputs>;
  api.OpSchema_GetInputTypeConstraint = ConstraintOf<&OperatorSchema::inputs>;
  api.OpSchema_GetNumOutputs = Count<&OperatorSchema::outputs>;
  api.OpSchema_GetOutputName = NameAt<&OperatorSchema::outputs>;
  api.OpSchema_GetOutputTypeConstraint = ConstraintOf<&OperatorSchema::outputs>;
  api.OpSchema_GetTypeConstraintCount = OpSchema_GetTypeConstraintCount;
  api.OpSchema_GetTypeConstraint = OpSchema_GetTypeConstraint;
  api.OpSchemaTypeConstraint_GetTypeParamName = OpSchemaTypeConstraint_GetTypeParamName;
  api.OpSchemaTypeConstraint_GetAllowedTypes = OpSchemaTypeConstraint_GetAllowedTypes;
  api.OpSchemaTypeConstraint_GetInputIndices = IndicesOf<&SchemaTypeConstraint::inputs>;
  api.OpSchemaTypeConstraint_GetOutputIndices = IndicesOf<&SchemaTypeConstraint::outputs>;
}

}  // namespace ortrun::abi
