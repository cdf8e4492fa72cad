// SPDX-License-Identifier: Apache-2.0
#include "tests/abi/model_bytes.h"

#include <bit>

namespace ortrun::abi_testing {
namespace {

// Wire types of protobuf.
constexpr uint64_t kVarint = 0;
constexpr uint64_t kLengthDelimited = 2;
constexpr uint64_t kFixed32 = 5;

constexpr uint64_t Tag(int field, uint64_t wire_type) { return static_cast<uint64_t>(field) << 3 | wire_type; }

Message ImportMessage(const Import& import) { return Message().Text(1, import.domain).Int(2, import.version); }

Message Property(std::string_view key, std::string_view value) { return Message().Text(1, key).Text(2, value); }

}  // namespace

void Message::Varint(uint64_t value) {
  for (; value >= 0x80; value >>= 7) bytes_ += static_cast<char>(value | 0x80);
  bytes_ += static_cast<char>(value);
}

Message& Message::Int(int field, int64_t value) {
  Varint(Tag(field, kVarint));
  Varint(static_cast<uint64_t>(value));
  return *this;
}

Message& Message::Float(int field, float value) {
  Varint(Tag(field, kFixed32));
  const auto bits = std::bit_cast<uint32_t>(value);
  for (int shift = 0; shift < 32; shift += 8) bytes_ += static_cast<char>(bits >> shift);
  return *this;
}

Message& Message::Text(int field, std::string_view value) {
  Varint(Tag(field, kLengthDelimited));
  Varint(value.size());
  bytes_ += value;
  return *this;
}

Message& Message::Texts(int field, const std::vector<std::string>& values) {
  for (const std::string& value : values) Text(field, value);
  return *this;
}

Message& Message::Messages(int field, const std::vector<Message>& values) {
  for (const Message& value : values) Add(field, value);
  return *this;
}

Message TensorType(int element_type, const std::vector<Dimension>& shape) {
  Message dimensions;
  for (const Dimension& dimension : shape)
    dimensions.Add(1, dimension.name.empty() ? Message().Int(1, dimension.value) : Message().Text(2, dimension.name));
  return Message().Add(1, Message().Int(1, element_type).Add(2, dimensions));
}

Message SequenceType(const Message& element) { return Message().Add(4, Message().Add(1, element)); }

Message MapType(int key_type, const Message& value) {
  return Message().Add(5, Message().Int(1, key_type).Add(2, value));
}

Message ValueInfo(std::string_view name, const Message& type) { return Message().Text(1, name).Add(2, type); }

Message Node(std::string_view op, const std::vector<std::string>& inputs, const std::vector<std::string>& outputs,
             const std::vector<Message>& attributes, std::string_view domain) {
  return Message()
      .Texts(1, inputs)
      .Texts(2, outputs)
      .Text(3, "node_of_" + outputs.front())
      .Text(4, op)
      .Messages(5, attributes)
      .Text(7, domain);
}

Message FloatAttribute(std::string_view name, float value) {
  return Message().Text(1, name).Float(2, value).Int(20, 1);
}

Message IntAttribute(std::string_view name, int64_t value) { return Message().Text(1, name).Int(3, value).Int(20, 2); }

Message FloatTensor(std::string_view name, const std::vector<int64_t>& shape, const std::vector<float>& values) {
  Message tensor;
  for (const int64_t size : shape) tensor.Int(1, size);
  tensor.Int(2, kFloat).Text(8, name);
  for (const float value : values) tensor.Float(4, value);
  return tensor;
}

std::string ModelBytes(const GraphParts& graph, const std::vector<Import>& more_imports) {
  const Message parts = Message()
                            .Messages(1, graph.nodes)
                            .Text(2, "small_graph")
                            .Messages(5, graph.initializers)
                            .Text(10, "a graph of the tests")
                            .Messages(11, graph.inputs)
                            .Messages(12, graph.outputs);
  Message model;
  model.Int(1, 8).Text(2, "abi_test").Text(4, "org.example").Int(5, 3).Text(6, "a model of the tests").Add(7, parts);
  model.Add(8, ImportMessage({"", 17}));
  for (const Import& import : more_imports) model.Add(8, ImportMessage(import));
  model.Add(14, Property("author", "someone")).Add(14, Property("licence", "free"));
  return model.bytes();
}

std::string AddModel() {
  const Message type = TensorType(kFloat, {"N", 2});
  return ModelBytes({.nodes = {Node("Add", {"x", "y"}, {"z"})},
                     .inputs = {ValueInfo("x", type), ValueInfo("y", type)},
                     .outputs = {ValueInfo("z", type)}});
}

std::string IdentityModel(const Message& type) {
  return ModelBytes(
      {.nodes = {Node("Identity", {"x"}, {"y"})}, .inputs = {ValueInfo("x", type)}, .outputs = {ValueInfo("y", type)}});
}

}  // namespace ortrun::abi_testing
