# SPDX-License-Identifier: Apache-2.0
"""Runs a model in whatever onnxruntime this Python has: on its own CPU provider and on a provider library registered
with it. Prints as JSON which provider took how many nodes, and by how much the outputs differ.

usage: other_host.py LIBRARY MODEL FEEDS.npz
"""

import json
import sys

import numpy as np
import onnxruntime as ort

REGISTRATION = "library_of_another"


def difference(got: np.ndarray, expected: np.ndarray) -> float:
    """The largest difference, relative to the largest value where that is above 1."""
    return float(np.abs(got - expected).max() / max(1.0, np.abs(expected).max()))


def run_on(devices: list, model: str, feeds: dict) -> tuple[list, dict[str, int]]:
    """The outputs, and how many nodes each provider took. The session is gone at the end: its library may go."""
    options = ort.SessionOptions()
    options.add_session_config_entry("session.record_ep_graph_assignment_info", "1")
    options.add_provider_for_devices(devices, {})
    session = ort.InferenceSession(model, options)
    nodes: dict[str, int] = {}
    for part in session.get_provider_graph_assignment_info():
        nodes[part.ep_name] = nodes.get(part.ep_name, 0) + len(part.get_nodes())
    return session.run(None, feeds), nodes


def main(library: str, model: str, feeds_file: str) -> None:
    feeds = dict(np.load(feeds_file))
    expected = ort.InferenceSession(model, providers=["CPUExecutionProvider"]).run(None, feeds)
    known = {device.ep_name for device in ort.get_ep_devices()}
    ort.register_execution_provider_library(REGISTRATION, library)
    devices = [device for device in ort.get_ep_devices() if device.ep_name not in known]
    names = [device.ep_name for device in devices]
    got, nodes = run_on(devices[:1], model, feeds)
    del devices
    ort.unregister_execution_provider_library(REGISTRATION)
    largest = max(difference(g, e) for g, e in zip(got, expected, strict=True))
    print(json.dumps({"version": ort.__version__, "devices": names, "nodes": nodes, "difference": largest}))


if __name__ == "__main__":
    main(*sys.argv[1:])
