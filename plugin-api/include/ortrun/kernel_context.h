// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <exception>
#include <initializer_list>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "ortrun/error.h"
#include "ortrun/host.h"

namespace ortrun {

/// Dimensions of a tensor, outermost first. Fixed capacity, so that making one allocates nothing.
class Shape {
 public:
  static constexpr size_t kMaxRank = 16;

  Shape() = default;
  Shape(std::initializer_list<int64_t> dims) : Shape(std::span(dims.begin(), dims.size())) {}
  explicit Shape(std::span<const int64_t> dims) {
    Require(dims.size() <= kMaxRank, "rank ", dims.size(), " is larger than the ", kMaxRank, " supported");
    for (int64_t dim : dims) dims_[rank_++] = dim;
  }

  size_t rank() const { return rank_; }
  int64_t operator[](size_t axis) const { return dims_[axis]; }
  int64_t& operator[](size_t axis) { return dims_[axis]; }
  const int64_t* data() const { return dims_.data(); }
  std::span<const int64_t> dims() const { return {dims_.data(), rank_}; }
  const int64_t* begin() const { return dims_.data(); }
  const int64_t* end() const { return dims_.data() + rank_; }
  void Append(int64_t dim) {
    Require(rank_ < kMaxRank, "rank is larger than the ", kMaxRank, " supported");
    dims_[rank_++] = dim;
  }
  /// Product of the dimensions in [first, last).
  int64_t Count(size_t first, size_t last) const {
    int64_t count = 1;
    for (size_t i = first; i < last; ++i) count *= dims_[i];
    return count;
  }
  int64_t Count() const { return Count(0, rank_); }
  bool operator==(const Shape& other) const { return std::equal(begin(), end(), other.begin(), other.end()); }

 private:
  std::array<int64_t, kMaxRank> dims_{};
  size_t rank_ = 0;
};

/// Turns a possibly negative axis into [0, rank), or throws.
inline size_t NormalizeAxis(int64_t axis, size_t rank) {
  const auto signed_rank = static_cast<int64_t>(rank);
  Require(axis >= -signed_rank && axis < signed_rank, "axis ", axis, " is outside [-", rank, ", ", rank, ")");
  return static_cast<size_t>(axis < 0 ? axis + signed_rank : axis);
}

/// A dense tensor of a kernel call: a borrowed view, valid until Compute returns.
class Tensor {
 public:
  Tensor() = default;
  Tensor(const OrtrunTensor& view, OrtValue* value) : view_(view), value_(value), present_(true) {}

  explicit operator bool() const { return present_; }
  ONNXTensorElementDataType type() const { return view_.type; }
  std::span<const int64_t> dims() const { return {view_.shape, view_.rank}; }
  Shape shape() const { return Shape(dims()); }
  size_t rank() const { return view_.rank; }
  int64_t dim(size_t axis) const { return view_.shape[axis]; }
  size_t count() const { return view_.count; }
  template <typename T>
  T* data() const {
    return static_cast<T*>(view_.data);
  }
  void* raw() const { return view_.data; }
  /// The host's value; needed for strings. Inputs must not be written through it.
  OrtValue* value() const { return value_; }

 private:
  OrtrunTensor view_{};
  OrtValue* value_ = nullptr;
  bool present_ = false;
};

/// What stays of a constant input that the kernel packed: the host may have freed the value itself.
struct PackedInput {
  size_t index;
  std::vector<int64_t> shape;
  size_t count;
  ONNXTensorElementDataType type;
};

/// One call of a kernel. Lives on the stack of Compute; not thread-safe, except inside a ParallelFor body nothing of it
/// may be called at all.
class KernelContext {
 public:
  KernelContext(const Host& host, OrtKernelContext* context, std::span<const PackedInput> packed = {})
      : host_(host), context_(context), packed_(packed) {
    if (host.call != nullptr) views_ = host.call->Inputs(context, &view_count_);
  }

  const Host& host() const { return host_; }
  OrtKernelContext* get() const { return context_; }

  size_t InputCount() const {
    if (views_ != nullptr) return view_count_;
    size_t count = 0;
    ThrowOnError(*host_.api, host_.api->KernelContext_GetInputCount(context_, &count));
    return count;
  }
  size_t OutputCount() const {
    size_t count = 0;
    ThrowOnError(*host_.api, host_.api->KernelContext_GetOutputCount(context_, &count));
    return count;
  }

  /// The host's value of an input, or NULL when it is omitted.
  const OrtValue* InputValue(size_t index) const {
    const OrtValue* value = nullptr;
    ThrowOnError(*host_.api, host_.api->KernelContext_GetInput(context_, index, &value));
    return value;
  }

  /// An optional input: converts to false when omitted.
  Tensor OptionalInput(size_t index) const {
    if (index >= InputCount()) return {};
    if (views_ != nullptr && views_[index] != nullptr && views_[index]->type != ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING)
        [[likely]]
      return Tensor(*views_[index], nullptr);
    if (views_ != nullptr && views_[index] == nullptr) return {};
    for (const PackedInput& input : packed_)
      if (input.index == index)
        return Tensor(OrtrunTensor{nullptr, input.shape.data(), input.shape.size(), input.count, input.type}, nullptr);
    return View(const_cast<OrtValue*>(InputValue(index)));  // NOLINT: Tensor serves inputs and outputs
  }

  Tensor Input(size_t index) const {
    Tensor tensor = OptionalInput(index);
    Require(static_cast<bool>(tensor), "input ", index, " is missing");
    return tensor;
  }

  /// Makes an output; converts to false when the node does not name it.
  Tensor Output(size_t index, std::span<const int64_t> shape) {
    if (host_.call != nullptr) {
      const OrtrunTensor* view = nullptr;
      ThrowOnError(*host_.api, host_.call->Output(context_, index, shape.data(), shape.size(), &view));
      if (view == nullptr) return {};
      if (view->type != ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING) return Tensor(*view, nullptr);
    }
    OrtValue* value = nullptr;
    ThrowOnError(*host_.api, host_.api->KernelContext_GetOutput(context_, index, shape.data(), shape.size(), &value));
    return View(value);
  }
  Tensor Output(size_t index, const Shape& shape) { return Output(index, shape.dims()); }

  /// Uninitialised CPU memory, aligned to 64 bytes, valid until Compute returns.
  template <typename T = void>
  T* Scratch(size_t count) {
    const size_t bytes = count * [] {
      if constexpr (std::is_void_v<T>)
        return size_t{1};
      else
        return sizeof(T);
    }();
    void* memory = nullptr;
    if (host_.call != nullptr) {
      ThrowOnError(*host_.api, host_.call->Scratch(context_, bytes, &memory));
    } else {
      memory = PublicScratch(bytes);
    }
    return static_cast<T*>(memory);
  }

  size_t Concurrency() const { return host_.call != nullptr ? host_.call->Concurrency(context_) : 2; }

  /// Calls body(i) for each i in [0, blocks), on several threads. What a body throws is thrown again here.
  template <typename Body>
  void ParallelFor(size_t blocks, const Body& body) const {
    if (blocks == 1) {
      body(size_t{0});
      return;
    }
    if (blocks == 0) return;
    struct Call {
      const Body* body;
      std::exception_ptr error;
      std::atomic_flag failed = ATOMIC_FLAG_INIT;
    } call{&body, nullptr};
    const auto run = [](void* arg, size_t block) {
      auto& self = *static_cast<Call*>(arg);
      try {
        (*self.body)(block);
      } catch (...) {
        if (!self.failed.test_and_set()) self.error = std::current_exception();
      }
    };
    if (host_.call != nullptr)
      host_.call->ParallelFor(context_, blocks, run, &call);
    else
      ThrowOnError(*host_.api, host_.api->KernelContext_ParallelFor(context_, run, blocks, 0, &call));
    if (call.error) std::rethrow_exception(call.error);
  }

  /// Splits [0, count) into ranges of at least `grain` and calls body(begin, end) for each, on several threads.
  template <typename Body>
  void ParallelRange(size_t count, size_t grain, const Body& body) const {
    const size_t most = 4 * Concurrency();
    const size_t blocks = std::min(most, grain == 0 ? count : count / grain);
    if (blocks <= 1 || Concurrency() == 1) {
      if (count != 0) body(size_t{0}, count);
      return;
    }
    ParallelFor(blocks, [&](size_t block) { body(count * block / blocks, count * (block + 1) / blocks); });
  }

 private:
  Tensor View(OrtValue* value) const {
    if (value == nullptr) return {};
    const OrtApi& api = *host_.api;
    OrtrunTensor view{};
    ThrowOnError(api, api.GetTensorElementTypeAndShapeDataReference(value, &view.type, &view.shape, &view.rank));
    view.count = 1;
    for (size_t i = 0; i < view.rank; ++i) view.count *= static_cast<size_t>(view.shape[i]);
    if (view.type != ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING)
      ThrowOnError(api, api.GetTensorMutableData(value, &view.data));
    return Tensor(view, value);
  }

  void* PublicScratch(size_t bytes) {
    const OrtApi& api = *host_.api;
    constexpr size_t kAlignment = 64;
    OrtMemoryInfo* info = nullptr;
    ThrowOnError(api, api.CreateCpuMemoryInfo(OrtDeviceAllocator, OrtMemTypeDefault, &info));
    OrtAllocator* allocator = nullptr;
    OrtStatus* status = api.KernelContext_GetAllocator(context_, info, &allocator);
    api.ReleaseMemoryInfo(info);
    ThrowOnError(api, status);
    void* memory = allocator->Alloc(allocator, bytes + kAlignment);
    if (memory == nullptr) {
      api.ReleaseAllocator(allocator);
      throw std::bad_alloc();
    }
    held_.emplace_back(Held{&api, allocator, memory});
    const auto address = reinterpret_cast<uintptr_t>(memory);
    return reinterpret_cast<void*>((address + kAlignment - 1) / kAlignment * kAlignment);  // NOLINT
  }

  struct Held {
    const OrtApi* api = nullptr;
    OrtAllocator* allocator = nullptr;
    void* memory = nullptr;
    Held(const OrtApi* a, OrtAllocator* b, void* c) : api(a), allocator(b), memory(c) {}
    Held(Held&& other) noexcept
        : api(other.api), allocator(std::exchange(other.allocator, nullptr)), memory(other.memory) {}
    Held& operator=(Held&&) = delete;
    ~Held() {
      if (allocator == nullptr) return;
      allocator->Free(allocator, memory);
      api->ReleaseAllocator(allocator);
    }
  };

  const Host& host_;
  OrtKernelContext* context_;
  std::span<const PackedInput> packed_;
  const OrtrunTensor* const* views_ = nullptr;
  size_t view_count_ = 0;
  std::vector<Held> held_;
};

}  // namespace ortrun
