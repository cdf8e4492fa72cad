// SPDX-License-Identifier: Apache-2.0
#include "cli/tensor.h"

#include <cmath>
#include <cstring>
#include <limits>

#include "cli/element_type.h"

namespace ortrun::cli {
namespace {

template <typename T>
T Read(const Tensor& tensor, size_t index) {
  T value;
  std::memcpy(&value, tensor.bytes.data() + index * sizeof(T), sizeof(T));
  return value;
}

template <typename T>
void Write(Tensor& tensor, size_t index, T value) {
  std::memcpy(tensor.bytes.data() + index * sizeof(T), &value, sizeof(T));
}

float HalfToFloat(uint16_t half) {
  const float sign = (half & 0x8000) != 0 ? -1.0f : 1.0f;
  const int exponent = (half >> 10) & 0x1f;
  const int mantissa = half & 0x3ff;
  if (exponent == 31) return mantissa == 0 ? sign * std::numeric_limits<float>::infinity() : std::nanf("");
  if (exponent == 0) return sign * std::ldexp(static_cast<float>(mantissa), -24);
  return sign * std::ldexp(static_cast<float>(mantissa + 1024), exponent - 25);
}

uint16_t FloatToHalf(float value) {
  const uint16_t sign = std::signbit(value) ? 0x8000 : 0;
  const float magnitude = std::fabs(value);
  if (std::isnan(value)) return sign | 0x7e00;
  if (magnitude >= 65520.0f) return sign | 0x7c00;
  if (magnitude < std::ldexp(1.0f, -14))
    return static_cast<uint16_t>(sign | static_cast<uint16_t>(std::nearbyint(std::ldexp(magnitude, 24))));
  int exponent = 0;
  const float fraction = std::frexp(magnitude, &exponent);  // in [0.5, 1)
  const auto mantissa = static_cast<int>(std::nearbyint(std::ldexp(fraction, 11)));
  return static_cast<uint16_t>(sign | (((exponent + 14) << 10) + (mantissa - 1024)));
}

template <typename T>
void StoreInteger(Tensor& tensor, size_t index, double real, int64_t integer, bool is_integer) {
  const auto low = static_cast<double>(std::numeric_limits<T>::min());
  const auto high = static_cast<double>(std::numeric_limits<T>::max());
  const double wanted = is_integer ? static_cast<double>(integer) : real;
  if (wanted < low || wanted > high || wanted != std::floor(wanted))
    throw CliError(kBadInput,
                   "the number " + std::to_string(real) + " does not fit an element of type " + NameOf(tensor.type));
  Write<T>(tensor, index, is_integer ? static_cast<T>(integer) : static_cast<T>(real));
}

}  // namespace

size_t Tensor::count() const {
  size_t product = 1;
  for (const int64_t dim : shape)
    if (dim < 0 || __builtin_mul_overflow(product, static_cast<size_t>(dim), &product))
      throw CliError(kBadInput, "a tensor has an impossible shape");
  return product;
}

Value ToValue(const Runtime& runtime, Tensor& tensor) {
  const OrtApi& api = runtime.api();
  OrtValue* value = nullptr;
  if (tensor.type == ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING) {
    runtime.Check(
        api.CreateTensorAsOrtValue(runtime.allocator(), tensor.shape.data(), tensor.shape.size(), tensor.type, &value));
    Value owned = runtime.MakeValue(value);
    std::vector<const char*> texts;
    for (const std::string& text : tensor.strings) texts.push_back(text.c_str());
    runtime.Check(api.FillStringTensor(value, texts.data(), texts.size()));
    return owned;
  }
  OrtMemoryInfo* memory = nullptr;
  runtime.Check(api.CreateCpuMemoryInfo(OrtDeviceAllocator, OrtMemTypeDefault, &memory));
  const Handle<OrtMemoryInfo> owned_memory(memory, api.ReleaseMemoryInfo);
  static unsigned char nothing = 0;
  void* data = tensor.bytes.empty() ? &nothing : tensor.bytes.data();
  runtime.Check(api.CreateTensorWithDataAsOrtValue(memory, data, tensor.bytes.size(), tensor.shape.data(),
                                                   tensor.shape.size(), tensor.type, &value));
  return runtime.MakeValue(value);
}

Tensor FromValue(const Runtime& runtime, OrtValue* value) {
  const OrtApi& api = runtime.api();
  Tensor tensor;
  const int64_t* shape = nullptr;
  size_t rank = 0;
  runtime.Check(api.GetTensorElementTypeAndShapeDataReference(value, &tensor.type, &shape, &rank));
  tensor.shape.assign(shape, shape + rank);
  const size_t count = tensor.count();
  if (tensor.type == ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING) {
    for (size_t i = 0; i < count; ++i) {
      size_t length = 0;
      runtime.Check(api.GetStringTensorElementLength(value, i, &length));
      std::string text(length, '\0');
      runtime.Check(api.GetStringTensorElement(value, length, i, text.data()));
      tensor.strings.push_back(std::move(text));
    }
    return tensor;
  }
  size_t bytes = 0;
  runtime.Check(api.GetTensorSizeInBytes(value, &bytes));
  const void* data = nullptr;
  runtime.Check(api.GetTensorData(value, &data));
  tensor.bytes.resize(bytes);
  if (bytes != 0) std::memcpy(tensor.bytes.data(), data, bytes);
  return tensor;
}

double ElementAsDouble(const Tensor& tensor, size_t index) {
  switch (tensor.type) {
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT:
      return static_cast<double>(Read<float>(tensor, index));
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_COMPLEX64:
      return static_cast<double>(Read<float>(tensor, 2 * index));
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE:
      return Read<double>(tensor, index);
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_COMPLEX128:
      return Read<double>(tensor, 2 * index);
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16:
      return static_cast<double>(HalfToFloat(Read<uint16_t>(tensor, index)));
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_BFLOAT16: {
      const uint32_t bits = static_cast<uint32_t>(Read<uint16_t>(tensor, index)) << 16;
      float value;
      std::memcpy(&value, &bits, sizeof(value));
      return static_cast<double>(value);
    }
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT8:
      return Read<int8_t>(tensor, index);
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8:
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_BOOL:
      return Read<uint8_t>(tensor, index);
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT16:
      return Read<int16_t>(tensor, index);
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT16:
      return Read<uint16_t>(tensor, index);
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32:
      return Read<int32_t>(tensor, index);
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT32:
      return Read<uint32_t>(tensor, index);
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64:
      return static_cast<double>(Read<int64_t>(tensor, index));
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT64:
      return static_cast<double>(Read<uint64_t>(tensor, index));
    default:
      return std::nan("");
  }
}

void StoreNumber(Tensor& tensor, size_t index, double real, int64_t integer, bool is_integer) {
  const auto store = [&]<typename T>(T) { StoreInteger<T>(tensor, index, real, integer, is_integer); };
  switch (tensor.type) {
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT:
      return Write(tensor, index, static_cast<float>(real));
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE:
      return Write(tensor, index, real);
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16:
      return Write(tensor, index, FloatToHalf(static_cast<float>(real)));
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_BFLOAT16: {
      const auto value = static_cast<float>(real);
      uint32_t bits = 0;
      std::memcpy(&bits, &value, sizeof(bits));
      return Write(tensor, index, static_cast<uint16_t>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16));
    }
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_BOOL:
      return Write(tensor, index, static_cast<uint8_t>(real != 0));
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT8:
      return store(int8_t{});
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8:
      return store(uint8_t{});
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT16:
      return store(int16_t{});
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT16:
      return store(uint16_t{});
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32:
      return store(int32_t{});
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT32:
      return store(uint32_t{});
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64:
      return store(int64_t{});
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT64:
      return store(uint64_t{});
    default:
      throw CliError(kBadInput, std::string("numbers cannot be given for elements of type ") + NameOf(tensor.type));
  }
}

}  // namespace ortrun::cli
