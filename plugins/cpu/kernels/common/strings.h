// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "ortrun/kernel_context.h"

namespace ortrun::cpu {

// The elements of string tensors are not addressable through the C interface: they are read and written one by one.

/// Element `index` of a string tensor.
inline std::string ReadString(const Host& host, const Tensor& tensor, size_t index) {
  const OrtApi& api = *host.api;
  size_t length = 0;
  ThrowOnError(api, api.GetStringTensorElementLength(tensor.value(), index, &length));
  std::string text(length, '\0');
  if (length != 0) ThrowOnError(api, api.GetStringTensorElement(tensor.value(), length, index, text.data()));
  return text;
}

/// All elements of a string tensor.
inline std::vector<std::string> ReadStrings(const Host& host, const Tensor& tensor) {
  std::vector<std::string> texts(tensor.count());
  for (size_t i = 0; i < texts.size(); ++i) texts[i] = ReadString(host, tensor, i);
  return texts;
}

/// Sets element `index` of a string output.
inline void WriteString(const Host& host, const Tensor& tensor, size_t index, const std::string& text) {
  const OrtApi& api = *host.api;
  char* buffer = nullptr;
  ThrowOnError(api, api.GetResizedStringTensorElementBuffer(tensor.value(), index, text.size(), &buffer));
  if (!text.empty()) std::copy(text.begin(), text.end(), buffer);
}

/// Copies one element between string tensors.
inline void CopyString(const Host& host, const Tensor& from, size_t from_index, const Tensor& to, size_t to_index) {
  WriteString(host, to, to_index, ReadString(host, from, from_index));
}

}  // namespace ortrun::cpu
