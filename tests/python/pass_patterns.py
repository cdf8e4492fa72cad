# SPDX-License-Identifier: Apache-2.0
"""Graphs that passes rewrite, in any element type, with the formula of their result."""

import dataclasses

import ml_dtypes
import numpy as np
from onnx import TensorProto, helper, numpy_helper, parser

DTYPES = {
    "float": np.float32,
    "double": np.float64,
    "float16": np.float16,
    "bfloat16": ml_dtypes.bfloat16,
    "int32": np.int32,
    "int64": np.int64,
    "uint32": np.uint32,
    "uint64": np.uint64,
}
FLOATS = ("float", "double", "float16", "bfloat16")
SIGNED = ("int32", "int64")
UNSIGNED = ("uint32", "uint64")
HALVES = ("float16", "bfloat16")
EVERY = (*FLOATS, *SIGNED, *UNSIGNED)


SIZES = {"N": 2, "S": 3, "L": 4}  # of the named dimensions


@dataclasses.dataclass
class Pattern:
    """A graph that a pass rewrites: nodes from inputs to y, and what y is."""

    optimizer: str
    nodes: str
    inputs: dict  # shapes by name, as onnx's text has them
    y: str  # the shape
    want: object  # from the inputs and weights, in float64 or the integer type itself
    fires: tuple  # types in which the pass rewrites
    not_in: tuple = ()  # types in which it must leave the nodes alone
    inner: str = ""  # a value that goes; where it is an output of the graph the pass must not rewrite
    weights: dict = dataclasses.field(default_factory=dict)  # shapes of random ones, or values
    plain: dict = dataclasses.field(default_factory=dict)  # integer tensors: shapes, axes
    opset: int = 18
    least: float = -1.0  # of random inputs and weights


def made(pattern, kind, also_output=""):
    """The bytes of the model, its feed, and its inputs and weights as the formula takes them."""
    rng = np.random.default_rng(7)
    dtype = DTYPES[kind]

    def draw(shape):
        if kind in FLOATS:
            return rng.uniform(pattern.least, 1, shape).astype(dtype)
        return rng.integers(0 if kind in UNSIGNED else -4, 5, shape).astype(dtype)

    def sized(shape):
        return tuple(SIZES[dim] if dim in SIZES else int(dim) for dim in shape.split(","))

    values = {name: draw(sized(shape)) for name, shape in pattern.inputs.items()}
    weights = {
        name: draw(what) if isinstance(what, tuple) else np.array(what, dtype) for name, what in pattern.weights.items()
    }
    outside = "float" if kind == "bfloat16" else kind
    mark = "_outside" if kind == "bfloat16" else ""
    inputs = ", ".join(f"{outside}[{shape}] {name}{mark}" for name, shape in pattern.inputs.items())
    nodes = pattern.nodes
    if mark:
        casts = " ".join(f"{name} = Cast <to = 16> ({name}{mark})" for name in pattern.inputs)
        nodes = f"{casts} {nodes} y{mark} = Cast <to = 1> (y)"
    more = f", {kind}[] {also_output}" if also_output else ""
    model = parser.parse_model(
        f'<ir_version: 9, opset_import: ["": {pattern.opset}]> '
        f"g ({inputs}) => ({outside}{pattern.y} y{mark}{more}) {{ {nodes} }}"
    )
    if also_output:
        model.graph.output[1].CopyFrom(helper.make_tensor_value_info(also_output, TensorProto.UNDEFINED, None))
        model.graph.output[1].type.tensor_type.elem_type = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    for name, value in weights.items():
        model.graph.initializer.append(numpy_helper.from_array(value, name))
    for name, value in pattern.plain.items():
        model.graph.initializer.append(numpy_helper.from_array(np.array(value, np.int64), name))
    feed = {name + mark: value.astype(np.float32) if mark else value for name, value in values.items()}
    exact = np.float64 if kind in FLOATS else dtype
    arguments = {name: value.astype(exact) for name, value in (values | weights).items()}
    return model.SerializeToString(), feed, arguments
