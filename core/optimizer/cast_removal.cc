// SPDX-License-Identifier: Apache-2.0
// Casts to the type that a value has, and casts of casts whose first step lost nothing.
#include "core/optimizer/passes.h"

namespace ortrun {

namespace {

/// Whether every number of `from` is a number of `to`.
bool Widens(ElementType from, ElementType to) {
  switch (from) {
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16:
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_BFLOAT16:
      return to == ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT || to == ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE;
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT:
      return to == ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE;
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32:
      return to == ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64 || to == ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE;
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_BOOL:
      return to == ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64 || to == ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32 ||
             to == ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT || to == ONNX_TENSOR_ELEMENT_DATA_TYPE_INT8 ||
             to == ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8;
    default:
      return false;
  }
}

size_t Run(Rewriter& rewriter) {
  return rewriter.ForEach([&](Node& node) {
    ValueInfo* input = Input(&node, 0);
    ValueInfo* output = Output(&node, 0);
    if (!node.Is("Cast") || input == nullptr || output == nullptr) return false;
    const ElementType to = static_cast<ElementType>(node.Int("to", 0));
    if (TypeOf(input) != ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED && TypeOf(input) == to) {
      return rewriter.Bypass(&node, input);
    }
    Node* first = MadeBy(input, "Cast");
    if (first == nullptr || !Widens(TypeOf(first->inputs[0]), TypeOf(input))) return false;
    if (TypeOf(first->inputs[0]) == to) return rewriter.Bypass(&node, first->inputs[0]);
    rewriter.graph().SetInput(&node, 0, first->inputs[0]);
    return true;
  });
}

}  // namespace

std::unique_ptr<Pass> MakeCastRemoval() {
  return MakePass("cast_removal", PassStage::kPortable, ORT_ENABLE_BASIC, Run);
}

}  // namespace ortrun
