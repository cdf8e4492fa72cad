// SPDX-License-Identifier: Apache-2.0
#pragma once

// Tensors exchanged with other libraries without a copy, by the DLPack protocol. Everything here needs the GIL.

#include <pybind11/pybind11.h>

#include <utility>

#include "python/src/value.h"

namespace ortrun::python {

/// A capsule "dltensor" that keeps the value alive until its taker lets go.
pybind11::object ToDlpack(const ValuePtr& value);

/// From a capsule or an object with __dlpack__. Throws TypeError for anything else.
ValuePtr ValueFromDlpack(pybind11::handle object);

/// (device type, device id) as DLPack numbers them.
std::pair<int, int> DlpackDevice(const OrtValue* tensor);

}  // namespace ortrun::python
