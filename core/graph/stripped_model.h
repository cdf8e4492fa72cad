// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ortrun {

/// A serialized model whose large tensors were left out, so that parsing it copies no weights. Each left-out raw_data
/// is replaced by a token that names its place in the original bytes, which must outlive this.
class StrippedModel {
 public:
  /// Walks the original's wire format. Throws Error(ORT_INVALID_PROTOBUF) where it is no valid protobuf message,
  /// ORT_INVALID_GRAPH where it nests too deep.
  explicit StrippedModel(std::string_view original);

  std::string_view bytes() const { return left_out_.empty() ? original_ : bytes_; }
  /// The original raw_data behind a token, or nothing when `raw_data` is no token of this model.
  std::optional<std::string_view> Find(std::string_view raw_data) const;

 private:
  enum class Message { kModel, kGraph, kNode, kAttribute, kTensor, kSparse, kFunction };
  static std::optional<Message> ChildOf(Message kind, uint64_t field);
  static bool HasLarge(std::string_view message, Message kind, int depth);
  void Copy(std::string_view message, Message kind, std::string& out);

  std::string_view original_;
  std::string bytes_;
  std::array<char, 16> nonce_{};  ///< random, so that no model can hold a token
  std::vector<std::string_view> left_out_;
};

}  // namespace ortrun
