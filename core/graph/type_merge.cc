// SPDX-License-Identifier: Apache-2.0
#include "core/graph/type_merge.h"

#include <memory>
#include <utility>

namespace ortrun {
namespace {

bool MergeElement(ElementType inferred, ElementType& declared) {
  if (inferred == ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED) return true;
  if (declared == ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED) declared = inferred;
  return declared == inferred;
}

void MergeShape(const TensorType& inferred, TensorType& declared) {
  if (!inferred.has_shape) return;
  if (declared.has_shape && declared.dims.size() != inferred.dims.size()) {
    declared.has_shape = false;
    declared.dims.clear();
    declared.symbols.clear();
    return;
  }
  if (!declared.has_shape) {
    declared.has_shape = true;
    declared.dims = inferred.dims;
    declared.symbols = inferred.symbols;
    return;
  }
  declared.symbols.resize(declared.dims.size());
  for (size_t i = 0; i < declared.dims.size(); ++i) {
    int64_t& dim = declared.dims[i];
    std::string& symbol = declared.symbols[i];
    if (dim >= 0 && inferred.dims[i] >= 0 && dim != inferred.dims[i]) {
      dim = -1;
      symbol.clear();
    } else if (dim < 0 && inferred.dims[i] >= 0) {
      dim = inferred.dims[i];
      symbol.clear();
    } else if (dim < 0 && symbol.empty() && i < inferred.symbols.size()) {
      symbol = inferred.symbols[i];
    }
  }
}

/// Merges what a container holds; `hold` puts the result back.
template <typename Hold>
bool MergeHeld(const TypeInfo& inferred, const TypeInfo& declared, const Hold& hold) {
  TypeInfo merged = declared;
  if (!MergeType(inferred, merged)) return false;
  hold(std::move(merged));
  return true;
}

}  // namespace

bool MergeType(const TypeInfo& inferred, TypeInfo& declared) {
  if (inferred.kind == ONNX_TYPE_UNKNOWN) return true;
  if (declared.kind == ONNX_TYPE_UNKNOWN) {
    std::string denotation = std::move(declared.denotation);
    declared = inferred;
    if (!denotation.empty()) declared.denotation = std::move(denotation);
    return true;
  }
  if (declared.kind != inferred.kind) return false;
  switch (declared.kind) {
    case ONNX_TYPE_TENSOR:
    case ONNX_TYPE_SPARSETENSOR:
      if (!MergeElement(inferred.tensor.type, declared.tensor.type)) return false;
      MergeShape(inferred.tensor, declared.tensor);
      return true;
    case ONNX_TYPE_SEQUENCE:
      return MergeHeld(inferred.sequence->element, declared.sequence->element, [&](TypeInfo merged) {
        declared.sequence = std::make_shared<OrtSequenceTypeInfo>(OrtSequenceTypeInfo{std::move(merged)});
      });
    case ONNX_TYPE_OPTIONAL:
      return MergeHeld(inferred.optional->contained, declared.optional->contained, [&](TypeInfo merged) {
        declared.optional = std::make_shared<OrtOptionalTypeInfo>(OrtOptionalTypeInfo{std::move(merged)});
      });
    case ONNX_TYPE_MAP: {
      ElementType key = declared.map->key;
      if (!MergeElement(inferred.map->key, key)) return false;
      return MergeHeld(inferred.map->value, declared.map->value, [&](TypeInfo merged) {
        declared.map = std::make_shared<OrtMapTypeInfo>(OrtMapTypeInfo{key, std::move(merged)});
      });
    }
    default:
      return true;
  }
}

}  // namespace ortrun
