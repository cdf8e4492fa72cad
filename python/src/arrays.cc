// SPDX-License-Identifier: Apache-2.0
#include "python/src/arrays.h"

namespace py = pybind11;

namespace ortrun::python {
namespace {

using Numpy = py::detail::npy_api;

static_assert(sizeof(Py_intptr_t) == sizeof(int64_t));

py::object MakeArray(py::object descr, std::span<const int64_t> shape, void* data) {
  const auto& numpy = Numpy::get();
  PyObject* made = numpy.PyArray_NewFromDescr_(
      numpy.PyArray_Type_, descr.release().ptr(), static_cast<int>(shape.size()),
      reinterpret_cast<const Py_intptr_t*>(shape.data()), nullptr, data,
      data ? Numpy::NPY_ARRAY_C_CONTIGUOUS_ | Numpy::NPY_ARRAY_ALIGNED_ | Numpy::NPY_ARRAY_WRITEABLE_ : 0, nullptr);
  if (made == nullptr) throw py::error_already_set();
  return py::reinterpret_steal<py::object>(made);
}

}  // namespace

py::object PlainArray(py::handle array) {
  if (ArrayView(array.ptr()).plain()) return py::reinterpret_borrow<py::object>(array);
  // The machine's byte order, where the array has the other.
  const py::object descr = py::object(array.attr("dtype")).attr("newbyteorder")("=");
  PyObject* copy = Numpy::get().PyArray_FromAny_(array.ptr(), descr.inc_ref().ptr(), 0, 0,
                                                 Numpy::NPY_ARRAY_C_CONTIGUOUS_ | Numpy::NPY_ARRAY_ALIGNED_, nullptr);
  if (copy == nullptr) throw py::error_already_set();
  return py::reinterpret_steal<py::object>(copy);
}

py::object ArrayOver(py::object descr, std::span<const int64_t> shape, void* data, py::object base) {
  // An empty tensor may have no memory at all; numpy then makes its own.
  if (data == nullptr) return MakeArray(std::move(descr), shape, nullptr);
  auto array = MakeArray(std::move(descr), shape, data);
  if (Numpy::get().PyArray_SetBaseObject_(array.ptr(), base.release().ptr()) != 0) throw py::error_already_set();
  return array;
}

py::object NewArray(py::object descr, std::span<const int64_t> shape) {
  return MakeArray(std::move(descr), shape, nullptr);
}

}  // namespace ortrun::python
