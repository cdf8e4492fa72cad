// SPDX-License-Identifier: Apache-2.0
#include "tests/accelerator/kernels.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

#include "tests/accelerator/device_memory.h"
#include "tests/accelerator/failures.h"
#include "tests/accelerator/work_queue.h"

namespace ortrun::accelerator {
namespace {

/// What all kernels of the accelerator share.
class DeviceKernel : public Kernel {
 public:
  DeviceKernel() {
    if (Fails("kernel")) throw Error(ORT_EP_FAIL, "the simulated accelerator makes no kernels");
  }
};

WorkQueue& QueueOf(KernelContext& context) {
  if (Fails("run")) throw Error(ORT_EP_FAIL, "the simulated accelerator was lost");
  void* handle = nullptr;
  ThrowOnError(*context.host().api, context.host().api->KernelContext_GetGPUComputeStream(context.get(), &handle));
  if (handle == nullptr) throw Error(ORT_EP_FAIL, "the simulated accelerator was given no stream");
  return *static_cast<WorkQueue*>(handle);
}

void RequireDevice(const Tensor& tensor, const char* what) {
  if (tensor.count() != 0 && !DeviceMemory::Get().Contains(tensor.raw()))
    throw Error(ORT_EP_FAIL, Concat("the simulated accelerator was given ", what, " outside its memory"));
}

template <typename T, T (*kFunction)(T)>
class Unary : public DeviceKernel {
 public:
  explicit Unary(const KernelInfo&) {}
  void Compute(KernelContext& context) const override {
    const Tensor input = context.Input(0);
    const Tensor output = context.Output(0, input.shape());
    RequireDevice(input, "an input");
    RequireDevice(output, "an output");
    QueueOf(context).Push([from = input.raw(), to = output.raw(), count = input.count()] {
      const auto* x = DeviceMemory::Get().Reach<const T>(from);
      auto* y = DeviceMemory::Get().Reach<T>(to);
      for (size_t i = 0; i < count; ++i) y[i] = kFunction(x[i]);
    });
  }
};

Shape Broadcast(const Tensor& a, const Tensor& b) {
  const size_t rank = std::max(a.rank(), b.rank());
  Shape shape;
  for (size_t i = 0; i < rank; ++i) {
    const int64_t da = i + a.rank() < rank ? 1 : a.dim(i + a.rank() - rank);
    const int64_t db = i + b.rank() < rank ? 1 : b.dim(i + b.rank() - rank);
    Require(da == db || da == 1 || db == 1, "shapes cannot be broadcast: ", da, " against ", db);
    shape.Append(da == 1 ? db : da);
  }
  return shape;
}

/// Elements to step in `tensor` for each axis of the broadcast shape; 0 where it is repeated.
std::vector<size_t> Strides(const Tensor& tensor, const Shape& shape) {
  std::vector<size_t> strides(shape.rank(), 0);
  size_t stride = 1;
  for (size_t i = tensor.rank(); i-- > 0;) {
    strides[i + shape.rank() - tensor.rank()] = tensor.dim(i) == 1 ? 0 : stride;
    stride *= static_cast<size_t>(tensor.dim(i));
  }
  return strides;
}

template <typename T, typename Function>
class Binary : public DeviceKernel {
 public:
  explicit Binary(const KernelInfo&) {}
  void Compute(KernelContext& context) const override {
    const Tensor a = context.Input(0);
    const Tensor b = context.Input(1);
    const Shape shape = Broadcast(a, b);
    const Tensor output = context.Output(0, shape);
    RequireDevice(a, "an input");
    RequireDevice(b, "an input");
    RequireDevice(output, "an output");
    QueueOf(context).Push([shape, left = a.raw(), right = b.raw(), to = output.raw(), sa = Strides(a, shape),
                           sb = Strides(b, shape), count = output.count()] {
      const auto* x = DeviceMemory::Get().Reach<const T>(left);
      const auto* y = DeviceMemory::Get().Reach<const T>(right);
      auto* z = DeviceMemory::Get().Reach<T>(to);
      std::vector<int64_t> index(shape.rank(), 0);
      size_t ia = 0;
      size_t ib = 0;
      for (size_t i = 0; i < count; ++i) {
        z[i] = Function()(x[ia], y[ib]);
        for (size_t axis = shape.rank(); axis-- > 0;) {
          ia += sa[axis];
          ib += sb[axis];
          if (++index[axis] < shape[axis]) break;
          ia -= sa[axis] * static_cast<size_t>(shape[axis]);
          ib -= sb[axis] * static_cast<size_t>(shape[axis]);
          index[axis] = 0;
        }
      }
    });
  }
};

class Softmax : public DeviceKernel {
 public:
  explicit Softmax(const KernelInfo& info) : axis_(info.Int("axis", -1)) {}
  void Compute(KernelContext& context) const override {
    const Tensor input = context.Input(0);
    const Shape shape = input.shape();
    const size_t axis = NormalizeAxis(axis_, shape.rank());
    const Tensor output = context.Output(0, shape);
    RequireDevice(input, "an input");
    RequireDevice(output, "an output");
    const auto outer = static_cast<size_t>(shape.Count(0, axis));
    const auto length = static_cast<size_t>(shape[axis]);
    const auto inner = static_cast<size_t>(shape.Count(axis + 1, shape.rank()));
    QueueOf(context).Push([from = input.raw(), to = output.raw(), outer, length, inner] {
      const auto* x = DeviceMemory::Get().Reach<const float>(from);
      auto* y = DeviceMemory::Get().Reach<float>(to);
      for (size_t o = 0; o < outer; ++o) {
        for (size_t i = 0; i < inner; ++i) {
          const size_t base = o * length * inner + i;
          float most = -INFINITY;
          for (size_t k = 0; k < length; ++k) most = std::max(most, x[base + k * inner]);
          float sum = 0;
          for (size_t k = 0; k < length; ++k) sum += y[base + k * inner] = std::exp(x[base + k * inner] - most);
          for (size_t k = 0; k < length; ++k) y[base + k * inner] /= sum;
        }
      }
    });
  }

 private:
  int64_t axis_;
};

/// x Sigmoid(alpha x), for double alone: the one fused operator of the accelerator.
class QuickGelu : public DeviceKernel {
 public:
  explicit QuickGelu(const KernelInfo& info) : alpha_(static_cast<double>(info.Float("alpha", 1.702F))) {}
  void Compute(KernelContext& context) const override {
    const Tensor input = context.Input(0);
    const Tensor output = context.Output(0, input.shape());
    RequireDevice(input, "an input");
    RequireDevice(output, "an output");
    QueueOf(context).Push([from = input.raw(), to = output.raw(), count = input.count(), alpha = alpha_] {
      const auto* x = DeviceMemory::Get().Reach<const double>(from);
      auto* y = DeviceMemory::Get().Reach<double>(to);
      for (size_t i = 0; i < count; ++i) y[i] = x[i] / (1 + std::exp(-alpha * x[i]));
    });
  }

 private:
  double alpha_;
};

/// Fails when it runs, as a device does that was lost.
class Lost : public Kernel {
 public:
  explicit Lost(const KernelInfo&) {}
  void Compute(KernelContext&) const override { throw Error(ORT_EP_FAIL, "the simulated accelerator was lost"); }
};

float Relu(float x) { return x > 0 ? x : 0; }
template <typename T>
T Sigmoid(T x) {
  return 1 / (1 + std::exp(-x));
}
float SquareRoot(float x) { return std::sqrt(x); }
float HyperbolicTangent(float x) { return std::tanh(x); }
float ErrorFunction(float x) { return std::erf(x); }

}  // namespace

void RegisterKernels(KernelList& kernels) {
  constexpr auto kFloat = ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT;
  constexpr auto kDouble = ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE;
  const auto add = [&](const char* op, int since, int until, KernelFactory make,
                       ONNXTensorElementDataType type = ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT) {
    kernels.Add({.op = op, .since = since, .until = until, .types = {{"T", {type}}}, .make = make});
  };
  add("Add", 7, 24, &MakeKernel<Binary<float, std::plus<float>>>);
  add("Sub", 7, 24, &MakeKernel<Binary<float, std::minus<float>>>);
  add("Mul", 7, 24, &MakeKernel<Binary<float, std::multiplies<float>>>, kFloat);
  add("Mul", 7, 24, &MakeKernel<Binary<double, std::multiplies<double>>>, kDouble);
  add("Div", 7, 24, &MakeKernel<Binary<float, std::divides<float>>>);
  add("Relu", 6, 24, &MakeKernel<Unary<float, Relu>>);
  add("Sigmoid", 6, 24, &MakeKernel<Unary<float, Sigmoid<float>>>, kFloat);
  add("Sigmoid", 6, 24, &MakeKernel<Unary<double, Sigmoid<double>>>, kDouble);
  add("Sqrt", 6, 24, &MakeKernel<Unary<float, SquareRoot>>);
  add("Tanh", 6, 24, &MakeKernel<Unary<float, HyperbolicTangent>>);
  add("Erf", 9, 24, &MakeKernel<Unary<float, ErrorFunction>>);
  add("Softmax", 13, 24, &MakeKernel<Softmax>);
  add("Softsign", 1, 24, &MakeKernel<Lost>);
  kernels.Add(
      {.domain = "com.microsoft", .op = "QuickGelu", .types = {{"T", {kDouble}}}, .make = &MakeKernel<QuickGelu>});
}

}  // namespace ortrun::accelerator
