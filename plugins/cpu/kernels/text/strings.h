// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstring>
#include <string_view>
#include <vector>

#include "ortrun/kernel_context.h"

namespace ortrun::cpu {

/// The elements of a tensor of strings, copied out of the host at once.
class StringInput {
 public:
  StringInput(const Host& host, const OrtValue* value, size_t count) : offsets_(count + 1) {
    if (count == 0) return;
    const OrtApi& api = *host.api;
    size_t bytes = 0;
    ThrowOnError(api, api.GetStringTensorDataLength(value, &bytes));
    text_.resize(bytes);
    ThrowOnError(api, api.GetStringTensorContent(value, text_.data(), bytes, offsets_.data(), count));
    offsets_[count] = bytes;
  }
  StringInput(const KernelContext& context, const Tensor& tensor)
      : StringInput(context.host(), tensor.value(), tensor.count()) {}

  size_t size() const { return offsets_.size() - 1; }
  std::string_view operator[](size_t i) const { return {text_.data() + offsets_[i], offsets_[i + 1] - offsets_[i]}; }

 private:
  std::vector<char> text_;
  std::vector<size_t> offsets_;
};

/// Writes one element of an output of strings; any bytes are allowed.
inline void WriteString(const KernelContext& context, const Tensor& tensor, size_t index, std::string_view text) {
  const OrtApi& api = *context.host().api;
  char* room = nullptr;
  ThrowOnError(api, api.GetResizedStringTensorElementBuffer(tensor.value(), index, text.size(), &room));
  if (!text.empty()) std::memcpy(room, text.data(), text.size());
}

}  // namespace ortrun::cpu
