// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "core/graph/graph.h"

/// What a custom op sees while it infers the shapes of a node's outputs. Lives during that call.
struct OrtShapeInferContext {
 public:
  explicit OrtShapeInferContext(OrtNode& node) : node_(node) {
    for (const OrtValueInfo* input : node.inputs) {
      inputs_.push_back(input == nullptr ? OrtTensorTypeAndShapeInfo() : input->type.tensor);
    }
  }

  size_t InputCount() const { return inputs_.size(); }
  /// Owned by the context; the caller may change symbols of it.
  OrtTensorTypeAndShapeInfo* Input(size_t index) { return index < inputs_.size() ? &inputs_[index] : nullptr; }
  const OrtOpAttr* Attribute(const char* name) const { return node_.Attribute(name); }
  /// Answers false when the node has no such output.
  bool SetOutput(size_t index, const OrtTensorTypeAndShapeInfo& type) {
    if (index >= node_.outputs.size()) return false;
    if (OrtValueInfo* output = node_.outputs[index]) {
      const ONNXTensorElementDataType known = output->type.tensor.type;
      output->type.kind = ONNX_TYPE_TENSOR;
      output->type.tensor = type;
      if (type.type == ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED) output->type.tensor.type = known;
    }
    return true;
  }

 private:
  OrtNode& node_;
  std::vector<OrtTensorTypeAndShapeInfo> inputs_;
};
