// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/execution/value.h"
#include "core/graph/external_data.h"
#include "core/graph/graph.h"
#include "core/graph/stripped_model.h"

namespace onnx {
class TensorProto;
class SparseTensorProto;
class TypeProto;
}  // namespace onnx

namespace ortrun {

/// Turns tensors of onnx messages into values.
class TensorReader {
 public:
  /// `stripped` may be null (nothing was left out). `file` is where the original bytes lie, null when it is memory of
  /// the caller's. All must live as long as the reader; the values that it makes do not need them.
  TensorReader(const StrippedModel* stripped, const MappedFile* file, ExternalFiles& files)
      : stripped_(stripped), file_(file), files_(files) {}

  struct Result {
    std::shared_ptr<const Value> value;
    std::shared_ptr<const ExternalInitializerInfo> external;
  };
  /// Throws Error(ORT_FAIL) when the data does not fit the declared type and shape.
  Result Read(const onnx::TensorProto& proto, const std::string& name) const;
  std::shared_ptr<const Value> ReadSparse(const onnx::SparseTensorProto& proto, const std::string& name) const;

 private:
  Value CopyOf(std::string_view original, ElementType type, const std::vector<int64_t>& dims) const;
  Result ReadExternal(const onnx::TensorProto& proto, ElementType type, const std::vector<int64_t>& dims, size_t bytes,
                      const std::string& name) const;

  const StrippedModel* stripped_;
  const MappedFile* file_;
  ExternalFiles& files_;
  /// What was copied, by its place: a tensor in the body of a function is read once for each call.
  mutable std::unordered_map<const char*, Value> copies_;
  static constexpr size_t kMostDense = size_t{1} << 26;
  mutable size_t dense_left_ = kMostDense;  ///< for sparse tensors that hold next to nothing of their size
};

/// ONNX's element type numbers and ours.
ElementType FromOnnxType(int onnx_type);
int ToOnnxType(ElementType type);
TypeInfo ReadType(const onnx::TypeProto& proto);

}  // namespace ortrun
