// SPDX-License-Identifier: Apache-2.0
#include "core/graph/tensor_reader.h"

#include <onnx/onnx_pb.h>

#include <bit>
#include <charconv>
#include <cstring>
#include <iterator>
#include <utility>

#include "ortrun/error.h"

static_assert(std::endian::native == std::endian::little, "raw_data is little-endian and is used where it lies");

namespace ortrun {
namespace {

// In the order of onnx's TensorProto.DataType.
constexpr ElementType kFromOnnx[] = {
    ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED,      ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT,
    ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8,          ONNX_TENSOR_ELEMENT_DATA_TYPE_INT8,
    ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT16,         ONNX_TENSOR_ELEMENT_DATA_TYPE_INT16,
    ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32,          ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64,
    ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING,         ONNX_TENSOR_ELEMENT_DATA_TYPE_BOOL,
    ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16,        ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE,
    ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT32,         ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT64,
    ONNX_TENSOR_ELEMENT_DATA_TYPE_COMPLEX64,      ONNX_TENSOR_ELEMENT_DATA_TYPE_COMPLEX128,
    ONNX_TENSOR_ELEMENT_DATA_TYPE_BFLOAT16,       ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT8E4M3FN,
    ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT8E4M3FNUZ, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT8E5M2,
    ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT8E5M2FNUZ, ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT4,
    ONNX_TENSOR_ELEMENT_DATA_TYPE_INT4,           ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT4E2M1,
    ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT8E8M0,     ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT2,
    ONNX_TENSOR_ELEMENT_DATA_TYPE_INT2,
};

constexpr size_t kMaxRank = 64;

[[noreturn]] void BadTensor(const std::string& name, const std::string& what) {
  throw Error(ORT_FAIL, Concat("Invalid tensor '", name, "': ", what));
}

/// Copies a repeated field into a tensor's elements, `Stored` being the element's type in memory.
template <typename Stored, typename Field>
void CopyField(const Field& field, Value& value, size_t per_element, const std::string& name) {
  const size_t wanted = value.tensor().count * per_element;
  if (static_cast<size_t>(field.size()) != wanted)
    BadTensor(name, Concat("its shape ", ShapeText(value.tensor().shape, value.tensor().rank), " needs ", wanted,
                           " numbers but it holds ", field.size()));
  auto* out = static_cast<Stored*>(value.tensor().data);
  for (int i = 0; i < field.size(); ++i) out[i] = static_cast<Stored>(field.Get(i));
}

/// Packed types keep several elements in each number of int32_data: one byte of them a number.
void CopyPacked(const onnx::TensorProto& proto, Value& value, const std::string& name) {
  if (static_cast<size_t>(proto.int32_data_size()) != value.bytes())
    BadTensor(name, Concat("its shape needs ", value.bytes(), " packed bytes but it holds ", proto.int32_data_size()));
  auto* out = static_cast<uint8_t*>(value.tensor().data);
  for (int i = 0; i < proto.int32_data_size(); ++i) out[i] = static_cast<uint8_t>(proto.int32_data(i));
}

void CopyFields(const onnx::TensorProto& proto, Value& value, const std::string& name) {
  switch (value.type()) {
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT:
      return CopyField<float>(proto.float_data(), value, 1, name);
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_COMPLEX64:
      return CopyField<float>(proto.float_data(), value, 2, name);
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE:
      return CopyField<double>(proto.double_data(), value, 1, name);
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_COMPLEX128:
      return CopyField<double>(proto.double_data(), value, 2, name);
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64:
      return CopyField<int64_t>(proto.int64_data(), value, 1, name);
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT64:
      return CopyField<uint64_t>(proto.uint64_data(), value, 1, name);
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT32:
      return CopyField<uint32_t>(proto.uint64_data(), value, 1, name);
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32:
      return CopyField<int32_t>(proto.int32_data(), value, 1, name);
    default:
      break;
  }
  switch (ElementBits(value.type())) {
    case 16:
      return CopyField<uint16_t>(proto.int32_data(), value, 1, name);
    case 8:
      return CopyField<uint8_t>(proto.int32_data(), value, 1, name);
    case 4:
    case 2:
      return CopyPacked(proto, value, name);
    default:
      BadTensor(name, Concat("elements of type ", proto.data_type(), " are not supported"));
  }
}

bool Aligned(const char* data, ElementType type) {
  const size_t bytes = std::max<size_t>(ElementBits(type) / 8, 1);
  return reinterpret_cast<uintptr_t>(data) % std::min<size_t>(bytes, 8) == 0;
}

/// Elements and bytes of a tensor of that shape.
std::pair<size_t, size_t> SizeOf(ElementType type, const std::vector<int64_t>& dims, const std::string& name) {
  try {
    const size_t count = ElementCount(dims.data(), dims.size());
    return {count, TensorBytes(type, count)};
  } catch (const Error& error) {
    BadTensor(name, error.what());
  }
}

}  // namespace

ElementType FromOnnxType(int onnx_type) {
  return onnx_type >= 0 && static_cast<size_t>(onnx_type) < std::size(kFromOnnx)
             ? kFromOnnx[onnx_type]
             : ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
}

int ToOnnxType(ElementType type) {
  for (size_t i = 0; i < std::size(kFromOnnx); ++i)
    if (kFromOnnx[i] == type) return static_cast<int>(i);
  return 0;
}

Value TensorReader::CopyOf(std::string_view original, ElementType type, const std::vector<int64_t>& dims) const {
  const auto known = copies_.find(original.data());
  if (known != copies_.end() && known->second.bytes() == original.size()) {
    Value same;
    same.ShareTensor(type, dims.data(), dims.size(), known->second);
    return same;
  }
  Value copy = Value::CpuTensor(type, dims.data(), dims.size());
  if (file_ != nullptr)
    file_->Copy(original.data(), copy.tensor().data, original.size());
  else
    std::memcpy(copy.tensor().data, original.data(), original.size());
  copies_.insert_or_assign(original.data(), copy);
  return copy;
}

TensorReader::Result TensorReader::ReadExternal(const onnx::TensorProto& proto, ElementType type,
                                                const std::vector<int64_t>& dims, size_t bytes,
                                                const std::string& name) const {
  if (type == ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING) BadTensor(name, "text cannot lie in an external file");
  auto external = std::make_shared<ExternalInitializerInfo>();
  uint64_t offset = 0;
  uint64_t length = bytes;
  for (const auto& entry : proto.external_data()) {
    const auto number = [&]() -> uint64_t {
      uint64_t value = 0;
      const char* const end = entry.value().data() + entry.value().size();
      const auto [rest, error] = std::from_chars(entry.value().data(), end, value);
      if (error != std::errc() || rest != end)
        BadTensor(name, Concat("its external data has ", entry.key(), " '", entry.value(), "', which is no number"));
      return value;
    };
    if (entry.key() == "location") external->file = entry.value();
    if (entry.key() == "offset") offset = number();
    if (entry.key() == "length") length = number();
  }
  if (length != bytes)
    BadTensor(name, Concat("its external data has ", length, " bytes but its type and shape need ", bytes));
  if (offset > static_cast<uint64_t>(INT64_MAX)) BadTensor(name, "its external data has an impossible offset");
  external->offset = static_cast<int64_t>(offset);
  external->bytes = bytes;
  const ExternalFiles::Range range = files_.Read(external->file.string(), offset, bytes, name);
  Result result;
  result.external = std::move(external);
  if (range.file != nullptr && !files_.copies() && Aligned(range.data, type)) {
    result.value = std::make_shared<const Value>(
        Value::View(type, dims.data(), dims.size(), const_cast<char*>(range.data),  // NOLINT: constants are only read
                    CpuMemoryInfo(), range.file));
    return result;
  }
  Value copy = Value::CpuTensor(type, dims.data(), dims.size());
  if (range.file != nullptr)
    range.file->Copy(range.data, copy.tensor().data, bytes);
  else if (bytes != 0)
    std::memcpy(copy.tensor().data, range.data, bytes);
  result.value = std::make_shared<const Value>(std::move(copy));
  return result;
}

TensorReader::Result TensorReader::Read(const onnx::TensorProto& proto, const std::string& name) const {
  const ElementType type = FromOnnxType(proto.data_type());
  if (type == ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED)
    BadTensor(name, Concat("its element type ", proto.data_type(), " is not known"));
  const std::vector<int64_t> dims(proto.dims().begin(), proto.dims().end());
  if (dims.size() > kMaxRank) BadTensor(name, Concat("its rank is ", dims.size(), ", more than ", kMaxRank));
  for (const int64_t dim : dims)
    if (dim < 0) BadTensor(name, Concat("its dimension ", dim, " is negative"));
  const auto [count, bytes] = SizeOf(type, dims, name);
  if (proto.data_location() == onnx::TensorProto::EXTERNAL) return ReadExternal(proto, type, dims, bytes, name);
  Result result;
  if (type == ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING) {
    if (static_cast<size_t>(proto.string_data_size()) != count)
      BadTensor(name, Concat("its shape needs ", count, " strings but it holds ", proto.string_data_size()));
    Value texts = Value::CpuTensor(type, dims.data(), dims.size());
    for (size_t i = 0; i < count; ++i) texts.strings()[i] = proto.string_data(static_cast<int>(i));
    result.value = std::make_shared<const Value>(std::move(texts));
    return result;
  }
  if (proto.has_raw_data()) {
    const std::string_view raw(proto.raw_data());
    const auto original = stripped_ == nullptr ? std::nullopt : stripped_->Find(raw);
    const std::string_view data = original.value_or(raw);
    if (data.size() != bytes)
      BadTensor(name, Concat("its type and shape ", ShapeText(dims.data(), dims.size()), " need ", bytes,
                             " bytes but it holds ", data.size()));
    if (original) {
      result.value = std::make_shared<const Value>(CopyOf(data, type, dims));
      return result;
    }
    Value copy = Value::CpuTensor(type, dims.data(), dims.size());
    if (bytes != 0) std::memcpy(copy.tensor().data, data.data(), bytes);
    result.value = std::make_shared<const Value>(std::move(copy));
    return result;
  }
  // Nothing is allocated before it is known that the data is there.
  size_t held = 0;
  for (const int numbers : {proto.float_data_size(), proto.double_data_size(), proto.int32_data_size(),
                            proto.int64_data_size(), proto.uint64_data_size()})
    held += static_cast<size_t>(numbers);
  if (count > held * 8) BadTensor(name, Concat("its shape needs ", count, " elements but it holds ", held, " numbers"));
  Value copy = Value::CpuTensor(type, dims.data(), dims.size());
  CopyFields(proto, copy, name);
  result.value = std::make_shared<const Value>(std::move(copy));
  return result;
}

std::shared_ptr<const Value> TensorReader::ReadSparse(const onnx::SparseTensorProto& proto,
                                                      const std::string& name) const {
  const std::shared_ptr<const Value> values = Read(proto.values(), name).value;
  const std::shared_ptr<const Value> indices = Read(proto.indices(), name + " (indices)").value;
  const std::vector<int64_t> dims(proto.dims().begin(), proto.dims().end());
  const size_t element = ElementBits(values->type()) / 8;
  if (values->IsString() || element == 0) BadTensor(name, "a sparse tensor must hold numbers");
  // Memory follows what the model holds, not what it declares; pruned weights hold far more than this part of their
  // size.
  constexpr size_t kDensePerHeld = 4096;
  const size_t held = values->bytes() + indices->bytes();
  const auto [count, bytes] = SizeOf(values->type(), dims, name);
  if (bytes / kDensePerHeld > held) {
    if (bytes > dense_left_)
      BadTensor(name, Concat("its shape ", ShapeText(dims.data(), dims.size()), " is out of proportion to the ", held,
                             " bytes that it holds: made dense, all such tensors of a model may have ", kMostDense,
                             " bytes together"));
    dense_left_ -= bytes;
  }
  const OrtrunTensor& index = indices->tensor();
  const size_t given = values->tensor().count;
  const bool linear = index.rank == 1;
  if (index.type != ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64 || index.count != given * (linear ? 1 : dims.size()))
    BadTensor(name, Concat("it has ", given, " values but indices of shape ", ShapeText(index.shape, index.rank)));
  Value dense = Value::CpuTensor(values->type(), dims.data(), dims.size());
  std::memset(dense.tensor().data, 0, dense.bytes());
  const auto* positions = static_cast<const int64_t*>(index.data);
  for (size_t i = 0; i < given; ++i) {
    int64_t at = 0;
    if (linear) {
      at = positions[i];
    } else {
      for (size_t axis = 0; axis < dims.size(); ++axis) {
        const int64_t position = positions[i * dims.size() + axis];
        if (position < 0 || position >= dims[axis])
          BadTensor(name, Concat("index ", position, " is outside its shape"));
        at = at * dims[axis] + position;
      }
    }
    if (at < 0 || static_cast<size_t>(at) >= count) BadTensor(name, Concat("index ", at, " is outside its shape"));
    std::memcpy(static_cast<char*>(dense.tensor().data) + static_cast<size_t>(at) * element,
                static_cast<const char*>(values->tensor().data) + i * element, element);
  }
  return std::make_shared<const Value>(std::move(dense));
}

namespace {

void ReadShape(const onnx::TensorShapeProto& proto, TensorType& tensor) {
  tensor.has_shape = true;
  for (const auto& dim : proto.dim()) {
    tensor.dims.push_back(dim.has_dim_value() && dim.dim_value() >= 0 ? dim.dim_value() : -1);
    tensor.symbols.push_back(dim.has_dim_param() ? dim.dim_param() : "");
  }
}

TypeInfo ReadTypeAt(const onnx::TypeProto& proto, int depth) {
  constexpr int kMaxDepth = 32;
  if (depth > kMaxDepth) throw Error(ORT_INVALID_GRAPH, Concat("a type nests more than ", kMaxDepth, " deep"));
  TypeInfo type;
  type.denotation = proto.denotation();
  switch (proto.value_case()) {
    case onnx::TypeProto::kTensorType:
      type.kind = ONNX_TYPE_TENSOR;
      type.tensor.type = FromOnnxType(proto.tensor_type().elem_type());
      if (proto.tensor_type().has_shape()) ReadShape(proto.tensor_type().shape(), type.tensor);
      break;
    case onnx::TypeProto::kSparseTensorType:
      type.kind = ONNX_TYPE_SPARSETENSOR;
      type.tensor.type = FromOnnxType(proto.sparse_tensor_type().elem_type());
      if (proto.sparse_tensor_type().has_shape()) ReadShape(proto.sparse_tensor_type().shape(), type.tensor);
      break;
    case onnx::TypeProto::kSequenceType: {
      auto sequence = std::make_shared<OrtSequenceTypeInfo>();
      sequence->element = ReadTypeAt(proto.sequence_type().elem_type(), depth + 1);
      type.kind = ONNX_TYPE_SEQUENCE;
      type.sequence = std::move(sequence);
      break;
    }
    case onnx::TypeProto::kMapType: {
      auto map = std::make_shared<OrtMapTypeInfo>();
      map->key = FromOnnxType(proto.map_type().key_type());
      map->value = ReadTypeAt(proto.map_type().value_type(), depth + 1);
      type.kind = ONNX_TYPE_MAP;
      type.map = std::move(map);
      break;
    }
    case onnx::TypeProto::kOptionalType: {
      auto optional = std::make_shared<OrtOptionalTypeInfo>();
      optional->contained = ReadTypeAt(proto.optional_type().elem_type(), depth + 1);
      type.kind = ONNX_TYPE_OPTIONAL;
      type.optional = std::move(optional);
      break;
    }
    case onnx::TypeProto::kOpaqueType:
      type.kind = ONNX_TYPE_OPAQUE;
      break;
    case onnx::TypeProto::VALUE_NOT_SET:
      break;
  }
  return type;
}

}  // namespace

TypeInfo ReadType(const onnx::TypeProto& proto) { return ReadTypeAt(proto, 0); }

}  // namespace ortrun
