// SPDX-License-Identifier: Apache-2.0
#include "python/src/sparse.h"

#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include "python/src/arrays.h"
#include "python/src/devices.h"

namespace py = pybind11;

namespace ortrun::python {
namespace {

using Shape = std::vector<int64_t>;
using Indices64 = py::array_t<int64_t, py::array::c_style | py::array::forcecast>;
using Indices32 = py::array_t<int32_t, py::array::c_style | py::array::forcecast>;

// A view of the indices of one format; the tensor they belong to stays alive with it.
struct CooView {
  ValuePtr value;
};
struct CsrView {
  ValuePtr value;
};
struct BlockSparseView {
  ValuePtr value;
};

size_t Count(const py::array& array) { return static_cast<size_t>(array.size()); }

void RequireCpu(const Device& device) {
  if (!device.is_cpu()) throw std::runtime_error("sparse tensors are made of arrays, which are on the cpu");
}

std::vector<std::string> Texts(const py::array& values) {
  std::vector<std::string> texts;
  for (const py::handle text : py::list(values.attr("ravel")().attr("tolist")())) {
    texts.push_back(py::str(text).cast<std::string>());
  }
  return texts;
}

// The tensor with its values; `fill` is called instead for strings, which are copied together with their indices.
template <typename Fill, typename Use>
SparseTensor MakeSparse(const Shape& dense_shape, const py::array& given, const py::tuple& owners, Fill fill, Use use) {
  const py::object values = PlainArray(given);
  const ArrayView view(values.ptr());
  const ElementType element = FromNumpy(view.descr());
  ElementCount(dense_shape);  // throws for what cannot be
  if (element == ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING) {
    auto made = Make<OrtValue>(Api().CreateSparseTensorAsOrtValue, CpuAllocator(), dense_shape.data(),
                               dense_shape.size(), element);
    const std::vector<std::string> texts = Texts(given);
    std::vector<const char*> pointers;
    for (const std::string& text : texts) pointers.push_back(text.c_str());
    Check(fill(made.get(), view.shape(), pointers.data()));
    return {std::make_shared<Value>(std::move(made))};
  }
  if (element == ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED) {
    throw std::runtime_error("numpy type " + py::str(given.dtype()).cast<std::string>() + " has no ONNX element type");
  }
  auto made = Make<OrtValue>(Api().CreateSparseTensorWithValuesAsOrtValue, CpuMemory(), view.data(), dense_shape.data(),
                             dense_shape.size(), view.shape().data(), view.shape().size(), element);
  Check(use(made.get()));
  return {std::make_shared<Value>(std::move(made), py::make_tuple(values, owners))};
}

SparseTensor FromCoo(const Shape& dense_shape, const py::array& values, const Indices64& indices,
                     const Device& device) {
  RequireCpu(device);
  if (values.ndim() != 1) {
    throw std::runtime_error("the values of a COO tensor are one-dimensional, not " + std::to_string(values.ndim()) +
                             "-dimensional");
  }
  const size_t count = Count(indices);
  if (count != Count(values) && count != 2 * Count(values)) {
    throw std::runtime_error("a COO tensor with " + std::to_string(Count(values)) +
                             " values needs as many indices or twice as many, not " + std::to_string(count));
  }
  auto* data = const_cast<int64_t*>(indices.data());
  return MakeSparse(
      dense_shape, values, py::make_tuple(indices),
      [&](OrtValue* value, std::span<const int64_t> shape, const void* texts) {
        return Api().FillSparseTensorCoo(value, CpuMemory(), shape.data(), shape.size(), texts, data, count);
      },
      [&](OrtValue* value) { return Api().UseCooIndices(value, data, count); });
}

SparseTensor FromCsr(const Shape& dense_shape, const py::array& values, const Indices64& inner, const Indices64& outer,
                     const Device& device) {
  RequireCpu(device);
  if (dense_shape.size() != 2) throw std::runtime_error("a CSR tensor has rows and columns, its shape two dimensions");
  if (Count(inner) != Count(values) || Count(outer) != static_cast<size_t>(dense_shape[0]) + 1) {
    throw std::runtime_error(
        "a CSR tensor needs an inner index for each value and an outer index for each row and one "
        "more; got " +
        std::to_string(Count(values)) + " values, " + std::to_string(Count(inner)) + " inner and " +
        std::to_string(Count(outer)) + " outer indices");
  }
  auto* inner_data = const_cast<int64_t*>(inner.data());
  auto* outer_data = const_cast<int64_t*>(outer.data());
  return MakeSparse(
      dense_shape, values, py::make_tuple(inner, outer),
      [&](OrtValue* value, std::span<const int64_t> shape, const void* texts) {
        return Api().FillSparseTensorCsr(value, CpuMemory(), shape.data(), shape.size(), texts, inner_data,
                                         Count(inner), outer_data, Count(outer));
      },
      [&](OrtValue* value) { return Api().UseCsrIndices(value, inner_data, Count(inner), outer_data, Count(outer)); });
}

SparseTensor FromBlocks(const Shape& dense_shape, const py::array& values, const Indices32& indices,
                        const Device& device) {
  RequireCpu(device);
  const Shape index_shape(indices.shape(), indices.shape() + indices.ndim());
  auto* data = const_cast<int32_t*>(indices.data());
  return MakeSparse(
      dense_shape, values, py::make_tuple(indices),
      [&](OrtValue* value, std::span<const int64_t> shape, const void* texts) {
        return Api().FillSparseTensorBlockSparse(value, CpuMemory(), shape.data(), shape.size(), texts,
                                                 index_shape.data(), index_shape.size(), data);
      },
      [&](OrtValue* value) {
        return Api().UseBlockSparseIndices(value, index_shape.data(), index_shape.size(), data);
      });
}

OrtSparseFormat FormatOf(const SparseTensor& tensor) {
  OrtSparseFormat format = ORT_SPARSE_UNDEFINED;
  Check(Api().GetSparseTensorFormat(tensor.value->get(), &format));
  return format;
}

Shape ShapeOf(const OrtTensorTypeAndShapeInfo* info) {
  size_t rank = 0;
  Check(Api().GetDimensionsCount(info, &rank));
  Shape shape(rank);
  Check(Api().GetDimensions(info, shape.data(), rank));
  return shape;
}

py::object Indices(const ValuePtr& value, OrtSparseIndicesFormat format) {
  const OrtValue* raw = value->get();
  const auto info = Make<OrtTensorTypeAndShapeInfo>(Api().GetSparseTensorIndicesTypeShape, raw, format);
  ElementType element = ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
  Check(Api().GetTensorElementType(info.get(), &element));
  size_t count = 0;
  const void* data = nullptr;
  Check(Api().GetSparseTensorIndices(raw, format, &count, &data));
  return ArrayOver(NumpyDescr(element), ShapeOf(info.get()), const_cast<void*>(data), py::cast(value));
}

py::object Values(const SparseTensor& tensor) {
  const OrtValue* raw = tensor.value->get();
  const auto info = Make<OrtTensorTypeAndShapeInfo>(Api().GetSparseTensorValuesTypeAndShape, raw);
  ElementType element = ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
  Check(Api().GetTensorElementType(info.get(), &element));
  const Shape shape = ShapeOf(info.get());
  if (element == ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING) {
    size_t bytes = 0;
    Check(Api().GetStringTensorDataLength(raw, &bytes));
    const size_t count = ElementCount(shape);
    std::string content(bytes, '\0');
    std::vector<size_t> offsets(count + 1, bytes);
    Check(Api().GetStringTensorContent(raw, content.data(), bytes, offsets.data(), count));
    py::list texts;
    for (size_t i = 0; i < count; ++i) texts.append(py::str(content.data() + offsets[i], offsets[i + 1] - offsets[i]));
    return py::module_::import("numpy").attr("array")(texts, py::str("O"));
  }
  const void* data = nullptr;
  Check(Api().GetSparseTensorValues(raw, &data));
  return ArrayOver(NumpyDescr(element), shape, const_cast<void*>(data), py::cast(tensor.value));
}

template <typename View>
View ViewAs(const SparseTensor& tensor, OrtSparseFormat format, const char* name) {
  if (FormatOf(tensor) != format) {
    throw std::runtime_error(std::string("this sparse tensor is not in the format ") + name + "; see format()");
  }
  return View{tensor.value};
}

void DefineViews(py::module_& m) {
  py::class_<CooView>(m, "SparseCooView", "The indices of a sparse tensor in COO format.")
      .def("indices", [](const CooView& self) { return Indices(self.value, ORT_SPARSE_COO_INDICES); });
  py::class_<CsrView>(m, "SparseCsrView", "The indices of a sparse tensor in CSR format.")
      .def("inner", [](const CsrView& self) { return Indices(self.value, ORT_SPARSE_CSR_INNER_INDICES); })
      .def("outer", [](const CsrView& self) { return Indices(self.value, ORT_SPARSE_CSR_OUTER_INDICES); });
  py::class_<BlockSparseView>(m, "SparseBlockSparseView", "The indices of a sparse tensor in block format.")
      .def("indices", [](const BlockSparseView& self) { return Indices(self.value, ORT_SPARSE_BLOCK_SPARSE_INDICES); });
}

}  // namespace

ValueType SparseType(const OrtValue* value) { return ReadType(Make<OrtTypeInfo>(Api().GetTypeInfo, value).get()); }

void DefineSparseTensor(py::module_& m) {
  DefineViews(m);
  py::class_<SparseTensor>(m, "SparseTensor", "A tensor of which only some elements are stored.")
      .def_static("sparse_coo_from_numpy", &FromCoo)
      .def_static("sparse_csr_from_numpy", &FromCsr)
      .def_static("blocksparse_from_numpy", &FromBlocks)
      .def("format", &FormatOf)
      .def("values", &Values)
      .def("dense_shape", [](const SparseTensor& self) { return SparseType(self.value->get()).shape; })
      .def("data_type", [](const SparseTensor& self) { return SparseType(self.value->get()).Text(); })
      .def("device_name", [](const SparseTensor&) { return "cpu"; })
      .def("get_coo_data", [](const SparseTensor& self) { return ViewAs<CooView>(self, ORT_SPARSE_COO, "COO"); })
      .def("get_csrc_data", [](const SparseTensor& self) { return ViewAs<CsrView>(self, ORT_SPARSE_CSRC, "CSR"); })
      .def("get_blocksparse_data",
           [](const SparseTensor& self) {
             return ViewAs<BlockSparseView>(self, ORT_SPARSE_BLOCK_SPARSE, "block sparse");
           })
      .def("to_cuda", [](const SparseTensor&, const Device& device) -> SparseTensor {
        throw std::runtime_error("no provider of this process takes a sparse tensor to device " + DeviceName(device));
      });
  py::object value_class = m.attr("OrtValue");
  value_class.attr("ort_value_from_sparse_tensor") = py::staticmethod(py::cpp_function(
      [](const SparseTensor& tensor) { return tensor.value; }, py::name("ort_value_from_sparse_tensor")));
  value_class.attr("as_sparse_tensor") = py::cpp_function(
      [](const ValuePtr& self) {
        if (KindOf(self->get()) != ONNX_TYPE_SPARSETENSOR) {
          throw std::runtime_error("this OrtValue holds no sparse tensor; see data_type()");
        }
        return SparseTensor{self};
      },
      py::is_method(value_class), py::name("as_sparse_tensor"));
}

}  // namespace ortrun::python
