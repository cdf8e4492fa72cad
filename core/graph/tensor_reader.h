// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

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
  /// `stripped` may be null (nothing was left out). `owner` keeps the original bytes alive; `mapped` says that they are
  /// those of a mapped file.
  TensorReader(const StrippedModel* stripped, std::shared_ptr<void> owner, bool mapped, ExternalFiles& files)
      : stripped_(stripped), owner_(std::move(owner)), mapped_(mapped), files_(files) {}

  struct Result {
    std::shared_ptr<const Value> value;
    std::shared_ptr<const ExternalInitializerInfo> external;
  };
  /// Throws Error(ORT_FAIL) when the data does not fit the declared type and shape.
  Result Read(const onnx::TensorProto& proto, const std::string& name) const;
  std::shared_ptr<const Value> ReadSparse(const onnx::SparseTensorProto& proto, const std::string& name) const;

 private:
  const StrippedModel* stripped_;
  std::shared_ptr<void> owner_;
  bool mapped_;
  ExternalFiles& files_;
  static constexpr size_t kMostDense = size_t{1} << 26;
  mutable size_t dense_left_ = kMostDense;  ///< for sparse tensors that hold next to nothing of their size
};

/// ONNX's element type numbers and ours.
ElementType FromOnnxType(int onnx_type);
int ToOnnxType(ElementType type);
TypeInfo ReadType(const onnx::TypeProto& proto);

}  // namespace ortrun
