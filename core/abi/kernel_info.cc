// SPDX-License-Identifier: Apache-2.0
#include "core/execution/kernel_info.h"

#include "core/abi/allocator.h"
#include "core/abi/fill.h"
#include "core/abi/guard.h"

namespace ortrun::abi {
namespace {

const OrtOpAttr& Find(const OrtKernelInfo& info, const char* name, OrtOpAttrType type) {
  const OrtOpAttr* attribute = info.node->Attribute(name);
  if (attribute == nullptr)
    throw Error(ORT_FAIL, Concat("No attribute with name: ", name, " is defined on ", info.node->Describe()));
  if (attribute->type != type)
    throw Error(ORT_FAIL, Concat("Attribute '", name, "' of ", info.node->Describe(), " is of another type"));
  return *attribute;
}

OrtStatus* KernelInfoGetAttribute_float(const OrtKernelInfo* info, const char* name, float* out) {
  return Guard({{"info", info}, {"name", name}, {"out", out}}, [&] { *out = Find(*info, name, ORT_OP_ATTR_FLOAT).f; });
}

OrtStatus* KernelInfoGetAttribute_int64(const OrtKernelInfo* info, const char* name, int64_t* out) {
  return Guard({{"info", info}, {"name", name}, {"out", out}}, [&] { *out = Find(*info, name, ORT_OP_ATTR_INT).i; });
}

OrtStatus* KernelInfoGetAttribute_string(const OrtKernelInfo* info, const char* name, char* out, size_t* size) {
  return Guard({{"info", info}, {"name", name}, {"size", size}},
               [&] { CopyTextOut(Find(*info, name, ORT_OP_ATTR_STRING).s, name, out, size); });
}

OrtStatus* KernelInfoGetAttributeArray_float(const OrtKernelInfo* info, const char* name, float* out, size_t* size) {
  return Guard({{"info", info}, {"name", name}, {"size", size}},
               [&] { CopyArrayOut(Find(*info, name, ORT_OP_ATTR_FLOATS).floats, name, out, size); });
}

OrtStatus* KernelInfoGetAttributeArray_int64(const OrtKernelInfo* info, const char* name, int64_t* out, size_t* size) {
  return Guard({{"info", info}, {"name", name}, {"size", size}},
               [&] { CopyArrayOut(Find(*info, name, ORT_OP_ATTR_INTS).ints, name, out, size); });
}

OrtStatus* KernelInfoGetAttributeArray_string(const OrtKernelInfo* info, const char* name, OrtAllocator* allocator,
                                              char*** out, size_t* size) {
  return Guard({{"info", info}, {"name", name}, {"allocator", allocator}, {"out", out}, {"size", size}}, [&] {
    const std::vector<std::string>& texts = Find(*info, name, ORT_OP_ATTR_STRINGS).strings;
    char** copies = NewArray<char*>(allocator, texts.size());
    for (size_t i = 0; i < texts.size(); ++i) copies[i] = CopyText(allocator, texts[i]);
    *out = copies;
    *size = texts.size();
  });
}

OrtStatus* KernelInfoGetAttribute_tensor(const OrtKernelInfo* info, const char* name, OrtAllocator* allocator,
                                         OrtValue** out) {
  return Guard({{"info", info}, {"name", name}, {"allocator", allocator}, {"out", out}}, [&] {
    const OrtOpAttr& attribute = Find(*info, name, ORT_OP_ATTR_TENSOR);
    *out = std::make_unique<OrtValue>(*attribute.tensor).release();  // the tensor's memory is shared, never changed
  });
}

OrtStatus* KernelInfo_GetInputCount(const OrtKernelInfo* info, size_t* out) {
  return Guard({{"info", info}, {"out", out}}, [&] { *out = info->node->inputs.size(); });
}

OrtStatus* KernelInfo_GetOutputCount(const OrtKernelInfo* info, size_t* out) {
  return Guard({{"info", info}, {"out", out}}, [&] { *out = info->node->outputs.size(); });
}

const OrtValueInfo* At(const std::vector<OrtValueInfo*>& values, size_t index, const char* what) {
  Require(index < values.size(), "the node has ", values.size(), " ", what, ", there is no number ", index);
  return values[index];
}

OrtStatus* KernelInfo_GetInputName(const OrtKernelInfo* info, size_t index, char* out, size_t* size) {
  return Guard({{"info", info}, {"size", size}}, [&] {
    const OrtValueInfo* value = At(info->node->inputs, index, "inputs");
    CopyTextOut(value == nullptr ? "" : value->name, "the input's name", out, size);
  });
}

OrtStatus* KernelInfo_GetOutputName(const OrtKernelInfo* info, size_t index, char* out, size_t* size) {
  return Guard({{"info", info}, {"size", size}}, [&] {
    const OrtValueInfo* value = At(info->node->outputs, index, "outputs");
    CopyTextOut(value == nullptr ? "" : value->name, "the output's name", out, size);
  });
}

OrtTypeInfo* NewType(const OrtValueInfo* value) {
  Require(value != nullptr && value->type.kind != ONNX_TYPE_UNKNOWN, "the type of an omitted value is not known");
  return std::make_unique<OrtTypeInfo>(value->type).release();
}

OrtStatus* KernelInfo_GetInputTypeInfo(const OrtKernelInfo* info, size_t index, OrtTypeInfo** type_info) {
  return Guard({{"info", info}, {"type_info", type_info}},
               [&] { *type_info = NewType(At(info->node->inputs, index, "inputs")); });
}

OrtStatus* KernelInfo_GetOutputTypeInfo(const OrtKernelInfo* info, size_t index, OrtTypeInfo** type_info) {
  return Guard({{"info", info}, {"type_info", type_info}},
               [&] { *type_info = NewType(At(info->node->outputs, index, "outputs")); });
}

OrtStatus* KernelInfo_GetNodeName(const OrtKernelInfo* info, char* out, size_t* size) {
  return Guard({{"info", info}, {"size", size}}, [&] { CopyTextOut(info->node->name, "the node's name", out, size); });
}

OrtStatus* KernelInfo_GetOperatorDomain(const OrtKernelInfo* info, char* out, size_t* size) {
  return Guard({{"info", info}, {"size", size}}, [&] { CopyTextOut(info->node->domain, "the domain", out, size); });
}

OrtStatus* KernelInfo_GetOperatorType(const OrtKernelInfo* info, char* out, size_t* size) {
  return Guard({{"info", info}, {"size", size}}, [&] { CopyTextOut(info->node->op_type, "the operator", out, size); });
}

OrtStatus* KernelInfo_GetOperatorSinceVersion(const OrtKernelInfo* info, int* since_version) {
  return Guard({{"info", info}, {"since_version", since_version}}, [&] { *since_version = info->node->since_version; });
}

OrtStatus* KernelInfo_GetLogger(const OrtKernelInfo* info, const OrtLogger** logger) {
  return Guard({{"info", info}, {"logger", logger}}, [&] { *logger = info->logger; });
}

OrtStatus* KernelInfoGetConstantInput_tensor(const OrtKernelInfo* info, size_t index, int* is_constant,
                                             const OrtValue** out) {
  return Guard({{"info", info}, {"is_constant", is_constant}, {"out", out}}, [&] {
    Require(index < info->node->inputs.size(), "the node has ", info->node->inputs.size(), " inputs, not ", index);
    *out = info->ConstantInput(index);
    *is_constant = *out != nullptr ? 1 : 0;
  });
}

OrtStatus* KernelInfoGetAllocator(const OrtKernelInfo* info, OrtMemType mem_type, OrtAllocator** out) {
  return Guard({{"info", info}, {"out", out}}, [&] {
    static const std::shared_ptr<OrtAllocator> cpu(&CpuAllocator(), [](OrtAllocator*) {});
    *out = NewHeldAllocator(mem_type == OrtMemTypeDefault ? info->allocator : cpu);
  });
}

OrtStatus* KernelInfo_GetConfigEntries(const OrtKernelInfo* info, OrtKeyValuePairs** out) {
  return Guard({{"info", info}, {"out", out}},
               [&] { *out = std::make_unique<OrtKeyValuePairs>(*info->config).release(); });
}

OrtStatus* CopyKernelInfo(const OrtKernelInfo* info, OrtKernelInfo** info_copy) {
  return Guard({{"info", info}, {"info_copy", info_copy}},
               [&] { *info_copy = std::make_unique<OrtKernelInfo>(*info).release(); });
}

}  // namespace

void FillKernelInfo(OrtApi& api) {
  api.KernelInfoGetAttribute_float = KernelInfoGetAttribute_float;
  api.KernelInfoGetAttribute_int64 = KernelInfoGetAttribute_int64;
  api.KernelInfoGetAttribute_string = KernelInfoGetAttribute_string;
  api.KernelInfoGetAttribute_tensor = KernelInfoGetAttribute_tensor;
  api.KernelInfoGetAttributeArray_float = KernelInfoGetAttributeArray_float;
  api.KernelInfoGetAttributeArray_int64 = KernelInfoGetAttributeArray_int64;
  api.KernelInfoGetAttributeArray_string = KernelInfoGetAttributeArray_string;
  api.KernelInfo_GetInputCount = KernelInfo_GetInputCount;
  api.KernelInfo_GetOutputCount = KernelInfo_GetOutputCount;
  api.KernelInfo_GetInputName = KernelInfo_GetInputName;
  api.KernelInfo_GetOutputName = KernelInfo_GetOutputName;
  api.KernelInfo_GetInputTypeInfo = KernelInfo_GetInputTypeInfo;
  api.KernelInfo_GetOutputTypeInfo = KernelInfo_GetOutputTypeInfo;
  api.KernelInfo_GetNodeName = KernelInfo_GetNodeName;
  api.KernelInfo_GetOperatorDomain = KernelInfo_GetOperatorDomain;
  api.KernelInfo_GetOperatorType = KernelInfo_GetOperatorType;
  api.KernelInfo_GetOperatorSinceVersion = KernelInfo_GetOperatorSinceVersion;
  api.KernelInfo_GetLogger = KernelInfo_GetLogger;
  api.KernelInfoGetConstantInput_tensor = KernelInfoGetConstantInput_tensor;
  api.KernelInfoGetAllocator = KernelInfoGetAllocator;
  api.KernelInfo_GetConfigEntries = KernelInfo_GetConfigEntries;
  api.CopyKernelInfo = CopyKernelInfo;
  api.ReleaseKernelInfo = Delete<OrtKernelInfo>;
}

}  // namespace ortrun::abi
