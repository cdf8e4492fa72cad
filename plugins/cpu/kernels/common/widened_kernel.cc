// SPDX-License-Identifier: Apache-2.0
#include "plugins/cpu/kernels/common/widened_kernel.h"

#include <cstring>
#include <deque>
#include <map>
#include <utility>

#include "plugins/cpu/kernels/common/half_loops.h"
#include "plugins/cpu/kernels/common/packed_form.h"

namespace ortrun::cpu {
namespace {

constexpr ElementType kFloat = ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT;

/// A constant input of the node, widened when the node was made.
struct WideConstant {
  PackedForm memory;
  std::vector<int64_t> shape;
  size_t count;

  OrtrunTensor View() const {
    auto* data = const_cast<void*>(memory.get());  // NOLINT: inputs are only read
    return {data, shape.data(), shape.size(), count, kFloat};
  }
};

/// One call of the inner kernel: what it takes for its OrtKernelContext.
class WideCall {
 public:
  WideCall(KernelContext& outer, const std::map<size_t, WideConstant>& constants) : outer_(outer) {
    const size_t count = outer.InputCount();
    inputs_.reserve(count);
    for (size_t i = 0; i < count; ++i) {
      const auto constant = constants.find(i);
      if (constant != constants.end()) {
        inputs_.push_back(&Keep(constant->second.View()));
        continue;
      }
      const Tensor tensor = outer.OptionalInput(i);
      inputs_.push_back(!tensor ? nullptr : &Keep(IsHalf(tensor.type()) ? WideInput(tensor) : ViewOf(tensor)));
    }
  }

  /// Rounds what the inner kernel wrote.
  void Finish() const {
    for (const auto& [tensor, wide] : narrowed_) NarrowHalf(outer_, tensor.type(), wide, tensor.raw(), tensor.count());
  }

  OrtKernelContext* Handle() { return reinterpret_cast<OrtKernelContext*>(this); }  // NOLINT: the inner call's handle

  static const OrtrunKernelCallApi& Table() {
    static constexpr OrtrunKernelCallApi kTable = {1, Inputs, Output, Scratch, Concurrency, ParallelFor};
    return kTable;
  }

  /// The host's table, with what a kernel may ask of its call outside the short way led to the outer call.
  static const OrtApi& PublicTable(const OrtApi& host) {
    static const OrtApi table = Redirected(host);
    return table;
  }

 private:
  static OrtApi Redirected(const OrtApi& host) {
    OrtApi table = host;
    table.KernelContext_GetInputCount = [](const OrtKernelContext* context, size_t* count) noexcept -> OrtStatus* {
      *count = From(context).inputs_.size();
      return nullptr;
    };
    table.KernelContext_GetOutputCount = [](const OrtKernelContext* context, size_t* count) noexcept -> OrtStatus* {
      const KernelContext& outer = From(context).outer_;
      return outer.host().api->KernelContext_GetOutputCount(outer.get(), count);
    };
    return table;
  }

  static WideCall& From(const OrtKernelContext* context) {
    return *reinterpret_cast<WideCall*>(const_cast<OrtKernelContext*>(context));  // NOLINT: the inverse of Handle
  }

  static const OrtrunTensor* const* ORT_API_CALL Inputs(const OrtKernelContext* context, size_t* count) noexcept {
    const auto& inputs = From(context).inputs_;
    *count = inputs.size();
    return inputs.data();
  }

  static OrtStatus* ORT_API_CALL Output(OrtKernelContext* context, size_t index, const int64_t* shape, size_t rank,
                                        const OrtrunTensor** out) noexcept {
    WideCall& call = From(context);
    *out = nullptr;
    return Guard(*call.outer_.host().api, [&] {
      const Tensor tensor = call.outer_.Output(index, std::span(shape, rank));
      if (!tensor) return;
      OrtrunTensor view = ViewOf(tensor);
      if (IsHalf(tensor.type())) {
        view.type = kFloat;
        view.data = call.outer_.Scratch<float>(tensor.count());
        call.narrowed_.emplace_back(tensor, static_cast<float*>(view.data));
      }
      *out = &call.Keep(view);
    });
  }

  static OrtStatus* ORT_API_CALL Scratch(OrtKernelContext* context, size_t bytes, void** out) noexcept {
    KernelContext& outer = From(context).outer_;
    *out = nullptr;
    return Guard(*outer.host().api, [&] { *out = outer.Scratch(bytes); });
  }

  static size_t ORT_API_CALL Concurrency(const OrtKernelContext* context) noexcept {
    return From(context).outer_.Concurrency();
  }

  // The inner context hands out a function that keeps errors for itself, so none comes through here.
  // NOLINTNEXTLINE(bugprone-exception-escape)
  static void ORT_API_CALL ParallelFor(const OrtKernelContext* context, size_t blocks,
                                       void (*fn)(void* arg, size_t block), void* arg) noexcept {
    From(context).outer_.ParallelFor(blocks, [fn, arg](size_t block) { fn(arg, block); });
  }

  static OrtrunTensor ViewOf(const Tensor& tensor) {
    return {tensor.raw(), tensor.dims().data(), tensor.rank(), tensor.count(), tensor.type()};
  }

  OrtrunTensor WideInput(const Tensor& tensor) {
    OrtrunTensor view = ViewOf(tensor);
    auto* wide = outer_.Scratch<float>(tensor.count());
    WidenHalf(outer_, tensor.type(), tensor.raw(), wide, tensor.count());
    view.data = wide;
    view.type = kFloat;
    return view;
  }

  const OrtrunTensor& Keep(const OrtrunTensor& view) { return views_.emplace_back(view); }

  KernelContext& outer_;
  std::deque<OrtrunTensor> views_;  ///< pointers to its elements stay valid as it grows
  std::vector<const OrtrunTensor*> inputs_;
  std::vector<std::pair<Tensor, float*>> narrowed_;
};

class WidenedKernel : public Kernel {
 public:
  WidenedKernel(const KernelInfo& info, std::unique_ptr<Kernel> inner) : inner_(std::move(inner)), host_(info.host()) {
    host_.api = &WideCall::PublicTable(*host_.api);
    host_.call = &WideCall::Table();
  }

  bool PrePack(size_t input, const ConstantTensor& tensor) override {
    if (!IsHalf(tensor.type)) return inner_->PrePack(input, tensor);
    ConstantTensor wide = tensor;
    wide.type = kFloat;
    wide.value = nullptr;  // no value of the host's: what is made of it is this kernel's own
    WideConstant constant{
        Pack(wide, "", tensor.count * sizeof(float),
             [&](void* data) { WidenHalf(tensor.type, tensor.data, static_cast<float*>(data), tensor.count); }),
        tensor.shape, tensor.count};
    wide.data = constant.memory.get();
    if (inner_->PrePack(input, wide)) constant.memory = nullptr;
    constants_.emplace(input, std::move(constant));
    return true;
  }

  void Compute(KernelContext& context) const override {
    WideCall call(context, constants_);
    KernelContext wide(host_, call.Handle());
    inner_->Compute(wide);
    call.Finish();
  }

 private:
  std::unique_ptr<Kernel> inner_;
  Host host_;
  std::map<size_t, WideConstant> constants_;
};

}  // namespace

std::unique_ptr<Kernel> Widened(const KernelInfo& info, std::unique_ptr<Kernel> inner) {
  return std::make_unique<WidenedKernel>(info, std::move(inner));
}

void AddWidened(KernelList& list, const KernelEntry& entry, KernelFactory widened) {
  KernelEntry wide = entry;
  KernelEntry halves = entry;
  halves.make = widened;
  std::erase_if(wide.types.at(0).types, IsHalf);
  std::erase_if(halves.types.at(0).types, [](ElementType type) { return !IsHalf(type); });
  list.Add(std::move(wide));
  if (!halves.types.at(0).types.empty()) list.Add(std::move(halves));
}

}  // namespace ortrun::cpu
