# SPDX-License-Identifier: Apache-2.0
"""Runs ONNX models. The interface is that of ONNX Runtime's Python package."""

from __future__ import annotations

import os as _os
from typing import Any

from onnxruntime.capi import _clash, onnxruntime_validation
from onnxruntime.capi import onnxruntime_pybind11_state as _state

_clash.warn_about_clash(_os.path.dirname(__file__), _os.path.basename(_state.__file__))

from onnxruntime.capi.onnxruntime_inference_collection import (  # noqa: E402
    InferenceSession,
    IOBinding,
    OrtDevice,
    OrtDeviceVendorId,
    OrtValue,
    SparseTensor,
    copy_tensors,
)
from onnxruntime.capi.onnxruntime_pybind11_state import (  # noqa: E402
    ExecutionMode,
    ExecutionOrder,
    GraphOptimizationLevel,
    LoraAdapter,
    ModelMetadata,
    NodeArg,
    OrtAllocatorType,
    OrtArenaCfg,
    OrtCompileApiFlags,
    OrtDeviceMemoryType,
    OrtEpAssignedNode,
    OrtEpAssignedSubgraph,
    OrtEpDevice,
    OrtExecutionProviderDevicePolicy,
    OrtHardwareDevice,
    OrtHardwareDeviceType,
    OrtMemoryInfo,
    OrtMemoryInfoDeviceType,
    OrtMemType,
    OrtSparseFormat,
    OrtSyncStream,
    RunOptions,
    SessionIOBinding,
    SessionOptions,
    create_and_register_allocator,
    create_and_register_allocator_v2,
    disable_telemetry_events,
    enable_telemetry_events,
    get_all_providers,
    get_available_providers,
    get_build_info,
    get_device,
    get_ep_devices,
    get_version_string,
    has_collective_ops,
    register_execution_provider_library,
    set_default_logger_callback,
    set_default_logger_severity,
    set_default_logger_verbosity,
    set_global_thread_pool_sizes,
    set_seed,
    unregister_execution_provider_library,
)

package_name, version, cuda_version = onnxruntime_validation.get_package_name_and_version_info()
__version__ = version
import_capi_exception = None

__all__ = [
    "ExecutionMode",
    "ExecutionOrder",
    "GraphOptimizationLevel",
    "IOBinding",
    "InferenceSession",
    "LoraAdapter",
    "ModelMetadata",
    "NodeArg",
    "OrtAllocatorType",
    "OrtArenaCfg",
    "OrtCompileApiFlags",
    "OrtDevice",
    "OrtDeviceMemoryType",
    "OrtDeviceVendorId",
    "OrtEpAssignedNode",
    "OrtEpAssignedSubgraph",
    "OrtEpDevice",
    "OrtExecutionProviderDevicePolicy",
    "OrtHardwareDevice",
    "OrtHardwareDeviceType",
    "OrtMemType",
    "OrtMemoryInfo",
    "OrtMemoryInfoDeviceType",
    "OrtSparseFormat",
    "OrtSyncStream",
    "OrtValue",
    "RunOptions",
    "SessionIOBinding",
    "SessionOptions",
    "SparseTensor",
    "__version__",
    "copy_tensors",
    "create_and_register_allocator",
    "create_and_register_allocator_v2",
    "cuda_version",
    "disable_telemetry_events",
    "enable_telemetry_events",
    "get_all_providers",
    "get_available_providers",
    "get_build_info",
    "get_device",
    "get_ep_devices",
    "get_version_string",
    "has_collective_ops",
    "package_name",
    "preload_dlls",
    "print_debug_info",
    "register_execution_provider_library",
    "set_default_logger_callback",
    "set_default_logger_severity",
    "set_default_logger_verbosity",
    "set_global_thread_pool_sizes",
    "set_seed",
    "unregister_execution_provider_library",
    "version",
]


def preload_dlls(cuda: bool = True, cudnn: bool = True, msvc: bool = True, directory: str | None = None) -> None:
    """Kept for programs that call it: each provider finds the libraries it needs by itself."""


def print_debug_info() -> None:
    """Prints what a report of a problem should contain."""
    import platform
    import sys

    facts: dict[str, Any] = {
        "onnxruntime": __version__,
        "runtime": f"{get_version_string()} {_state.ortrun_tools.runtime_path()}",
        "build": get_build_info(),
        "python": sys.version.replace("\n", " "),
        "platform": platform.platform(),
        "providers": ", ".join(get_available_providers()),
    }
    for name, fact in facts.items():
        print(f"{name}: {fact}")
    for device in get_ep_devices():
        kind = device.device.type.name
        print(f"device: {device.ep_name} on {kind} {device.device.vendor} ({device.device.vendor_id:#06x})")
