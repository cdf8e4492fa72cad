# SPDX-License-Identifier: Apache-2.0
"""Which runtime `import onnxruntime` is: the tests of this folder run on ONNX Runtime too."""

from onnxruntime.capi import onnxruntime_pybind11_state

OURS = hasattr(onnxruntime_pybind11_state, "ortrun_tools")
