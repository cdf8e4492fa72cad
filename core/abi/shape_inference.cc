// SPDX-License-Identifier: Apache-2.0
#include "core/abi/fill.h"
#include "core/abi/guard.h"
#include "core/providers/shape_infer_context.h"

namespace ortrun::abi {
namespace {

OrtStatus* ShapeInferContext_GetInputCount(const OrtShapeInferContext* context, size_t* out) {
  return Guard({{"context", context}, {"out", out}}, [&] { *out = context->InputCount(); });
}

OrtStatus* ShapeInferContext_GetInputTypeShape(const OrtShapeInferContext* context, size_t index,
                                               OrtTensorTypeAndShapeInfo** info) {
  return Guard({{"context", context}, {"info", info}}, [&] {
    *info = const_cast<OrtShapeInferContext*>(context)->Input(index);  // NOLINT: the slot's signature
    Require(*info != nullptr, "ShapeInferContext_GetInputTypeShape: the node has no input ", index);
  });
}

OrtStatus* ShapeInferContext_GetAttribute(const OrtShapeInferContext* context, const char* attr_name,
                                          const OrtOpAttr** attr) {
  return Guard({{"context", context}, {"attr_name", attr_name}, {"attr", attr}}, [&] {
    *attr = context->Attribute(attr_name);
    Require(*attr != nullptr, "ShapeInferContext_GetAttribute: the node has no attribute '", attr_name, "'");
  });
}

OrtStatus* ShapeInferContext_SetOutputTypeShape(const OrtShapeInferContext* context, size_t index,
                                                const OrtTensorTypeAndShapeInfo* info) {
  return Guard({{"context", context}, {"info", info}}, [&] {
    const bool set =
        const_cast<OrtShapeInferContext*>(context)->SetOutput(index, *info);  // NOLINT: the slot's signature
    Require(set, "ShapeInferContext_SetOutputTypeShape: the node has no output ", index);
  });
}

}  // namespace

void FillShapeInference(OrtApi& api) {
  api.ShapeInferContext_GetInputCount = ShapeInferContext_GetInputCount;
  api.ShapeInferContext_GetInputTypeShape = ShapeInferContext_GetInputTypeShape;
  api.ShapeInferContext_GetAttribute = ShapeInferContext_GetAttribute;
  api.ShapeInferContext_SetOutputTypeShape = ShapeInferContext_SetOutputTypeShape;
}

}  // namespace ortrun::abi
