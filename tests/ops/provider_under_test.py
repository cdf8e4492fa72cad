# SPDX-License-Identifier: Apache-2.0
"""The provider that the operator suite runs on.

Two ways, chosen by the environment:
  ORTRUN_OPS_PLUGIN=/path/to/libonnxruntime_providers_x.so   register this library in whatever `import onnxruntime` is
  ORTRUN_OPS_PROVIDER=CPUExecutionProvider                   a provider that the runtime lists by itself (the default)
ORTRUN_OPS_EP_NAME names the provider inside the library when it has several.
"""

import functools
import os

import onnxruntime as ort
from ways import Runner


class NotRegistered(Exception):
    """The provider has no kernel for a node of the model: the case is not selected."""


@functools.cache
def _plugin_devices(library: str) -> tuple:
    before = {d.ep_name for d in ort.get_ep_devices()}
    ort.register_execution_provider_library("provider_under_test", os.path.abspath(library))
    wanted = os.environ.get("ORTRUN_OPS_EP_NAME")
    devices = [d for d in ort.get_ep_devices() if (d.ep_name == wanted if wanted else d.ep_name not in before)]
    if not devices:
        raise RuntimeError(f"{library} offers no device on this machine")
    return tuple(devices[:1])


def session(model: bytes) -> Runner:
    """Sessions in which the provider under test runs every node, see ways.py; NotRegistered when it lacks a kernel."""
    return Runner(model, open_session)


def open_session(model: bytes, level: ort.GraphOptimizationLevel) -> ort.InferenceSession:
    """A session at one level of optimisation; NotRegistered when the provider lacks a kernel."""
    options = ort.SessionOptions()
    options.log_severity_level = 4
    options.graph_optimization_level = level
    library = os.environ.get("ORTRUN_OPS_PLUGIN")
    devices = list(_plugin_devices(library)) if library else []
    try:
        if library:
            options.add_session_config_entry("session.disable_cpu_ep_fallback", "1")
            options.add_provider_for_devices(devices, {})
            return ort.InferenceSession(model, options)
        return ort.InferenceSession(
            model, options, providers=[os.environ.get("ORTRUN_OPS_PROVIDER", "CPUExecutionProvider")]
        )
    except Exception as error:
        text = str(error)
        unknown = (
            "fallback to CPU EP has been explicitly disabled",
            "NOT_IMPLEMENTED",
            "is not a registered function/op",
        )
        if any(part in text for part in unknown):
            raise NotRegistered(text) from error
        raise
