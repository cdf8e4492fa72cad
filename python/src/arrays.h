// SPDX-License-Identifier: Apache-2.0
#pragma once

// numpy arrays, touched directly. Everything here needs the GIL.

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <cstdint>
#include <span>

#include "python/src/element_types.h"

namespace ortrun::python {

inline bool IsArray(PyObject* object) { return pybind11::detail::npy_api::get().PyArray_Check_(object); }

/// A view of an array that lives; `array` must be one.
class ArrayView {
 public:
  explicit ArrayView(PyObject* array) : proxy_(pybind11::detail::array_proxy(array)) {}

  void* data() const { return proxy_->data; }
  PyObject* descr() const { return proxy_->descr; }
  int type_number() const { return pybind11::detail::array_descriptor_proxy(proxy_->descr)->type_num; }
  std::span<const int64_t> shape() const {
    static_assert(sizeof(*proxy_->dimensions) == sizeof(int64_t));
    return {reinterpret_cast<const int64_t*>(proxy_->dimensions), static_cast<size_t>(proxy_->nd)};
  }
  /// Whether the memory is what the runtime reads: row-major, aligned, in the machine's byte order.
  bool plain() const {
    constexpr int kWanted =
        pybind11::detail::npy_api::NPY_ARRAY_C_CONTIGUOUS_ | pybind11::detail::npy_api::NPY_ARRAY_ALIGNED_;
    return (proxy_->flags & kWanted) == kWanted &&
           pybind11::detail::array_descriptor_proxy(proxy_->descr)->byteorder != '>';
  }

  bool writable() const { return (proxy_->flags & pybind11::detail::npy_api::NPY_ARRAY_WRITEABLE_) != 0; }

 private:
  const pybind11::detail::PyArray_Proxy* proxy_;
};

/// The array itself when it is plain, else a copy that is.
pybind11::object PlainArray(pybind11::handle array);

/// A new array over `data`, which `base` keeps alive; takes the reference `descr`.
pybind11::object ArrayOver(pybind11::object descr, std::span<const int64_t> shape, void* data, pybind11::object base);

/// A new array that owns its memory.
pybind11::object NewArray(pybind11::object descr, std::span<const int64_t> shape);

}  // namespace ortrun::python
