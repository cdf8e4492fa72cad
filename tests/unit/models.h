// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>
#include <onnx/defs/parser.h>
#include <onnx/onnx_pb.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>

#include "core/graph/onnx_reader.h"

namespace ortrun::testing {

/// The message of a model given as onnx's text: "(float[N,2] x) => (float[N,2] y) { y = Relu(x) }", opset 17.
inline onnx::ModelProto ParseModel(const std::string& graph) {
  onnx::ModelProto proto;
  const std::string text = "<ir_version: 8, opset_import: [\"\": 17]> graph " + graph;
  const auto status = onnx::OnnxParser::Parse(proto, text.c_str());
  EXPECT_TRUE(status.IsOK()) << status.ErrorMessage() << "\n" << graph;
  return proto;
}

inline std::unique_ptr<Model> Read(const onnx::ModelProto& proto, const ReadOptions& options = {}) {
  const std::string bytes = proto.SerializeAsString();
  return ReadModel(bytes.data(), bytes.size(), options);
}

inline std::unique_ptr<Model> Read(const std::string& graph) { return Read(ParseModel(graph)); }

/// A folder that goes with the test.
class TestFolder {
 public:
  TestFolder() : path_(std::filesystem::temp_directory_path() / ("ortrun_test_" + std::to_string(getpid()))) {
    std::filesystem::remove_all(path_);
    std::filesystem::create_directories(path_);
  }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;
  ~TestFolder() { std::filesystem::remove_all(path_); }
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace ortrun::testing
