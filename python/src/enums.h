// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pybind11/pybind11.h>

namespace ortrun::python {

void DefineEnums(pybind11::module_& m);

}  // namespace ortrun::python
