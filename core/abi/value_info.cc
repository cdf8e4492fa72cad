// SPDX-License-Identifier: Apache-2.0
#include "core/abi/array_argument.h"
#include "core/abi/fill.h"
#include "core/abi/guard.h"
#include "core/graph/graph.h"

namespace ortrun::abi {
namespace {

/// The value that an inner graph's value stands for.
const OrtValueInfo& Holder(const OrtValueInfo& value) {
  const OrtValueInfo* holder = &value;
  while (holder->outer != nullptr) holder = holder->outer;
  return *holder;
}

OrtStatus* GetValueInfoName(const OrtValueInfo* value_info, const char** name) {
  return Guard({{"value_info", value_info}, {"name", name}}, [&] { *name = value_info->name.c_str(); });
}

OrtStatus* GetValueInfoTypeInfo(const OrtValueInfo* value_info, const OrtTypeInfo** type_info) {
  return Guard({{"value_info", value_info}, {"type_info", type_info}}, [&] { *type_info = &value_info->type; });
}

OrtStatus* ValueInfo_GetValueProducer(const OrtValueInfo* value_info, const OrtNode** producer_node,
                                      size_t* producer_output_index) {
  return Guard({{"value_info", value_info}, {"producer_node", producer_node}}, [&] {
    *producer_node = value_info->producer;
    if (producer_output_index != nullptr) *producer_output_index = value_info->producer_output;
  });
}

OrtStatus* ValueInfo_GetValueNumConsumers(const OrtValueInfo* value_info, size_t* num_consumers) {
  return Guard({{"value_info", value_info}, {"num_consumers", num_consumers}},
               [&] { *num_consumers = value_info->uses.size(); });
}

OrtStatus* ValueInfo_GetValueConsumers(const OrtValueInfo* value_info, const OrtNode** nodes, int64_t* input_indices,
                                       size_t num_consumers) {
  return Guard({{"value_info", value_info},
                Array("nodes", nodes, num_consumers),
                Array("input_indices", input_indices, num_consumers)},
               [&] {
                 Require(num_consumers >= value_info->uses.size(), "the arrays hold ", num_consumers, " entries, ",
                         value_info->uses.size(), " are needed");
                 for (const OrtUse& use : value_info->uses) {
                   *nodes++ = use.node;
                   *input_indices++ = use.index;
                 }
               });
}

OrtStatus* ValueInfo_GetInitializerValue(const OrtValueInfo* value_info, const OrtValue** initializer_value) {
  return Guard({{"value_info", value_info}, {"initializer_value", initializer_value}},
               [&] { *initializer_value = Holder(*value_info).initializer.get(); });
}

OrtStatus* ValueInfo_GetExternalInitializerInfo(const OrtValueInfo* value_info, OrtExternalInitializerInfo** info) {
  return Guard({{"value_info", value_info}, {"info", info}}, [&] {
    const auto& external = Holder(*value_info).external;
    *info = external == nullptr ? nullptr : std::make_unique<OrtExternalInitializerInfo>(*external).release();
  });
}

OrtStatus* ValueInfo_IsRequiredGraphInput(const OrtValueInfo* value_info, bool* is_required_graph_input) {
  return Guard({{"value_info", value_info}, {"is_required_graph_input", is_required_graph_input}},
               [&] { *is_required_graph_input = value_info->is_input && value_info->initializer == nullptr; });
}

OrtStatus* ValueInfo_IsOptionalGraphInput(const OrtValueInfo* value_info, bool* is_optional_graph_input) {
  return Guard({{"value_info", value_info}, {"is_optional_graph_input", is_optional_graph_input}},
               [&] { *is_optional_graph_input = value_info->is_input && value_info->initializer != nullptr; });
}

OrtStatus* ValueInfo_IsGraphOutput(const OrtValueInfo* value_info, bool* is_graph_output) {
  return Guard({{"value_info", value_info}, {"is_graph_output", is_graph_output}},
               [&] { *is_graph_output = value_info->is_output; });
}

OrtStatus* ValueInfo_IsConstantInitializer(const OrtValueInfo* value_info, bool* is_constant_initializer) {
  return Guard({{"value_info", value_info}, {"is_constant_initializer", is_constant_initializer}},
               [&] { *is_constant_initializer = Holder(*value_info).IsConstant(); });
}

OrtStatus* ValueInfo_IsFromOuterScope(const OrtValueInfo* value_info, bool* is_from_outer_scope) {
  return Guard({{"value_info", value_info}, {"is_from_outer_scope", is_from_outer_scope}},
               [&] { *is_from_outer_scope = value_info->outer != nullptr; });
}

OrtStatus* CreateExternalInitializerInfo(const char* filepath, int64_t file_offset, size_t byte_size,
                                         OrtExternalInitializerInfo** out) {
  return Guard({{"filepath", filepath}, {"out", out}}, [&] {
    *out = std::make_unique<OrtExternalInitializerInfo>(OrtExternalInitializerInfo{filepath, file_offset, byte_size})
               .release();
  });
}

const char* ExternalInitializerInfo_GetFilePath(const OrtExternalInitializerInfo* info) noexcept {
  return info == nullptr ? "" : info->file.c_str();
}

int64_t ExternalInitializerInfo_GetFileOffset(const OrtExternalInitializerInfo* info) noexcept {
  return info == nullptr ? 0 : info->offset;
}

size_t ExternalInitializerInfo_GetByteSize(const OrtExternalInitializerInfo* info) noexcept {
  return info == nullptr ? 0 : info->bytes;
}

}  // namespace

void FillValueInfo(OrtApi& api) {
  api.GetValueInfoName = GetValueInfoName;
  api.GetValueInfoTypeInfo = GetValueInfoTypeInfo;
  api.ValueInfo_GetValueProducer = ValueInfo_GetValueProducer;
  api.ValueInfo_GetValueNumConsumers = ValueInfo_GetValueNumConsumers;
  api.ValueInfo_GetValueConsumers = ValueInfo_GetValueConsumers;
  api.ValueInfo_GetInitializerValue = ValueInfo_GetInitializerValue;
  api.ValueInfo_GetExternalInitializerInfo = ValueInfo_GetExternalInitializerInfo;
  api.ValueInfo_IsRequiredGraphInput = ValueInfo_IsRequiredGraphInput;
  api.ValueInfo_IsOptionalGraphInput = ValueInfo_IsOptionalGraphInput;
  api.ValueInfo_IsGraphOutput = ValueInfo_IsGraphOutput;
  api.ValueInfo_IsConstantInitializer = ValueInfo_IsConstantInitializer;
  api.ValueInfo_IsFromOuterScope = ValueInfo_IsFromOuterScope;
  api.ReleaseValueInfo = Delete<OrtValueInfo>;
  api.CreateExternalInitializerInfo = CreateExternalInitializerInfo;
  api.ReleaseExternalInitializerInfo = Delete<OrtExternalInitializerInfo>;
  api.ExternalInitializerInfo_GetFilePath = ExternalInitializerInfo_GetFilePath;
  api.ExternalInitializerInfo_GetFileOffset = ExternalInitializerInfo_GetFileOffset;
  api.ExternalInitializerInfo_GetByteSize = ExternalInitializerInfo_GetByteSize;
}

}  // namespace ortrun::abi
