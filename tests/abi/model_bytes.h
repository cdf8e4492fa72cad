// SPDX-License-Identifier: Apache-2.0
#pragma once

// Small ONNX models as bytes, written field by field in protobuf's wire format: the tests link no ONNX library.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ortrun::abi_testing {

/// A protobuf message in the making.
class Message {
 public:
  Message& Int(int field, int64_t value);
  Message& Float(int field, float value);
  Message& Text(int field, std::string_view value);
  Message& Add(int field, const Message& value) { return Text(field, value.bytes_); }
  Message& Texts(int field, const std::vector<std::string>& values);
  Message& Messages(int field, const std::vector<Message>& values);

  const std::string& bytes() const { return bytes_; }

 private:
  void Varint(uint64_t value);
  std::string bytes_;
};

/// A dimension: a number, or a name for one that is free.
struct Dimension {
  Dimension(int64_t number) : value(number) {}           // NOLINT: shapes read {"N", 2}
  Dimension(const char* free_name) : name(free_name) {}  // NOLINT: as above
  int64_t value = 0;
  std::string name;
};

/// ONNX's element types that the models here use.
enum ElementType : int { kFloat = 1, kInt64 = 7, kString = 8 };

Message TensorType(int element_type, const std::vector<Dimension>& shape);
Message SequenceType(const Message& element);
Message MapType(int key_type, const Message& value);
Message ValueInfo(std::string_view name, const Message& type);
Message Node(std::string_view op, const std::vector<std::string>& inputs, const std::vector<std::string>& outputs,
             const std::vector<Message>& attributes = {}, std::string_view domain = "");
Message FloatAttribute(std::string_view name, float value);
Message IntAttribute(std::string_view name, int64_t value);
/// An initialiser of float values.
Message FloatTensor(std::string_view name, const std::vector<int64_t>& shape, const std::vector<float>& values);

struct GraphParts {
  std::vector<Message> nodes;
  std::vector<Message> inputs;
  std::vector<Message> outputs;
  std::vector<Message> initializers = {};
};

/// An operator set: its domain and version.
struct Import {
  std::string domain;
  int64_t version;
};

/// The model's bytes, with metadata {author: someone, licence: free}, producer "abi_test", version 3.
std::string ModelBytes(const GraphParts& graph, const std::vector<Import>& more_imports = {});

/// z = x + y, all [N, 2] floats.
std::string AddModel();
/// y = x for values of any type.
std::string IdentityModel(const Message& type);

}  // namespace ortrun::abi_testing
