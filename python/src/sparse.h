// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pybind11/pybind11.h>

#include "python/src/value.h"

namespace ortrun::python {

/// What Python calls C.SparseTensor: a value that holds a sparse tensor.
struct SparseTensor {
  ValuePtr value;
};

/// Dense shape and element type of a sparse tensor.
ValueType SparseType(const OrtValue* value);

void DefineSparseTensor(pybind11::module_& m);

}  // namespace ortrun::python
