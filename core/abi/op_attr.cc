// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstring>

#include "core/abi/fill.h"
#include "core/abi/guard.h"
#include "core/graph/graph.h"

namespace ortrun::abi {
namespace {

template <typename T>
std::vector<T> ArrayFrom(const void* data, int len) {
  const auto* first = static_cast<const T*>(data);
  return {first, first + len};
}

OrtStatus* CreateOpAttr(const char* name, const void* data, int len, OrtOpAttrType type, OrtOpAttr** op_attr) {
  return Guard({{"name", name}, {"op_attr", op_attr}}, [&] {
    Require(len >= 0, "CreateOpAttr: the length of attribute '", name, "' is negative");
    const bool scalar = type == ORT_OP_ATTR_INT || type == ORT_OP_ATTR_FLOAT;
    Require(data != nullptr || (len == 0 && !scalar), "CreateOpAttr: the data of attribute '", name, "' is null");
    auto attribute = std::make_unique<OrtOpAttr>();
    attribute->name = name;
    attribute->type = type;
    switch (type) {
      case ORT_OP_ATTR_INT:
        attribute->i = *static_cast<const int64_t*>(data);
        break;
      case ORT_OP_ATTR_FLOAT:
        attribute->f = *static_cast<const float*>(data);
        break;
      case ORT_OP_ATTR_STRING:
        attribute->s.assign(static_cast<const char*>(data), static_cast<size_t>(len));
        break;
      case ORT_OP_ATTR_INTS:
        attribute->ints = ArrayFrom<int64_t>(data, len);
        break;
      case ORT_OP_ATTR_FLOATS:
        attribute->floats = ArrayFrom<float>(data, len);
        break;
      case ORT_OP_ATTR_STRINGS:
        for (const char* text : ArrayFrom<const char*>(data, len)) {
          Require(text != nullptr, "CreateOpAttr: a text of attribute '", name, "' is null");
          attribute->strings.emplace_back(text);
        }
        break;
      default:
        throw Error(ORT_FAIL, Concat("Attribute type not supported yet: '", name, "' is of type ",
                                     static_cast<int>(type), "; ints, floats and texts can be made"));
    }
    *op_attr = attribute.release();
  });
}

/// Copies `bytes` of an attribute's value to the caller, whose buffer must hold them.
void CopyOut(const void* from, size_t bytes, const char* what, void* data, size_t len, size_t* out) {
  *out = bytes;
  Require(len >= bytes && (data != nullptr || bytes == 0), "Size of data not large enough to hold the ", what, ": ",
          bytes, " bytes are needed");
  if (bytes != 0) std::memcpy(data, from, bytes);
}

OrtStatus* ReadOpAttr(const OrtOpAttr* op_attr, OrtOpAttrType type, void* data, size_t len, size_t* out) {
  return Guard({{"op_attr", op_attr}, {"out", out}}, [&] {
    static constexpr const char* kTypeNames[] = {"undefined", "int",     "ints",  "float", "floats",
                                                 "string",    "strings", "graph", "tensor"};
    Require(type >= ORT_OP_ATTR_INT && type <= ORT_OP_ATTR_STRINGS, "attributes of type ", static_cast<int>(type),
            " cannot be read by ReadOpAttr");
    const char* what = kTypeNames[type];
    Require(op_attr->type == type, "Attribute '", op_attr->name, "' has no ", what, " value");
    switch (type) {
      case ORT_OP_ATTR_INT:
        return CopyOut(&op_attr->i, sizeof(int64_t), what, data, len, out);
      case ORT_OP_ATTR_FLOAT:
        return CopyOut(&op_attr->f, sizeof(float), what, data, len, out);
      case ORT_OP_ATTR_STRING:
        return CopyOut(op_attr->s.data(), op_attr->s.size(), what, data, len, out);
      case ORT_OP_ATTR_INTS:
        return CopyOut(op_attr->ints.data(), op_attr->ints.size() * sizeof(int64_t), what, data, len, out);
      case ORT_OP_ATTR_FLOATS:
        return CopyOut(op_attr->floats.data(), op_attr->floats.size() * sizeof(float), what, data, len, out);
      default: {  // texts follow each other, each with its final zero
        std::string joined;
        for (const std::string& text : op_attr->strings) joined.append(text).push_back('\0');
        return CopyOut(joined.data(), joined.size(), what, data, len, out);
      }
    }
  });
}

OrtStatus* OpAttr_GetType(const OrtOpAttr* attribute, OrtOpAttrType* type) {
  return Guard({{"attribute", attribute}, {"type", type}}, [&] { *type = attribute->type; });
}

OrtStatus* OpAttr_GetName(const OrtOpAttr* attribute, const char** name) {
  return Guard({{"attribute", attribute}, {"name", name}}, [&] { *name = attribute->name.c_str(); });
}

OrtStatus* OpAttr_GetTensorAttributeAsOrtValue(const OrtOpAttr* attribute, OrtValue** attr_tensor) {
  return Guard({{"attribute", attribute}, {"attr_tensor", attr_tensor}}, [&] {
    Require(attribute->type == ORT_OP_ATTR_TENSOR && attribute->tensor != nullptr, "Attribute '", attribute->name,
            "' has no tensor value");
    *attr_tensor = new OrtValue(*attribute->tensor);
  });
}

}  // namespace

void FillOpAttr(OrtApi& api) {
  api.CreateOpAttr = CreateOpAttr;
  api.ReadOpAttr = ReadOpAttr;
  api.OpAttr_GetType = OpAttr_GetType;
  api.OpAttr_GetName = OpAttr_GetName;
  api.OpAttr_GetTensorAttributeAsOrtValue = OpAttr_GetTensorAttributeAsOrtValue;
  api.ReleaseOpAttr = Delete<OrtOpAttr>;
}

}  // namespace ortrun::abi
