// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/execution/memory.h"
#include "core/graph/type_info.h"
#include "ortrun/kernel_call.h"

namespace ortrun {

/// Dimensions with room for eight in place, so that setting one allocates nothing for the usual ranks.
class Dims {
 public:
  static constexpr size_t kInline = 8;
  void Assign(const int64_t* dims, size_t rank);
  const int64_t* data() const { return rank_ <= kInline ? inline_ : heap_.data(); }
  size_t rank() const { return rank_; }
  bool Equals(const int64_t* dims, size_t rank) const;

 private:
  int64_t inline_[kInline] = {};
  std::vector<int64_t> heap_;
  size_t rank_ = 0;
};

/// Sparse tensors keep their values and index arrays as dense parts.
struct SparseParts;

}  // namespace ortrun

/// A value: dense tensor, sparse tensor, sequence, map, opaque, or an empty optional. Copies share the data.
/// Not thread-safe while it is changed; reading from several threads is fine.
struct OrtValue {
 public:
  OrtValue() = default;
  OrtValue(const OrtValue& other);
  OrtValue& operator=(const OrtValue& other);
  OrtValue(OrtValue&& other) noexcept;
  OrtValue& operator=(OrtValue&& other) noexcept;
  ~OrtValue() = default;

  /// A new tensor in the memory of `allocator` (strings: always CPU, elements empty). Content is uninitialised.
  static OrtValue Tensor(ONNXTensorElementDataType type, const int64_t* dims, size_t rank,
                         const std::shared_ptr<OrtAllocator>& allocator);
  static OrtValue CpuTensor(ONNXTensorElementDataType type, const int64_t* dims, size_t rank);
  /// A tensor over memory of somebody else; `owner` (may be null) is held as long as the value.
  static OrtValue View(ONNXTensorElementDataType type, const int64_t* dims, size_t rank, void* data,
                       const OrtMemoryInfo& memory, std::shared_ptr<void> owner);
  static OrtValue Sequence(std::vector<OrtValue> elements);
  /// A map from a 1-D tensor of keys to a tensor (or sequence) of as many values.
  static OrtValue Map(OrtValue keys, OrtValue values);
  /// An optional that holds nothing.
  static OrtValue None();
  static OrtValue Sparse(ONNXTensorElementDataType type, const int64_t* dims, size_t rank,
                         std::shared_ptr<ortrun::SparseParts> parts);

  ONNXType kind() const { return kind_; }
  bool HasValue() const { return kind_ != ONNX_TYPE_UNKNOWN; }
  bool IsTensor() const { return kind_ == ONNX_TYPE_TENSOR; }
  bool IsString() const { return tensor_.type == ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING; }

  /// Element type, shape and place of a dense tensor (of a sparse one: element type and dense shape).
  const OrtrunTensor& tensor() const { return tensor_; }
  ONNXTensorElementDataType type() const { return tensor_.type; }
  const OrtMemoryInfo& memory() const { return *memory_; }
  size_t bytes() const;

  /// Elements of a string tensor, `tensor().count` of them.
  std::string* strings() const { return static_cast<std::string*>(tensor_.data); }

  /// Elements of a sequence; keys and values of a map.
  const std::vector<OrtValue>& elements() const { return *elements_; }
  std::vector<OrtValue>& elements() { return *elements_; }

  const std::shared_ptr<ortrun::SparseParts>& sparse() const { return sparse_; }
  const std::shared_ptr<void>& storage() const { return storage_; }

  /// The full type, from the value itself.
  OrtTypeInfo TypeOf() const;

  /// Whether the memory is somebody's who does not want it written: no run takes it for a result.
  bool read_only() const { return read_only_; }
  void MarkReadOnly() { read_only_ = true; }

  /// For the run loop: points a tensor at other memory without touching an allocator.
  void Rebind(void* data) { tensor_.data = data; }
  void Retype(ONNXTensorElementDataType type, const int64_t* dims, size_t rank);
  void Reset() { *this = OrtValue(); }
  /// Makes this a tensor with memory of its own from `allocator` (strings: CPU).
  void AllocateTensor(ONNXTensorElementDataType type, const int64_t* dims, size_t rank,
                      const std::shared_ptr<OrtAllocator>& allocator);
  /// Makes this a tensor over the memory that `other` holds, which must be as large.
  void ShareTensor(ONNXTensorElementDataType type, const int64_t* dims, size_t rank, const OrtValue& other);
  /// Makes this a tensor at a place that somebody else owns and keeps. `memory` must outlive the value.
  void PlaceTensor(ONNXTensorElementDataType type, const int64_t* dims, size_t rank, void* data,
                   const OrtMemoryInfo& memory);
  /// Copies what a sequence or map borrows from memory of somebody else, or shares with other values.
  void OwnElements();
  /// Gives the data back; element type and shape stay readable.
  void ReleaseStorage();
  /// Puts the content of `other`, of the same kind and no dense tensor, into this value and all copies of it.
  void TakeContent(OrtValue other);

 private:
  void FixView() { tensor_.shape = dims_.data(); }

  OrtrunTensor tensor_{};
  ONNXType kind_ = ONNX_TYPE_UNKNOWN;
  ortrun::Dims dims_;
  const OrtMemoryInfo* memory_ = nullptr;  ///< points into memory_owner_ or to memory that lives with the environment
  std::shared_ptr<const OrtMemoryInfo> memory_owner_;
  std::shared_ptr<void> storage_;
  std::shared_ptr<std::vector<OrtValue>> elements_;
  std::shared_ptr<ortrun::SparseParts> sparse_;
  bool read_only_ = false;
};

namespace ortrun {

using Value = ::OrtValue;

struct SparseParts {
  OrtSparseFormat format = ORT_SPARSE_UNDEFINED;
  Value values;
  std::vector<Value> indices;  ///< COO: one; CSR: inner, outer; block sparse: one
};

}  // namespace ortrun
