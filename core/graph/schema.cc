// SPDX-License-Identifier: Apache-2.0
#include "core/graph/schema.h"

#include <onnx/defs/schema.h>
#include <onnx/onnx_pb.h>

#include <algorithm>
#include <mutex>
#include <string_view>
#include <unordered_map>

#include "core/graph/contrib_schemas.h"
#include "core/graph/element_inference.h"
#include "core/graph/pinned_domain.h"
#include "core/graph/standard_schemas.h"

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
          0,
          false};
}

/// As onnx's GetNodeDeterminism, which for an operator with a function would fill onnx's own registry.
bool IsDeterministic(const onnx::OpSchema& schema) {
  if (!schema.HasFunction() || schema.HasContextDependentFunction())
    return schema.GetNodeDeterminism() != onnx::OpSchema::NodeDeterminism::NonDeterministic;
  const onnx::FunctionProto& body = *schema.GetFunction();
  const auto version_of = [&](const std::string& domain) {
    const auto import = std::find_if(body.opset_import().begin(), body.opset_import().end(),
                                     [&](const auto& opset) { return opset.domain() == domain; });
    return import == body.opset_import().end() ? schema.SinceVersion() : static_cast<int>(import->version());
  };
  return std::all_of(body.node().begin(), body.node().end(), [&](const onnx::NodeProto& node) {
    const onnx::OpSchema* part =
        StandardSchemas::Instance().GetSchema(node.op_type(), version_of(node.domain()), node.domain());
    return part == nullptr || IsDeterministic(*part);
  });
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
  converted->deterministic = IsDeterministic(schema);
  for (const auto& constraint : schema.typeConstraintParams())
    converted->constraints.push_back({constraint.type_param_str, constraint.allowed_type_strs, {}, {}});
  CompleteConstraints(*converted);
  return converted;
}

/// What a schema was asked by. The texts are the asker's; a key that is kept holds its own.
struct Question {
  std::string_view domain;
  std::string_view op;
  int version;
  bool operator==(const Question&) const = default;
};

struct KeptQuestion {
  std::string domain;
  std::string op;
  int version;
  operator Question() const { return {domain, op, version}; }  // NOLINT: seen through it
};

struct QuestionHash {
  using is_transparent = void;
  size_t operator()(const Question& question) const {
    const std::hash<std::string_view> hash;
    return (hash(question.op) * 31 + hash(question.domain)) * 31 + static_cast<size_t>(question.version);
  }
};

struct SameQuestion {
  using is_transparent = void;
  bool operator()(const Question& a, const Question& b) const { return a == b; }
};

/// Converted schemas, made when they are asked for the first time.
class SchemaTable {
 public:
  const OperatorSchema* Find(const std::string& domain, const std::string& op, int version) {
    const std::lock_guard lock(mutex_);
    if (const auto known = found_.find(Question{domain, op, version}); known != found_.end()) return known->second;
    const OperatorSchema* schema = nullptr;
    if (const onnx::OpSchema* standard = StandardSchemas::Instance().GetSchema(op, version, domain)) {
      auto& converted = converted_[standard];
      if (converted == nullptr) converted = Convert(*standard);
      schema = converted.get();
    } else {
      schema = FindContribSchema(domain, op, version);
    }
    found_.emplace(KeptQuestion{domain, op, version}, schema);
    return schema;
  }

 private:
  std::mutex mutex_;
  std::unordered_map<KeptQuestion, const OperatorSchema*, QuestionHash, SameQuestion> found_;
  std::unordered_map<const onnx::OpSchema*, std::unique_ptr<OperatorSchema>> converted_;
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
  if (const auto pinned = PinnedDomain::Parse(domain)) return FindSchema(pinned->domain, op, pinned->opset);
  // The channels-last forms have the standard operator's parameters.
  return domain == "com.ms.internal.nhwc" ? Table().Find("", op, version) : nullptr;
}

std::vector<std::string> OperatorNames(const std::string& domain) {
  std::vector<std::string> names = StandardSchemas::Instance().Names(domain);
  AddContribNames(domain, names);
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());  // an early form and the standard's share a name
  return names;
}

}  // namespace ortrun
