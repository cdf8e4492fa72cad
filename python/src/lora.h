// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pybind11/pybind11.h>

#include "python/src/api.h"

namespace ortrun::python {

/// Parameters of a low-rank adapter, read from a file; runs that name it in their RunOptions use them.
class LoraAdapter {
 public:
  void Load(const std::string& path) {
    adapter_ = Make<OrtLoraAdapter>(Api().CreateLoraAdapter, path.c_str(), static_cast<OrtAllocator*>(nullptr));
  }
  const OrtLoraAdapter* get() const {
    if (adapter_ == nullptr) throw std::runtime_error("this LoraAdapter is empty; call Load(path) first");
    return adapter_.get();
  }

 private:
  Owned<OrtLoraAdapter> adapter_;
};

inline void DefineLoraAdapter(pybind11::module_& m) {
  pybind11::class_<LoraAdapter>(m, "LoraAdapter", "Parameters of a low-rank adapter.")
      .def(pybind11::init())
      .def("Load", &LoraAdapter::Load, "Reads the adapter from a file.");
}

}  // namespace ortrun::python
