// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <span>
#include <string>

#include "core/abi/array_argument.h"
#include "core/abi/fill.h"
#include "core/abi/guard.h"
#include "core/execution/value.h"

namespace ortrun::abi {
namespace {

/// The strings of a dense tensor, or the stored ones of a sparse tensor.
std::span<std::string> Strings(const OrtValue& value) {
  if (value.kind() == ONNX_TYPE_SPARSETENSOR && value.sparse() != nullptr) return Strings(value.sparse()->values);
  if (!value.IsTensor() || !value.IsString()) throw Error(ORT_FAIL, "the value is no string tensor");
  return {value.strings(), value.tensor().count};
}

std::string& StringAt(const OrtValue& value, size_t index) {
  const std::span<std::string> strings = Strings(value);
  Require(index < strings.size(), "element index ", index, " is out of bounds: the tensor has ", strings.size(),
          " elements");
  return strings[index];
}

size_t TotalLength(std::span<const std::string> strings) {
  size_t length = 0;
  for (const std::string& text : strings) length += text.size();
  return length;
}

OrtStatus* FillStringTensor(OrtValue* value, const char* const* s, size_t s_len) {
  return Guard({{"value", value}, Array("s", s, s_len)}, [&] {
    const std::span<std::string> strings = Strings(*value);
    Require(s_len == strings.size(), "input array doesn't equal tensor size");
    for (size_t i = 0; i < s_len; ++i) Require(s[i] != nullptr, "FillStringTensor: text ", i, " is null");
    std::copy_n(s, s_len, strings.begin());
  });
}

OrtStatus* FillStringTensorElement(OrtValue* value, const char* s, size_t index) {
  return Guard({{"value", value}, {"s", s}}, [&] { StringAt(*value, index) = s; });
}

OrtStatus* GetResizedStringTensorElementBuffer(OrtValue* value, size_t index, size_t length_in_bytes, char** buffer) {
  return Guard({{"value", value}, {"buffer", buffer}}, [&] {
    std::string& text = StringAt(*value, index);
    text.resize(length_in_bytes);
    *buffer = text.data();
  });
}

OrtStatus* GetStringTensorDataLength(const OrtValue* value, size_t* len) {
  return Guard({{"value", value}, {"len", len}}, [&] { *len = TotalLength(Strings(*value)); });
}

OrtStatus* GetStringTensorElementLength(const OrtValue* value, size_t index, size_t* out) {
  return Guard({{"value", value}, {"out", out}}, [&] { *out = StringAt(*value, index).size(); });
}

OrtStatus* GetStringTensorElement(const OrtValue* value, size_t s_len, size_t index, void* s) {
  return Guard({{"value", value}, Array("s", s, s_len)}, [&] {
    const std::string& text = StringAt(*value, index);
    if (s_len < text.size()) throw Error(ORT_FAIL, "buffer size is too small for string element");
    std::copy(text.begin(), text.end(), static_cast<char*>(s));
  });
}

OrtStatus* GetStringTensorContent(const OrtValue* value, void* s, size_t s_len, size_t* offsets, size_t offsets_len) {
  return Guard({{"value", value}}, [&] {
    const std::span<const std::string> strings = Strings(*value);
    if (offsets_len != strings.size()) throw Error(ORT_FAIL, "offsets buffer is not equal to tensor size");
    const size_t length = TotalLength(strings);
    if (s_len < length) throw Error(ORT_FAIL, "output buffer is too small. Use GetStringTensorDataLength.");
    Require((s != nullptr || length == 0) && (offsets != nullptr || strings.empty()),
            "GetStringTensorContent: a buffer is null");
    size_t offset = 0;
    for (size_t i = 0; i < strings.size(); ++i) {
      offsets[i] = offset;
      std::copy(strings[i].begin(), strings[i].end(), static_cast<char*>(s) + offset);
      offset += strings[i].size();
    }
  });
}

}  // namespace

void FillStringTensor(OrtApi& api) {
  api.FillStringTensor = FillStringTensor;
  api.FillStringTensorElement = FillStringTensorElement;
  api.GetResizedStringTensorElementBuffer = GetResizedStringTensorElementBuffer;
  api.GetStringTensorDataLength = GetStringTensorDataLength;
  api.GetStringTensorElementLength = GetStringTensorElementLength;
  api.GetStringTensorElement = GetStringTensorElement;
  api.GetStringTensorContent = GetStringTensorContent;
}

}  // namespace ortrun::abi
