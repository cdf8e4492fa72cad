// SPDX-License-Identifier: Apache-2.0
#include "core/providers/kernel_registry.h"

#include <utility>

#include "core/abi/array_argument.h"
#include "core/abi/fill.h"
#include "core/abi/guard.h"

namespace ortrun::abi {
namespace {

template <typename T>
OrtStatus* Create(T** out) {
  return Guard(
      {{"out", out}}, [&] { *out = std::make_unique<T>().release(); }, "Create");
}

OrtStatus* KernelRegistry_AddKernel(OrtKernelRegistry* kernel_registry, const OrtKernelDef* kernel_def,
                                    OrtKernelCreateFunc kernel_create_func, void* kernel_create_func_state) {
  return Guard({{"kernel_registry", kernel_registry}, {"kernel_def", kernel_def}}, [&] {
    Require(kernel_create_func != nullptr, "KernelRegistry_AddKernel: kernel_create_func is null");
    kernel_registry->Add(*kernel_def, kernel_create_func, kernel_create_func_state);
  });
}

OrtStatus* KernelDefBuilder_SetOperatorType(OrtKernelDefBuilder* kernel_def_builder, const char* op_type) {
  return Guard({{"kernel_def_builder", kernel_def_builder}, {"op_type", op_type}},
               [&] { kernel_def_builder->def.op = op_type; });
}

OrtStatus* KernelDefBuilder_SetDomain(OrtKernelDefBuilder* kernel_def_builder, const char* domain) {
  return Guard({{"kernel_def_builder", kernel_def_builder}, {"domain", domain}},
               [&] { kernel_def_builder->def.domain = std::string(domain) == "ai.onnx" ? "" : domain; });
}

OrtStatus* KernelDefBuilder_SetSinceVersion(OrtKernelDefBuilder* kernel_def_builder, int since_version_start,
                                            int since_version_end) {
  return Guard({{"kernel_def_builder", kernel_def_builder}}, [&] {
    Require(since_version_start >= 1 && since_version_end >= since_version_start, "versions ", since_version_start,
            " to ", since_version_end, " are no range");
    kernel_def_builder->def.since = since_version_start;
    kernel_def_builder->def.until = since_version_end;
  });
}

OrtStatus* KernelDefBuilder_SetExecutionProvider(OrtKernelDefBuilder* kernel_def_builder, const char* ep_name) {
  return Guard({{"kernel_def_builder", kernel_def_builder}, {"ep_name", ep_name}},
               [&] { kernel_def_builder->def.provider = ep_name; });
}

OrtStatus* KernelDefBuilder_SetInputMemType(OrtKernelDefBuilder* kernel_def_builder, size_t input_index,
                                            OrtMemType mem_type) {
  return Guard({{"kernel_def_builder", kernel_def_builder}},
               [&] { kernel_def_builder->def.input_memory[input_index] = mem_type; });
}

OrtStatus* KernelDefBuilder_SetOutputMemType(OrtKernelDefBuilder* kernel_def_builder, size_t output_index,
                                             OrtMemType mem_type) {
  return Guard({{"kernel_def_builder", kernel_def_builder}},
               [&] { kernel_def_builder->def.output_memory[output_index] = mem_type; });
}

OrtStatus* KernelDefBuilder_AddTypeConstraint(OrtKernelDefBuilder* kernel_def_builder, const char* arg_name,
                                              const OrtDataType* const* types, size_t num_types) {
  return Guard(
      {{"kernel_def_builder", kernel_def_builder}, {"arg_name", arg_name}, Array("types", types, num_types)}, [&] {
        auto& allowed = kernel_def_builder->def.types[arg_name];
        for (size_t i = 0; i < num_types; ++i) {
          Require(types[i] != nullptr, "KernelDefBuilder_AddTypeConstraint: type ", i, " of '", arg_name, "' is null");
          allowed.push_back(types[i]->element);
        }
      });
}

void AddPairs(std::vector<std::pair<int, int>>& pairs, const int* inputs, const int* outputs, size_t count) {
  for (size_t i = 0; i < count; ++i) pairs.emplace_back(inputs[i], outputs[i]);
}

OrtStatus* KernelDefBuilder_AddInputOutputAliases(OrtKernelDefBuilder* kernel_def_builder, const int* input_indices,
                                                  const int* output_indices, size_t num_io_indices) {
  return Guard({{"kernel_def_builder", kernel_def_builder},
                Array("input_indices", input_indices, num_io_indices),
                Array("output_indices", output_indices, num_io_indices)},
               [&] { AddPairs(kernel_def_builder->def.aliases, input_indices, output_indices, num_io_indices); });
}

OrtStatus* KernelDefBuilder_AddInputOutputMutableAliases(OrtKernelDefBuilder* kernel_def_builder,
                                                         const int* input_indices, const int* output_indices,
                                                         size_t num_io_indices) {
  return Guard({{"kernel_def_builder", kernel_def_builder},
                Array("input_indices", input_indices, num_io_indices),
                Array("output_indices", output_indices, num_io_indices)},
               [&] { AddPairs(kernel_def_builder->def.may_inplace, input_indices, output_indices, num_io_indices); });
}

OrtStatus* KernelDefBuilder_Build(OrtKernelDefBuilder* kernel_def_builder, OrtKernelDef** kernel_def_out) {
  return Guard({{"kernel_def_builder", kernel_def_builder}, {"kernel_def_out", kernel_def_out}}, [&] {
    Require(!kernel_def_builder->def.op.empty(), "KernelDefBuilder_Build: the operator's name is not set");
    *kernel_def_out = std::make_unique<OrtKernelDef>(kernel_def_builder->def).release();
  });
}

const char* KernelDef_GetOperatorType(const OrtKernelDef* kernel_def) noexcept {
  return IfAny(kernel_def, [](const OrtKernelDef& def) { return def.op.c_str(); });
}

const char* KernelDef_GetDomain(const OrtKernelDef* kernel_def) noexcept {
  return IfAny(kernel_def, [](const OrtKernelDef& def) { return def.domain.c_str(); });
}

const char* KernelDef_GetExecutionProvider(const OrtKernelDef* kernel_def) noexcept {
  return IfAny(kernel_def, [](const OrtKernelDef& def) { return def.provider.c_str(); });
}

OrtStatus* KernelDef_GetSinceVersion(const OrtKernelDef* kernel_def, int* start_version, int* end_version) {
  return Guard({{"kernel_def", kernel_def}, {"start_version", start_version}, {"end_version", end_version}}, [&] {
    *start_version = kernel_def->since;
    *end_version = kernel_def->until;
  });
}

OrtStatus* KernelDef_GetInputMemType(const OrtKernelDef* kernel_def, size_t input_index, OrtMemType* mem_type) {
  return Guard({{"kernel_def", kernel_def}, {"mem_type", mem_type}},
               [&] { *mem_type = kernel_def->InputMemory(input_index); });
}

OrtStatus* KernelDef_GetOutputMemType(const OrtKernelDef* kernel_def, size_t output_index, OrtMemType* mem_type) {
  return Guard({{"kernel_def", kernel_def}, {"mem_type", mem_type}},
               [&] { *mem_type = kernel_def->OutputMemory(output_index); });
}

OrtStatus* GetTensorDataType(ONNXTensorElementDataType elem_type, const OrtDataType** out) {
  return Guard({{"out", out}}, [&] {
    *out = DataTypeOf(elem_type);
    Require(*out != nullptr, "GetTensorDataType: ", static_cast<int>(elem_type), " is no element type");
  });
}

}  // namespace

void FillKernelRegistry(OrtEpApi& api) {
  api.CreateKernelRegistry = Create<OrtKernelRegistry>;
  api.ReleaseKernelRegistry = Delete<OrtKernelRegistry>;
  api.KernelRegistry_AddKernel = KernelRegistry_AddKernel;
  api.CreateKernelDefBuilder = Create<OrtKernelDefBuilder>;
  api.ReleaseKernelDefBuilder = Delete<OrtKernelDefBuilder>;
  api.KernelDefBuilder_SetOperatorType = KernelDefBuilder_SetOperatorType;
  api.KernelDefBuilder_SetDomain = KernelDefBuilder_SetDomain;
  api.KernelDefBuilder_SetSinceVersion = KernelDefBuilder_SetSinceVersion;
  api.KernelDefBuilder_SetExecutionProvider = KernelDefBuilder_SetExecutionProvider;
  api.KernelDefBuilder_SetInputMemType = KernelDefBuilder_SetInputMemType;
  api.KernelDefBuilder_SetOutputMemType = KernelDefBuilder_SetOutputMemType;
  api.KernelDefBuilder_AddTypeConstraint = KernelDefBuilder_AddTypeConstraint;
  api.KernelDefBuilder_AddInputOutputAliases = KernelDefBuilder_AddInputOutputAliases;
  api.KernelDefBuilder_AddInputOutputMutableAliases = KernelDefBuilder_AddInputOutputMutableAliases;
  api.KernelDefBuilder_Build = KernelDefBuilder_Build;
  api.ReleaseKernelDef = Delete<OrtKernelDef>;
  api.KernelDef_GetOperatorType = KernelDef_GetOperatorType;
  api.KernelDef_GetDomain = KernelDef_GetDomain;
  api.KernelDef_GetSinceVersion = KernelDef_GetSinceVersion;
  api.KernelDef_GetExecutionProvider = KernelDef_GetExecutionProvider;
  api.KernelDef_GetInputMemType = KernelDef_GetInputMemType;
  api.KernelDef_GetOutputMemType = KernelDef_GetOutputMemType;
  api.GetTensorDataType = GetTensorDataType;
}

}  // namespace ortrun::abi
