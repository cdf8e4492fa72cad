# SPDX-License-Identifier: Apache-2.0
"""Runs a model in whatever onnxruntime this Python has, and keeps its outputs.

usage: run_model.py MODEL FEEDS.npz OUTPUTS.npz
"""

import sys

import numpy as np
import onnxruntime as ort


def main(model: str, feeds_file: str, outputs_file: str) -> None:
    options = ort.SessionOptions()
    # Above this level it multiplies 4-bit weights with activations that it rounds to 8 bits.
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_BASIC
    session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    outputs = session.run(None, dict(np.load(feeds_file)))
    np.savez(outputs_file, **{str(place): output for place, output in enumerate(outputs)})
    print(ort.__version__)


if __name__ == "__main__":
    main(*sys.argv[1:])
