// SPDX-License-Identifier: Apache-2.0
#include "core/graph/stripped_model.h"

#include <cstring>
#include <random>

#include "ortrun/error.h"

namespace ortrun {
namespace {

constexpr size_t kKept = 1024;    ///< raw_data up to this many bytes stays: shape inference reads small constants
constexpr uint64_t kRawData = 9;  ///< the field of a tensor
constexpr int kMaxDepth = 200;

/// The wire format of protobuf, as far as skipping over fields needs it.
class WireReader {
 public:
  explicit WireReader(std::string_view bytes) : at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  bool Done() const { return at_ == end_; }
  const char* at() const { return at_; }

  uint64_t Varint() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      if (at_ == end_) Bad();
      const auto byte = static_cast<unsigned char>(*at_++);
      value |= static_cast<uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    Bad();
  }

  std::string_view Bytes(uint64_t count) {
    if (count > static_cast<uint64_t>(end_ - at_)) Bad();
    const std::string_view bytes(at_, count);
    at_ += count;
    return bytes;
  }

  void Skip(uint64_t wire_type) {
    if (wire_type == 0)
      Varint();
    else if (wire_type == 1)
      Bytes(8);
    else if (wire_type == 5)
      Bytes(4);
    else
      Bad();
  }

  [[noreturn]] static void Bad() { throw Error(ORT_INVALID_PROTOBUF, "Protobuf parsing failed."); }

 private:
  const char* at_;
  const char* end_;
};

void PutVarint(uint64_t value, std::string& out) {
  while (value >= 0x80) {
    out += static_cast<char>(value | 0x80);
    value >>= 7;
  }
  out += static_cast<char>(value);
}

/// A field of a message; its content is empty where it is a number.
struct Field {
  const char* start;
  uint64_t tag;
  uint64_t number;
  std::string_view content;
};

template <typename Visit>
void Walk(std::string_view message, const Visit& visit) {
  WireReader reader(message);
  while (!reader.Done()) {
    Field field{reader.at(), reader.Varint(), 0, {}};
    field.number = field.tag >> 3;
    if (field.number == 0) WireReader::Bad();
    if ((field.tag & 7) == 2)
      field.content = reader.Bytes(reader.Varint());
    else
      reader.Skip(field.tag & 7);
    visit(field);
  }
}

}  // namespace

StrippedModel::StrippedModel(std::string_view original) : original_(original) {
  if (!HasLarge(original, Message::kModel, 0)) return;
  std::random_device random;
  for (char& byte : nonce_) byte = static_cast<char>(random());
  Copy(original, Message::kModel, bytes_);
}

/// The kind of a field that leads to tensors, by the numbers of onnx.proto.
std::optional<StrippedModel::Message> StrippedModel::ChildOf(Message kind, uint64_t field) {
  struct Child {
    Message in;
    uint64_t field;
    Message kind;
  };
  static constexpr Child kChildren[] = {
      {Message::kModel, 7, Message::kGraph},       {Message::kModel, 25, Message::kFunction},
      {Message::kGraph, 1, Message::kNode},        {Message::kGraph, 5, Message::kTensor},
      {Message::kGraph, 15, Message::kSparse},     {Message::kNode, 5, Message::kAttribute},
      {Message::kAttribute, 5, Message::kTensor},  {Message::kAttribute, 6, Message::kGraph},
      {Message::kAttribute, 10, Message::kTensor}, {Message::kAttribute, 11, Message::kGraph},
      {Message::kAttribute, 22, Message::kSparse}, {Message::kAttribute, 23, Message::kSparse},
      {Message::kSparse, 1, Message::kTensor},     {Message::kSparse, 2, Message::kTensor},
      {Message::kFunction, 7, Message::kNode},     {Message::kFunction, 11, Message::kAttribute},
  };
  for (const Child& child : kChildren)
    if (child.in == kind && child.field == field) return child.kind;
  return std::nullopt;
}

/// Whether something in the message is left out. Sees the whole message when nothing is.
bool StrippedModel::HasLarge(std::string_view message, Message kind, int depth) {
  if (depth > kMaxDepth)
    throw Error(ORT_INVALID_GRAPH, Concat("This is an invalid model. Error: its graphs nest too deep: more than ",
                                          kMaxDepth, " messages stand inside each other"));
  bool found = false;
  Walk(message, [&](const Field& field) {
    if (field.content.size() <= kKept) return;
    const std::optional<Message> child = ChildOf(kind, field.number);
    // The rest is looked through too, for it may nest too deep.
    if ((kind == Message::kTensor && field.number == kRawData) || (child && HasLarge(field.content, *child, depth + 1)))
      found = true;
  });
  return found;
}

void StrippedModel::Copy(std::string_view message, Message kind, std::string& out) {
  const char* kept = message.data();  // what lies from here to the field is copied as it is
  Walk(message, [&](const Field& field) {
    if (field.content.size() <= kKept) return;
    const std::optional<Message> child = ChildOf(kind, field.number);
    const bool raw_data = (kind == Message::kTensor && field.number == kRawData);
    if (!raw_data && !(child && HasLarge(field.content, *child, 0))) return;
    out.append(kept, field.start);
    kept = field.content.data() + field.content.size();
    PutVarint(field.tag, out);
    if (raw_data) {
      const uint64_t index = left_out_.size();
      left_out_.push_back(field.content);
      PutVarint(nonce_.size() + sizeof(index), out);
      out.append(nonce_.data(), nonce_.size());
      out.append(reinterpret_cast<const char*>(&index), sizeof(index));
      return;
    }
    std::string inner;
    Copy(field.content, *child, inner);
    PutVarint(inner.size(), out);
    out += inner;
  });
  out.append(kept, message.data() + message.size());
}

std::optional<std::string_view> StrippedModel::Find(std::string_view raw_data) const {
  uint64_t index = 0;
  if (raw_data.size() != nonce_.size() + sizeof(index) ||
      std::memcmp(raw_data.data(), nonce_.data(), nonce_.size()) != 0)
    return std::nullopt;
  std::memcpy(&index, raw_data.data() + nonce_.size(), sizeof(index));
  if (index >= left_out_.size()) return std::nullopt;
  return left_out_[index];
}

}  // namespace ortrun
