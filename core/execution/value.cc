// SPDX-License-Identifier: Apache-2.0
#include "core/execution/value.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "ortrun/error.h"

namespace ortrun {

void Dims::Assign(const int64_t* dims, size_t rank) {
  if (rank > kInline) {
    heap_.assign(dims, dims + rank);
  } else {
    std::copy_n(dims, rank, inline_);
  }
  rank_ = rank;
}

bool Dims::Equals(const int64_t* dims, size_t rank) const {
  return rank == rank_ && std::equal(dims, dims + rank, data());
}

}  // namespace ortrun

OrtValue::OrtValue(const OrtValue& other)
    : tensor_(other.tensor_),
      kind_(other.kind_),
      dims_(other.dims_),
      memory_(other.memory_),
      memory_owner_(other.memory_owner_),
      storage_(other.storage_),
      elements_(other.elements_),
      sparse_(other.sparse_),
      read_only_(other.read_only_) {
  FixView();
}

OrtValue& OrtValue::operator=(const OrtValue& other) {
  if (this != &other) *this = OrtValue(other);
  return *this;
}

OrtValue::OrtValue(OrtValue&& other) noexcept
    : tensor_(other.tensor_),
      kind_(std::exchange(other.kind_, ONNX_TYPE_UNKNOWN)),
      dims_(std::move(other.dims_)),
      memory_(other.memory_),
      memory_owner_(std::move(other.memory_owner_)),
      storage_(std::move(other.storage_)),
      elements_(std::move(other.elements_)),
      sparse_(std::move(other.sparse_)),
      read_only_(std::exchange(other.read_only_, false)) {
  FixView();
}

OrtValue& OrtValue::operator=(OrtValue&& other) noexcept {
  if (this == &other) return *this;
  tensor_ = other.tensor_;
  kind_ = std::exchange(other.kind_, ONNX_TYPE_UNKNOWN);
  dims_ = std::move(other.dims_);
  memory_ = other.memory_;
  memory_owner_ = std::move(other.memory_owner_);
  storage_ = std::move(other.storage_);
  elements_ = std::move(other.elements_);
  sparse_ = std::move(other.sparse_);
  read_only_ = std::exchange(other.read_only_, false);
  FixView();
  return *this;
}

void OrtValue::Retype(ONNXTensorElementDataType type, const int64_t* dims, size_t rank) {
  dims_.Assign(dims, rank);
  kind_ = ONNX_TYPE_TENSOR;
  tensor_.type = type;
  tensor_.rank = rank;
  tensor_.count = ortrun::ElementCount(dims, rank);
  FixView();
}

void OrtValue::AllocateTensor(ONNXTensorElementDataType type, const int64_t* dims, size_t rank,
                              const std::shared_ptr<OrtAllocator>& allocator) {
  ReleaseStorage();
  Retype(type, dims, rank);
  memory_owner_.reset();
  memory_ = &ortrun::CpuMemoryInfo();
  if (type == ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING) {
    auto texts = std::make_shared<std::vector<std::string>>(tensor_.count);
    tensor_.data = texts->data();
    storage_ = std::move(texts);
    return;
  }
  memory_ = allocator->Info(allocator.get());
  const size_t bytes = ortrun::TensorBytes(type, tensor_.count);
  if (bytes != 0) storage_ = ortrun::Allocate(allocator, bytes);
  tensor_.data = storage_.get();
}

void OrtValue::ShareTensor(ONNXTensorElementDataType type, const int64_t* dims, size_t rank, const OrtValue& other) {
  storage_ = other.storage_;
  read_only_ = other.read_only_;
  memory_ = other.memory_;
  memory_owner_ = other.memory_owner_;
  Retype(type, dims, rank);
  tensor_.data = other.tensor_.data;
}

void OrtValue::PlaceTensor(ONNXTensorElementDataType type, const int64_t* dims, size_t rank, void* data,
                           const OrtMemoryInfo& memory) {
  ReleaseStorage();
  Retype(type, dims, rank);
  memory_owner_.reset();
  memory_ = &memory;
  tensor_.data = data;
}

void OrtValue::OwnElements() {
  if (elements_ == nullptr) return;
  if (elements_.use_count() > 1) elements_ = std::make_shared<std::vector<OrtValue>>(*elements_);
  for (OrtValue& element : *elements_) {
    element.OwnElements();
    const OrtrunTensor& tensor = element.tensor();
    if (!element.IsTensor() || tensor.count == 0 || element.storage_.use_count() == 1 ||
        !element.memory().device.HostAccessible())
      continue;
    OrtValue own = CpuTensor(tensor.type, tensor.shape, tensor.rank);
    if (element.IsString())
      std::copy_n(element.strings(), tensor.count, own.strings());
    else
      std::memcpy(own.tensor().data, tensor.data, element.bytes());
    element = std::move(own);
  }
}

void OrtValue::ReleaseStorage() {
  storage_.reset();
  elements_.reset();
  sparse_.reset();
  tensor_.data = nullptr;
  read_only_ = false;
}

void OrtValue::TakeContent(OrtValue other) {
  if (elements_ != nullptr && other.elements_ != nullptr) {
    *elements_ = std::move(*other.elements_);
  } else if (sparse_ != nullptr && other.sparse_ != nullptr) {
    *sparse_ = std::move(*other.sparse_);
  } else {
    *this = std::move(other);
  }
}

OrtValue OrtValue::Tensor(ONNXTensorElementDataType type, const int64_t* dims, size_t rank,
                          const std::shared_ptr<OrtAllocator>& allocator) {
  OrtValue value;
  value.AllocateTensor(type, dims, rank, allocator);
  return value;
}

OrtValue OrtValue::CpuTensor(ONNXTensorElementDataType type, const int64_t* dims, size_t rank) {
  static const std::shared_ptr<OrtAllocator> cpu(&ortrun::CpuAllocator(), [](OrtAllocator*) {});
  return Tensor(type, dims, rank, cpu);
}

OrtValue OrtValue::View(ONNXTensorElementDataType type, const int64_t* dims, size_t rank, void* data,
                        const OrtMemoryInfo& memory, std::shared_ptr<void> owner) {
  OrtValue value;
  value.Retype(type, dims, rank);
  if (memory == ortrun::CpuMemoryInfo()) {
    value.memory_ = &ortrun::CpuMemoryInfo();
  } else {
    value.memory_owner_ = std::make_shared<const OrtMemoryInfo>(memory);
    value.memory_ = value.memory_owner_.get();
  }
  value.tensor_.data = data;
  value.storage_ = std::move(owner);
  return value;
}

OrtValue OrtValue::Sequence(std::vector<OrtValue> elements) {
  OrtValue value;
  value.kind_ = ONNX_TYPE_SEQUENCE;
  value.memory_ = &ortrun::CpuMemoryInfo();
  value.elements_ = std::make_shared<std::vector<OrtValue>>(std::move(elements));
  return value;
}

OrtValue OrtValue::Map(OrtValue keys, OrtValue values) {
  std::vector<OrtValue> parts;
  parts.push_back(std::move(keys));
  parts.push_back(std::move(values));
  OrtValue value = Sequence(std::move(parts));
  value.kind_ = ONNX_TYPE_MAP;
  return value;
}

OrtValue OrtValue::None() {
  OrtValue value;
  value.memory_ = &ortrun::CpuMemoryInfo();
  return value;
}

OrtValue OrtValue::Sparse(ONNXTensorElementDataType type, const int64_t* dims, size_t rank,
                          std::shared_ptr<ortrun::SparseParts> parts) {
  OrtValue value;
  value.Retype(type, dims, rank);
  value.kind_ = ONNX_TYPE_SPARSETENSOR;
  value.memory_ = &ortrun::CpuMemoryInfo();
  value.sparse_ = std::move(parts);
  return value;
}

size_t OrtValue::bytes() const { return ortrun::TensorBytes(tensor_.type, tensor_.count); }

OrtTypeInfo OrtValue::TypeOf() const {
  OrtTypeInfo info;
  info.kind = kind_;
  switch (kind_) {
    case ONNX_TYPE_TENSOR:
    case ONNX_TYPE_SPARSETENSOR:
      info = OrtTypeInfo::Tensor(tensor_.type, {tensor_.shape, tensor_.shape + tensor_.rank});
      info.kind = kind_;
      break;
    case ONNX_TYPE_SEQUENCE: {
      auto sequence = std::make_shared<OrtSequenceTypeInfo>();
      if (!elements_->empty()) {
        sequence->element = elements_->front().TypeOf();
        sequence->element.tensor.has_shape = false;
        sequence->element.tensor.dims.clear();
        sequence->element.tensor.symbols.clear();
      }
      info.sequence = std::move(sequence);
      break;
    }
    case ONNX_TYPE_MAP: {
      auto map = std::make_shared<OrtMapTypeInfo>();
      map->key = (*elements_)[0].type();
      map->value = (*elements_)[1].IsTensor() ? OrtTypeInfo::Tensor((*elements_)[1].type()) : (*elements_)[1].TypeOf();
      info.map = std::move(map);
      break;
    }
    default:
      break;
  }
  return info;
}
