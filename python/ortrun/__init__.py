# SPDX-License-Identifier: Apache-2.0
"""What this runtime tells beyond the interface of ONNX Runtime."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import onnxruntime

try:
    from onnxruntime.capi.onnxruntime_pybind11_state import ortrun_tools as _tools
except ImportError as error:
    raise ImportError(
        f"the module 'onnxruntime' in {os.path.dirname(onnxruntime.__file__)} (version {onnxruntime.__version__}) "
        "belongs to another distribution. To mend it: pip uninstall -y onnxruntime onnxruntime-gpu ortrun, "
        "then pip install ortrun"
    ) from error

if TYPE_CHECKING:
    from collections.abc import Sequence

__version__ = onnxruntime.__version__
__all__ = ["__version__", "counters", "explain", "model_info", "providers"]


def providers() -> list[dict[str, Any]]:
    """Every provider library that was found or registered, usable or not.

    Each has name, registration, version, vendor, file, status ("ready" or "unusable"), reason and devices.
    """
    return json.loads(_tools.list_providers())


def explain(
    model: str | bytes | os.PathLike | onnxruntime.InferenceSession,
    providers: Sequence[Any] | None = None,
    sess_options: onnxruntime.SessionOptions | None = None,
) -> dict[str, Any]:
    """Which provider runs each node, and why no earlier one in the order took it.

    :param model: a path, the bytes of a model, or a session.
    :param providers: as for InferenceSession; not used for a session.
    """
    if isinstance(model, onnxruntime.InferenceSession):
        session = model
    else:
        session = onnxruntime.InferenceSession(model, sess_options, providers=providers)
    return json.loads(_tools.explain_session(session._sess))


def model_info(path: str | os.PathLike) -> dict[str, Any]:
    """Inputs, outputs, operators, opsets, parameters and sizes of a model file, read without making a session."""
    return json.loads(_tools.describe_model(os.fspath(path)))


def counters(session: onnxruntime.InferenceSession) -> dict[str, Any]:
    """Runs, plans, allocations and device copies of a session since it was made."""
    return json.loads(_tools.session_counters(session._sess))
