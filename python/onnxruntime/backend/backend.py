# SPDX-License-Identifier: Apache-2.0
"""ONNX's backend interface over InferenceSession."""

from __future__ import annotations

import os
import unittest
from typing import Any

from onnx import ModelProto, helper
from onnx.backend.base import Backend
from onnx.checker import check_model

from onnxruntime import InferenceSession, SessionOptions, get_available_providers, get_device
from onnxruntime.backend.backend_rep import OnnxRuntimeBackendRep, set_permitted

# Options that a test may set; those that write files are left out.
PERMITTED_SESSION_OPTIONS = frozenset(
    {
        "enable_cpu_mem_arena",
        "enable_mem_pattern",
        "enable_mem_reuse",
        "execution_mode",
        "execution_order",
        "graph_optimization_level",
        "inter_op_num_threads",
        "intra_op_num_threads",
        "log_severity_level",
        "log_verbosity_level",
        "logid",
        "use_deterministic_compute",
        "use_per_session_threads",
    }
)


class OnnxRuntimeBackend(Backend):
    """Prepares and runs models for programs that switch between runtimes, such as ONNX's own tests."""

    allowReleasedOpsetsOnly = os.environ.get("ALLOW_RELEASED_ONNX_OPSET_ONLY", "1") == "1"

    @classmethod
    def supports_device(cls, device: str) -> bool:
        """Whether models can run on the device ('CPU', 'GPU' or 'CUDA')."""
        wanted = "GPU" if device == "CUDA" else device
        return wanted == "CPU" or wanted in get_device().split("-")

    @classmethod
    def is_compatible(cls, model: Any, device: str | None = None, **kwargs: Any) -> bool:
        """Whether the device is supported; the model is not looked at."""
        return cls.supports_device(get_device() if device is None else device)

    @classmethod
    def is_opset_supported(cls, model: ModelProto) -> tuple[bool, str]:
        """(False, why) for a model that uses an operator set which ONNX has not released."""
        if not cls.allowReleasedOpsetsOnly:
            return True, ""
        for opset in model.opset_import:
            domain = opset.domain or "ai.onnx"
            if (domain, opset.version) not in helper.OP_SET_ID_VERSION_MAP:
                return False, (
                    f"Version {opset.version} of domain '{domain}' is not released. "
                    "Set ALLOW_RELEASED_ONNX_OPSET_ONLY=0 to run it."
                )
        return True, ""

    @classmethod
    def _session(cls, model: str | bytes, device: str | None, options: dict[str, Any]) -> InferenceSession:
        if device is not None and not cls.supports_device(device):
            raise RuntimeError(f"Incompatible device expected '{device}', got '{get_device()}'")
        sess_options = SessionOptions()
        only_released = "1" if cls.allowReleasedOpsetsOnly else "0"
        sess_options.add_session_config_entry("session.allow_released_opsets_only", only_released)
        set_permitted(sess_options, options, PERMITTED_SESSION_OPTIONS)
        excluded = os.environ.get("ORT_ONNX_BACKEND_EXCLUDE_PROVIDERS", "").split(",")
        providers = [name for name in get_available_providers() if name not in excluded]
        session = InferenceSession(model, sess_options=sess_options, providers=providers)
        session.disable_fallback()  # a test must see the failure
        return session

    @classmethod
    def prepare(cls, model: Any, device: str | None = None, **kwargs: Any) -> OnnxRuntimeBackendRep:
        """Makes a session.

        :param model: a path, the bytes of a model, a ModelProto, an InferenceSession or what prepare() gave.
        :param device: the device it must run on; None for any.
        :param kwargs: settings of SessionOptions.
        """
        if isinstance(model, OnnxRuntimeBackendRep):
            return model
        if isinstance(model, InferenceSession):
            return OnnxRuntimeBackendRep(model)
        if isinstance(model, (str, bytes)):
            return OnnxRuntimeBackendRep(cls._session(model, device, kwargs))
        data = model.SerializeToString()
        check_model(data)
        supported, reason = cls.is_opset_supported(model)
        if not supported:
            raise unittest.SkipTest(reason)
        return OnnxRuntimeBackendRep(cls._session(data, device, kwargs))

    @classmethod
    def run_model(cls, model: Any, inputs: Any, device: str | None = None, **kwargs: Any) -> list[Any]:
        """Prepares a model and runs it once."""
        return cls.prepare(model, device, **kwargs).run(inputs, **kwargs)

    @classmethod
    def run_node(
        cls, node: Any, inputs: Any, device: str | None = None, outputs_info: Any = None, **kwargs: Any
    ) -> Any:
        """Not offered: make a model of the node."""
        raise NotImplementedError("It is much more efficient to run a whole model than every node independently.")


is_compatible = OnnxRuntimeBackend.is_compatible
prepare = OnnxRuntimeBackend.prepare
run = OnnxRuntimeBackend.run_model
supports_device = OnnxRuntimeBackend.supports_device
