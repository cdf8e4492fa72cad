// SPDX-License-Identifier: Apache-2.0
#include "core/graph/standard_schemas.h"

#include <onnx/defs/operator_sets.h>
#include <onnx/defs/operator_sets_ml.h>
#include <onnx/defs/operator_sets_preview.h>

#include <algorithm>
#include <iterator>
#include <string_view>

#include "core/graph/pinned_domain.h"

namespace ortrun {
namespace {

struct TableEntry {
  std::string_view op;
  int version;
  onnx::OpSchema (*make)();
};

// Every version of every operator, by name: made by CMake from onnx's headers, which declare a class for each.
#define ORTRUN_STANDARD_SCHEMA(op, set, version) \
  {#op, version, &onnx::GetOpSchema<onnx::ONNX_OPERATOR_SET_SCHEMA_CLASS_NAME(set, version, op)>},
constexpr TableEntry kTable[] = {
#include "standard_schemas.inc"
};
#undef ORTRUN_STANDARD_SCHEMA

}  // namespace

StandardSchemas::StandardSchemas() : made_(std::size(kTable)) {}

const StandardSchemas& StandardSchemas::Instance() {
  static const StandardSchemas* const schemas = new StandardSchemas();  // handed out for the life of the process
  return *schemas;
}

const onnx::OpSchema& StandardSchemas::Made(size_t index) const {
  auto& schema = made_[index];
  if (schema == nullptr) {
    auto fresh = std::make_unique<onnx::OpSchema>(kTable[index].make());
    fresh->Finalize();
    schema = std::move(fresh);
  }
  return *schema;
}

const onnx::OpSchema* StandardSchemas::GetSchema(const std::string& op, int version, const std::string& domain) const {
  if (const auto pinned = PinnedDomain::Parse(domain)) return GetSchema(op, pinned->opset, pinned->domain);
  const auto named = std::equal_range(std::begin(kTable), std::end(kTable), TableEntry{op, 0, nullptr},
                                      [](const TableEntry& a, const TableEntry& b) { return a.op < b.op; });
  const std::string_view wanted = domain == "ai.onnx" ? std::string_view() : std::string_view(domain);
  const onnx::OpSchema* newest = nullptr;
  const std::lock_guard lock(mutex_);
  for (const TableEntry* entry = named.first; entry != named.second; ++entry) {
    if (entry->version > version || (newest != nullptr && entry->version < newest->SinceVersion())) continue;
    const onnx::OpSchema& schema = Made(static_cast<size_t>(entry - std::begin(kTable)));
    if (schema.domain() == wanted) newest = &schema;
  }
  return newest;
}

std::vector<std::string> StandardSchemas::Names(const std::string& domain) const {
  std::vector<std::string> names;
  const std::lock_guard lock(mutex_);
  for (size_t i = 0; i < std::size(kTable); ++i)
    if (Made(i).domain() == domain && (names.empty() || names.back() != kTable[i].op)) names.emplace_back(kTable[i].op);
  return names;
}

}  // namespace ortrun
