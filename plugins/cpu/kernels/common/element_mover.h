// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>

#include "ortrun/kernel_context.h"
#include "plugins/cpu/kernels/common/narrow_types.h"
#include "plugins/cpu/kernels/common/strings.h"
#include "plugins/cpu/kernels/common/types.h"

namespace ortrun::cpu {

/// Lets a kernel that only moves elements serve strings and types smaller than a byte too. For strings it sees 8-byte
/// tokens instead, each the address of an element of one of the inputs, and Finish writes the strings that the moved
/// tokens name. Packed elements it sees one a byte, and Finish packs them.
///
///   ElementMover mover(context, x.type());
///   const void* from = mover.Input(x);
///   void* to = mover.Output(y);
///   ... move mover.size() bytes an element ...
///   mover.Finish();
class ElementMover {
 public:
  ElementMover(KernelContext& context, ElementType type)
      : context_(context),
        strings_(type == ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING),
        packed_(FindPackedType(type)),
        size_(strings_             ? sizeof(uint64_t)
              : packed_ != nullptr ? 1
                                   : ElementSize(type)) {}

  size_t size() const { return size_; }

  const void* Input(const Tensor& tensor) {
    if (packed_ != nullptr) {
      auto* codes = context_.Scratch<uint8_t>(tensor.count());
      Unpack(*packed_, tensor.data<uint8_t>(), tensor.count(), codes);
      return codes;
    }
    if (!strings_) return tensor.raw();
    auto* tokens = context_.Scratch<uint64_t>(tensor.count());
    for (size_t i = 0; i < tensor.count(); ++i) tokens[i] = (static_cast<uint64_t>(inputs_.size()) << kIndexBits) | i;
    inputs_.push_back(tensor);
    return tokens;
  }

  /// One element that is the empty string. Of strings only.
  const void* EmptyString() {
    auto* token = context_.Scratch<uint64_t>(1);
    *token = kEmptyString;
    return token;
  }

  void* Output(const Tensor& tensor) {
    if (!strings_ && packed_ == nullptr) return tensor.raw();
    outputs_.push_back({tensor, context_.Scratch(tensor.count() * size_)});
    return outputs_.back().elements;
  }

  void Finish() {
    for (const Target& target : outputs_) {
      const size_t count = target.tensor.count();
      if (packed_ != nullptr) {
        Pack(*packed_, static_cast<const uint8_t*>(target.elements), count, target.tensor.data<uint8_t>());
        continue;
      }
      for (size_t i = 0; i < count; ++i) {
        const uint64_t token = static_cast<const uint64_t*>(target.elements)[i];
        if (token == kEmptyString) {
          WriteString(context_.host(), target.tensor, i, "");
          continue;
        }
        CopyString(context_.host(), inputs_[token >> kIndexBits], token & ((uint64_t{1} << kIndexBits) - 1),
                   target.tensor, i);
      }
    }
  }

 private:
  static constexpr unsigned kIndexBits = 40;
  static constexpr uint64_t kEmptyString = ~uint64_t{0};  ///< an element of no input
  struct Target {
    Tensor tensor;
    void* elements;
  };

  KernelContext& context_;
  bool strings_;
  const PackedType* packed_;
  size_t size_;
  std::vector<Tensor> inputs_;
  std::vector<Target> outputs_;
};

/// Copies a whole tensor of any type into another of as many elements, unless they are the same memory.
inline void CopyWhole(KernelContext& context, const Tensor& from, const Tensor& to) {
  if (from.type() == ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING) {
    if (from.value() == to.value()) return;
    for (size_t i = 0; i < from.count(); ++i) CopyString(context.host(), from, i, to, i);
  } else if (from.raw() != to.raw() && from.count() != 0) {
    std::memcpy(to.raw(), from.raw(), BytesOf(from.type(), from.count()));
  }
}

/// The elements of an integer tensor as int64.
inline std::vector<int64_t> ReadIntegers(const Tensor& tensor) {
  std::vector<int64_t> values(tensor.count());
  DispatchType<TypeList<int64_t, int32_t>>(tensor.type(), [&]<typename T>(std::type_identity<T>) {
    for (size_t i = 0; i < values.size(); ++i) values[i] = tensor.data<T>()[i];
  });
  return values;
}

/// Product of non-negative sizes; throws when it does not fit or one is negative.
inline int64_t CheckedCount(std::span<const int64_t> dims) {
  int64_t count = 1;
  for (int64_t dim : dims) {
    Require(dim >= 0, "a dimension is negative: ", dim);
    Require(!__builtin_mul_overflow(count, dim, &count), "the product of the dimensions does not fit 64 bits");
  }
  return count;
}

}  // namespace ortrun::cpu
