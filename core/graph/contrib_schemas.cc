// SPDX-License-Identifier: Apache-2.0
#include "core/graph/contrib_schemas.h"

#include <algorithm>
#include <iterator>
#include <memory>
#include <mutex>
#include <sstream>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace ortrun {
namespace {

// One operator a line: domain|name|since|inputs|outputs|constraints. The version is since, or since-last. A parameter
// is name:type, with ? for an optional and * for a variadic one, before it ~ for an output that has the first input's
// shape; a constraint is parameter=type,type.
constexpr const char* kLines[] = {
#include "core/graph/contrib_schemas.inc"
};

std::vector<std::string> Split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream words(text);
  for (std::string word; std::getline(words, word, separator);) parts.push_back(word);
  return parts;
}

std::vector<SchemaParameter> ParseParameters(const std::string& text) {
  std::vector<SchemaParameter> parameters;
  for (const std::string& word : Split(text, ';')) {
    const size_t colon = word.find(':');
    SchemaParameter parameter;
    parameter.name = word.substr(0, colon);
    parameter.type = word.substr(colon + 1);
    parameter.optional = parameter.type.back() == '?';
    parameter.variadic = parameter.type.back() == '*';
    parameter.homogeneous = !parameter.variadic;
    if (parameter.optional || parameter.variadic) parameter.type.pop_back();
    parameter.shape_of_first = parameter.type.back() == '~';
    if (parameter.shape_of_first) parameter.type.pop_back();
    parameters.push_back(std::move(parameter));
  }
  return parameters;
}

std::unique_ptr<OperatorSchema> ParseLine(const std::string& line) {
  std::vector<std::string> parts = Split(line, '|');
  parts.resize(6);
  auto schema = std::make_unique<OperatorSchema>();
  schema->domain = parts[0];
  schema->name = parts[1];
  schema->since_version = std::stoi(parts[2]);
  if (const size_t dash = parts[2].find('-'); dash != std::string::npos)
    schema->last_version = std::stoi(parts[2].substr(dash + 1));
  schema->inputs = ParseParameters(parts[3]);
  schema->outputs = ParseParameters(parts[4]);
  for (const SchemaParameter& input : schema->inputs) schema->min_inputs += input.optional ? 0 : 1;
  for (const SchemaParameter& output : schema->outputs) schema->min_outputs += output.optional ? 0 : 1;
  for (const std::string& constraint : Split(parts[5], ';')) {
    const size_t equals = constraint.find('=');
    SchemaTypeConstraint parsed;
    parsed.name = constraint.substr(0, equals);
    for (const std::string& type : Split(constraint.substr(equals + 1), ','))
      parsed.allowed.push_back("tensor(" + type + ")");
    schema->constraints.push_back(std::move(parsed));
  }
  CompleteConstraints(*schema);
  return schema;
}

/// Domain and name at the start of a line: "com.microsoft|Gelu|".
bool Describes(std::string_view line, std::string_view domain, std::string_view op) {
  return line.size() > domain.size() + op.size() + 1 && line.starts_with(domain) && line[domain.size()] == '|' &&
         line.substr(domain.size() + 1).starts_with(op) && line[domain.size() + 1 + op.size()] == '|';
}

}  // namespace

const OperatorSchema* FindContribSchema(const std::string& domain, const std::string& op, int version) {
  // Parsed when they are asked for the first time, and handed out for the life of the process.
  static std::mutex mutex;
  static auto& parsed = *new std::unordered_map<const char*, std::unique_ptr<OperatorSchema>>();
  const auto* const line =
      std::find_if(std::begin(kLines), std::end(kLines), [&](const char* text) { return Describes(text, domain, op); });
  if (line == std::end(kLines)) return nullptr;
  const std::lock_guard lock(mutex);
  auto& schema = parsed[*line];
  if (schema == nullptr) schema = ParseLine(*line);
  return version <= schema->last_version ? schema.get() : nullptr;
}

void AddContribNames(const std::string& domain, std::vector<std::string>& names) {
  for (const std::string_view line : kLines) {
    const size_t bar = line.find('|');
    if (line.substr(0, bar) == domain) names.emplace_back(line.substr(bar + 1, line.find('|', bar + 1) - bar - 1));
  }
}

}  // namespace ortrun
