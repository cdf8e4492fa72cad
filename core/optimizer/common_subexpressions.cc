// SPDX-License-Identifier: Apache-2.0
// Two nodes that compute the same from the same are one. Small equal constants count as the same input.
#include <cstring>
#include <map>

#include "core/graph/schema.h"
#include "core/optimizer/passes.h"

namespace ortrun {

namespace {

/// Constants and attributes up to this size are compared by content.
constexpr size_t kSmall = 1024;

void Append(std::string& key, const void* data, size_t bytes) { key.append(static_cast<const char*>(data), bytes); }

template <typename T>
void Append(std::string& key, const T& value) {
  Append(key, &value, sizeof(value));
}

template <typename T>
void AppendAll(std::string& key, const std::vector<T>& values) {
  Append(key, values.size());
  Append(key, values.data(), values.size() * sizeof(T));
}

bool AppendAttribute(std::string& key, const Attribute& attribute) {
  Append(key, attribute.name.size());
  key += attribute.name;
  Append(key, attribute.type);
  Append(key, attribute.i);
  Append(key, attribute.f);
  if (attribute.s.size() + attribute.ints.size() + attribute.floats.size() + attribute.strings.size() > kSmall)
    return false;
  Append(key, attribute.s.size());
  key += attribute.s;
  AppendAll(key, attribute.ints);
  AppendAll(key, attribute.floats);
  for (const std::string& text : attribute.strings) {
    Append(key, text.size());
    key += text;
  }
  if (attribute.tensor == nullptr) return true;
  const Value& tensor = *attribute.tensor;
  if (!tensor.IsTensor() || tensor.IsString() || tensor.bytes() > kSmall) return false;
  Append(key, tensor.type());
  Append(key, tensor.tensor().rank);
  Append(key, tensor.tensor().shape, tensor.tensor().rank * sizeof(int64_t));
  Append(key, tensor.tensor().data, tensor.bytes());
  return true;
}

class Subexpressions {
 public:
  explicit Subexpressions(Rewriter& rewriter) : rewriter_(rewriter) {}

  bool Rewrite(Node& node) {
    const std::optional<std::string> key = Key(node);
    if (!key) return false;
    const auto [place, added] = first_.emplace(*key, &node);
    if (added) return false;
    Node* first = place->second;
    if (first->outputs.size() != node.outputs.size()) return false;
    Patch patch = rewriter_.Start(node);
    patch.Take(&node);
    for (size_t i = 0; i < node.outputs.size(); ++i) {
      ValueInfo* output = node.outputs[i];
      if (output == nullptr) continue;
      if (output->is_output || first->outputs[i] == nullptr) return false;
      patch.Redirect(output, first->outputs[i]);
    }
    return rewriter_.Apply(patch);
  }

 private:
  std::optional<std::string> Key(const Node& node) {
    if (!node.subgraphs.empty() || node.inputs.empty()) return std::nullopt;
    // Random operators and those of unknown libraries may answer differently each time.
    const OperatorSchema* schema = FindSchema(node.domain, node.op_type, node.since_version);
    if (schema == nullptr || !schema->deterministic || node.op_type.starts_with("Random") || node.Is("Multinomial") ||
        node.Is("Bernoulli") || node.Is("Dropout")) {
      return std::nullopt;
    }
    std::string key = node.domain + "\n" + node.op_type + "\n" + std::to_string(node.since_version) + "\n";
    for (const ValueInfo* input : node.inputs) Append(key, Representative(input));
    Append(key, node.outputs.size());
    for (const ValueInfo* output : node.outputs) Append(key, output == nullptr);
    std::map<std::string, const Attribute*> sorted;
    for (const Attribute& attribute : node.attributes) sorted[attribute.name] = &attribute;
    for (const auto& [name, attribute] : sorted) {
      if (!AppendAttribute(key, *attribute)) return std::nullopt;
    }
    return key;
  }

  /// The same pointer for constants of the same content.
  const void* Representative(const ValueInfo* value) {
    const Value* constant = ConstantOf(value);
    if (constant == nullptr || !constant->IsTensor()) return value;
    if (constant->IsString() || constant->bytes() > kSmall) return constant;
    std::string content;
    Append(content, constant->type());
    Append(content, constant->tensor().rank);
    Append(content, constant->tensor().shape, constant->tensor().rank * sizeof(int64_t));
    Append(content, constant->tensor().data, constant->bytes());
    return constants_.emplace(std::move(content), constant).first->second;
  }

  Rewriter& rewriter_;
  std::unordered_map<std::string, Node*> first_;
  std::unordered_map<std::string, const void*> constants_;
};

void Run(Rewriter& rewriter) {
  Subexpressions subexpressions(rewriter);
  rewriter.ForEach([&](Node& node) { return subexpressions.Rewrite(node); });
}

}  // namespace

std::unique_ptr<Pass> MakeCommonSubexpressions() {
  return MakePass("common_subexpressions", PassStage::kPortable, ORT_ENABLE_BASIC, Run);
}

}  // namespace ortrun
