// SPDX-License-Identifier: Apache-2.0
#include "python/src/empty_sequence.h"

#include <string>

#include "python/src/gil.h"

namespace ortrun::python {
namespace {

// Fields of protobuf messages; every text here is shorter than 128 bytes, so that a length is one byte.
std::string Number(int field, int value) { return {static_cast<char>(field << 3), static_cast<char>(value)}; }

// Fields above 15 have a two-byte key.
std::string NumberInHighField(int field, int value) {
  return {static_cast<char>(((field << 3) & 0x7F) | 0x80), static_cast<char>(field >> 4), static_cast<char>(value)};
}

std::string Message(int field, const std::string& content) {
  return std::string{static_cast<char>((field << 3) | 2), static_cast<char>(content.size())} + content;
}

std::string Model(ElementType element) {
  constexpr int kIrVersion = 8, kOpset = 17, kAttributeInt = 2;
  const auto type = static_cast<int>(element);
  const std::string attribute = Message(1, "dtype") + Number(3, type) + NumberInHighField(20, kAttributeInt);
  const std::string node = Message(2, "s") + Message(4, "SequenceEmpty") + Message(5, attribute);
  const std::string tensor_type = Message(1, Number(1, type));
  const std::string output = Message(1, "s") + Message(2, Message(4, Message(1, tensor_type)));
  const std::string graph = Message(1, node) + Message(2, "g") + Message(12, output);
  return Number(1, kIrVersion) + Message(7, graph) + Message(8, Number(2, kOpset));
}

}  // namespace

Owned<OrtValue> EmptySequence(ElementType element) {
  const std::string model = Model(element);
  OrtEnv* environment = Environment();
  auto options = Make<OrtSessionOptions>(Api().CreateSessionOptions);
  Check(Api().SetIntraOpNumThreads(options.get(), 1));
  const ReleaseGil released;
  OrtSession* session = nullptr;
  Check(Api().CreateSessionFromArray(environment, model.data(), model.size(), options.get(), &session));
  const char* output_name = "s";
  OrtValue* made = nullptr;
  OrtStatus* status = Api().Run(session, nullptr, nullptr, nullptr, 0, &output_name, 1, &made);
  Api().ReleaseSession(session);
  Check(status);
  return Owned<OrtValue>(made);
}

}  // namespace ortrun::python
