// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pybind11/pybind11.h>

namespace ortrun::python {

/// What ortrun/tools.h offers, for the `ortrun` package: functions that answer JSON texts.
void DefineTools(pybind11::module_& m);

}  // namespace ortrun::python
