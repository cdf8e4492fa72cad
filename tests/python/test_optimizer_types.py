# SPDX-License-Identifier: Apache-2.0
"""Each pass in each element type that its patterns allow.

It rewrites where the provider has a kernel for the result, not where it has none or where somebody else reads what would
go, and the values are those of the formula.
"""

import dataclasses

import ml_dtypes
import numpy as np
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper, numpy_helper, parser

CPU = ["CPUExecutionProvider"]
LEVELS = ort.GraphOptimizationLevel
pytestmark = pytest.mark.ours

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
TOLERANCE = {"float": 2e-5, "double": 1e-12, "float16": 1e-2, "bfloat16": 6e-2}


@dataclasses.dataclass
class Pattern:
    """A graph that a pass rewrites: nodes from `inputs` (shapes by name) to y, and what y is."""

    optimizer: str
    nodes: str
    inputs: dict
    y: str  # the shape, as onnx's text has it
    want: object  # from the inputs and weights, in float64 or the integer type itself
    fires: tuple  # types in which the pass rewrites
    not_in: tuple = ()  # types in which it must leave the nodes alone
    inner: str = ""  # a value that goes; where it is an output of the graph the pass must not rewrite
    weights: dict = dataclasses.field(default_factory=dict)  # shapes of random ones, or values
    plain: dict = dataclasses.field(default_factory=dict)  # integer tensors: shapes, axes
    opset: int = 18
    least: float = -1.0  # of random inputs and weights


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def erf(x):
    from math import erf as one

    return np.vectorize(one)(x)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def normalised(x, epsilon, centred=True):
    d = x - x.mean(-1, keepdims=True) if centred else x
    return d / np.sqrt((d * d).mean(-1, keepdims=True) + epsilon)


def heads(x, count):
    return x.reshape(*x.shape[:2], count, -1).swapaxes(1, 2)


def rotated(x, cos, sin):
    half = x.shape[-1] // 2
    c, s = np.concatenate([cos, cos], -1)[:, None], np.concatenate([sin, sin], -1)[:, None]
    return x * c + np.concatenate([-x[..., half:], x[..., :half]], -1) * s


XW = {"inputs": {"x": (3, 8)}, "y": "[N,5]"}
XWS = {"inputs": {"x": (2, 3, 8)}, "y": "[N,S,5]"}
LAYER = (
    "m = ReduceMean <keepdims = 1> (x, last) d = Sub(x, m) p = Mul(d, d) v = ReduceMean <keepdims = 1> (p, last) "
    "e = Add(v, eps) r = Sqrt(e) n = Div(d, r) s = Mul(n, g) y = Add(s, b)"
)
EPS = 2.0**-17
ATTENTION = (
    "kt = Transpose <perm = [0,1,3,2]> (k) s = MatMul(q, kt) t = Mul(s, c) p = Softmax <axis = -1> (t) y = MatMul(p, v)"
)
QKV = dict.fromkeys("qkv", (2, 2, 4, 8))

PATTERNS = {
    "bias": Pattern(
        "matmul_fusion",
        "p = MatMul(x, w) y = Add(p, b)",
        **XWS,
        want=lambda x, w, b: x @ w + b,
        fires=EVERY,
        inner="p",
        weights={"w": (8, 5), "b": (5,)},
    ),
    "relu": Pattern(
        "matmul_fusion",
        "p = MatMul(x, w) y = Relu(p)",
        **XW,
        want=lambda x, w: np.maximum(x @ w, 0),
        fires=(*FLOATS, *SIGNED),
        inner="p",
        weights={"w": (8, 5)},
    ),
    "clip": Pattern(
        "matmul_fusion",
        "p = MatMul(x, w) a = Add(b, p) y = Clip(a, low, high)",
        **XW,
        want=lambda x, w, b, low, high: np.clip(x @ w + b, low, high),
        fires=EVERY,
        inner="a",
        weights={"w": (8, 5), "b": (1, 5), "low": 1, "high": 3},
    ),
    "sigmoid": Pattern(
        "matmul_fusion",
        "p = MatMul(x, w) y = Sigmoid(p)",
        **XW,
        want=lambda x, w: sigmoid(x @ w),
        fires=FLOATS,
        inner="p",
        weights={"w": (8, 5)},
    ),
    "silu": Pattern(
        "matmul_fusion",
        "p = MatMul(x, w) s = Sigmoid(p) y = Mul(p, s)",
        **XW,
        want=lambda x, w: (x @ w) * sigmoid(x @ w),
        fires=FLOATS,
        inner="s",
        weights={"w": (8, 5)},
    ),
    "residual": Pattern(
        "matmul_fusion",
        "p = MatMul(x, w) a = Add(p, b) r = Relu(a) y = Add(r, z)",
        {"x": (2, 3, 8), "z": (2, 3, 5)},
        "[N,S,5]",
        want=lambda x, z, w, b: np.maximum(x @ w + b, 0) + z,
        fires=(*FLOATS, *SIGNED),
        weights={"w": (8, 5), "b": (5,)},
    ),
    "transposed": Pattern(
        "matmul_fusion",
        "t = Transpose <perm = [0,2,1]> (x) p = MatMul(t, w) y = Add(z, p)",
        {"x": (2, 8, 3), "z": (2, 3, 5)},
        "[N,S,5]",
        want=lambda x, z, w: x.swapaxes(1, 2) @ w + z,
        fires=EVERY,
        weights={"w": (8, 5)},
    ),
    "gemm": Pattern(
        "matmul_fusion",
        "g = Gemm <transB = 1> (x, w, b) y = Add(g, z)",
        {"x": (3, 8), "z": (3, 5)},
        "[N,5]",
        want=lambda x, z, w, b: x @ w.T + b + z,
        fires=EVERY,
        weights={"w": (5, 8), "b": (5,)},
    ),
    "gemm_of_one": Pattern(
        "matmul_fusion",
        "y = Gemm(x, w, b)",
        **XW,
        want=lambda x, w, b: x @ w + b,
        fires=EVERY,
        weights={"w": (8, 5), "b": 2},
    ),
    "scale": Pattern(
        "matmul_fusion",
        "p = MatMul(x, w) y = Mul(p, k)",
        **XW,
        want=lambda x, w, k: (x @ w) * k,
        fires=FLOATS,
        not_in=(*SIGNED, *UNSIGNED),
        inner="p",
        weights={"w": (8, 5), "k": 2},
    ),
    "scale_of_double": Pattern(
        "matmul_fusion",
        "p = MatMul(x, w) y = Mul(p, k)",
        **XW,
        want=lambda x, w, k: (x @ w) * k,
        fires=("float", *HALVES),
        not_in=("double",),
        weights={"w": (8, 5), "k": 0.1},
    ),
    "gelu": Pattern(
        "gelu_fusion",
        "d = Div(x, root) e = Erf(d) a = Add(e, one) m = Mul(x, a) y = Mul(m, half)",
        {"x": (3, 8)},
        "[N,8]",
        want=lambda x, root, one, half: x * (1 + erf(x / 2**0.5)) / 2,
        fires=FLOATS,
        inner="a",
        weights={"root": 2**0.5, "one": 1, "half": 0.5},
    ),
    "gelu_by_another_constant": Pattern(
        "gelu_fusion",
        "d = Div(x, root) e = Erf(d) a = Add(e, one) m = Mul(x, a) y = Mul(m, half)",
        {"x": (3, 8)},
        "[N,8]",
        want=lambda x, root, one, half: x * (1 + erf(x / 1.5)) / 2,
        fires=(),
        not_in=FLOATS,
        weights={"root": 1.5, "one": 1, "half": 0.5},
    ),
    "layer_normalization": Pattern(
        "layer_normalization_fusion",
        LAYER,
        {"x": (2, 3, 16)},
        "[N,S,16]",
        want=lambda x, eps, g, b: normalised(x, EPS) * g + b,
        fires=FLOATS,
        inner="n",
        weights={"eps": EPS, "g": (16,), "b": (16,)},
        plain={"last": [-1]},
    ),
    "layer_normalization_of_double": Pattern(
        "layer_normalization_fusion",
        LAYER,
        {"x": (2, 3, 16)},
        "[N,S,16]",
        want=lambda x, eps, g, b: normalised(x, 1e-5) * g + b,
        fires=("float",),
        not_in=("double",),
        weights={"eps": 1e-5, "g": (16,), "b": (16,)},
        plain={"last": [-1]},
    ),
    "rms_normalization": Pattern(
        "simplified_layer_normalization_fusion",
        "s = Mul(x, x) m = ReduceMean <keepdims = 1> (s, last) e = Add(m, eps) r = Sqrt(e) n = Div(x, r) y = Mul(n, g)",
        {"x": (2, 3, 16)},
        "[N,S,16]",
        want=lambda x, eps, g: normalised(x, EPS, False) * g,
        fires=FLOATS,
        inner="n",
        weights={"eps": EPS, "g": (16,)},
        plain={"last": [-1]},
    ),
    "skip_normalization": Pattern(
        "skip_normalization_fusion",
        "s = Add(x, z) y = LayerNormalization <axis = -1> (s, g, b)",
        {"x": (2, 3, 16), "z": (2, 3, 16)},
        "[N,S,16]",
        want=lambda x, z, g, b: normalised(x + z, 1e-5) * g + b,
        fires=("float", *HALVES),
        not_in=("double",),
        weights={"g": (16,), "b": (16,)},
    ),
    "attention": Pattern(
        "attention_fusion",
        ATTENTION,
        QKV,
        "[N,2,L,8]",
        want=lambda q, k, v, c: softmax(q @ k.swapaxes(2, 3) * c) @ v,
        fires=FLOATS,
        inner="p",
        weights={"c": 0.25},
    ),
    "attention_of_double": Pattern(
        "attention_fusion",
        ATTENTION,
        QKV,
        "[N,2,L,8]",
        want=lambda q, k, v, c: softmax(q @ k.swapaxes(2, 3) * c) @ v,
        fires=("float",),
        not_in=("double",),
        weights={"c": 8**-0.5},
    ),
    "quick_gelu": Pattern(
        "activation_forms",
        "s = Mul(x, a) g = Sigmoid(s) y = Mul(x, g)",
        {"x": (3, 8)},
        "[N,8]",
        want=lambda x, a: x * sigmoid(a * x),
        fires=FLOATS,
        inner="g",
        weights={"a": 1.75},
    ),
    "hard_swish": Pattern(
        "activation_forms",
        "a = Add(x, three) c = Clip(a, zero, six) m = Mul(x, c) y = Div(m, six)",
        {"x": (3, 8)},
        "[N,8]",
        want=lambda x, three, zero, six: x * np.clip(x + 3, 0, 6) / 6,
        fires=FLOATS,
        inner="c",
        weights={"three": 3, "zero": 0, "six": 6},
    ),
    "convolution": Pattern(
        "convolution_fusion",
        "c = Conv(x, w, b) y = Relu(c)",
        {"x": (2, 3, 4, 4)},
        "[N,4,4,4]",
        want=lambda x, w, b: np.maximum(np.einsum("nchw,oc->nohw", x, w[:, :, 0, 0]) + b[:, None, None], 0),
        fires=("float",),
        not_in=("double",),
        inner="c",
        weights={"w": (4, 3, 1, 1), "b": (4,)},
    ),
    "chain": Pattern(
        "elementwise_chains",
        "a = Exp(x) b = Add(a, z) y = Sqrt(b)",
        {"x": (3, 8), "z": (3, 8)},
        "[N,8]",
        want=lambda x, z: np.sqrt(np.exp(x) + z),
        fires=("float",),
        inner="",
        least=0.0,
    ),
    "rotary": Pattern(
        "rotary_embedding_fusion",
        "c2 = Concat <axis = -1> (cos, cos) s2 = Concat <axis = -1> (sin, sin) c = Unsqueeze(c2, one) "
        "s = Unsqueeze(s2, one) low = Slice(x, zero, half, last) high = Slice(x, half, size, last) minus = Neg(high) "
        "turned = Concat <axis = -1> (minus, low) a = Mul(x, c) b = Mul(turned, s) y = Add(a, b)",
        {"x": (2, 2, 3, 8), "cos": (2, 3, 4), "sin": (2, 3, 4)},
        "[N,2,S,8]",
        want=rotated,
        fires=("float", *HALVES),
        inner="turned",
        plain={"zero": [0], "one": [1], "half": [4], "size": [8], "last": [3]},
    ),
    "product_splitting": Pattern(
        "product_splitting",
        "p = MatMul(x, w) y, r = Split <axis = -1> (p, parts)",
        {"x": (3, 8)},
        "[N,64]",
        want=lambda x, w: (x @ w)[:, :64],
        fires=("float",),
        not_in=("double", "float16"),
        inner="p",
        weights={"w": (8, 192)},
        plain={"parts": [64, 128]},
    ),
    "matmul_scaling": Pattern(
        "matmul_scaling",
        "p = MatMul(x, w) a = Add(p, b) y = Mul(a, k)",
        **XW,
        want=lambda x, w, b, k: (x @ w + b) * k,
        fires=("float",),
        not_in=("double", "float16", "int32"),
        inner="a",
        weights={"w": (8, 5), "b": (5,), "k": (5,)},
    ),
    "convolution_scaling": Pattern(
        "convolution_scaling",
        "c = Conv(x, w) y = Mul(c, k)",
        {"x": (2, 3, 4, 4)},
        "[N,4,4,4]",
        want=lambda x, w, k: np.einsum("nchw,oc->nohw", x, w[:, :, 0, 0]) * k,
        fires=("float",),
        not_in=("double",),
        inner="c",
        weights={"w": (4, 3, 1, 1), "k": (4, 1, 1)},
    ),
    "channels_last": Pattern(
        "channels_last",
        "c = Conv(x, w) d = Conv(c, v) y = Conv(d, v)",
        {"x": (1, 3, 8, 8)},
        "[N,4,8,8]",
        want=lambda x, w, v: np.einsum("nchw,oc,po,qp->nqhw", x, w[:, :, 0, 0], v[:, :, 0, 0], v[:, :, 0, 0]),
        fires=("float",),
        not_in=("double",),
        weights={"w": (4, 3, 1, 1), "v": (4, 4, 1, 1)},
    ),
    "global_pooling": Pattern(
        "global_pooling",
        "y = ReduceMean <keepdims = 1> (x, axes)",
        {"x": (2, 3, 4, 4)},
        "[N,3,1,1]",
        want=lambda x: x.mean((2, 3), keepdims=True),
        fires=("float", "double"),
        not_in=SIGNED,
        plain={"axes": [2, 3]},
    ),
    "pad": Pattern(
        "pad_into_convolution",
        "p = Pad(x, pads) y = Conv(p, w)",
        {"x": (2, 3, 4, 4)},
        "[N,4,6,6]",
        want=lambda x, w: np.einsum("nchw,oc->nohw", np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1))), w[:, :, 0, 0]),
        fires=("float", "double"),
        weights={"w": (4, 3, 1, 1)},
        plain={"pads": [0, 0, 1, 1, 0, 0, 1, 1]},
    ),
    "transposes": Pattern(
        "transpose_merging",
        "a = Transpose <perm = [1,0,2]> (x) y = Transpose <perm = [1,2,0]> (a)",
        {"x": (2, 3, 4)},
        "[N,4,3]",
        want=lambda x: x.swapaxes(1, 2),
        fires=EVERY,
    ),
    "reshapes": Pattern(
        "reshape_merging",
        "a = Unsqueeze(x, one) y = Reshape(a, shape)",
        {"x": (2, 3, 4)},
        "[N,12]",
        want=lambda x: x.reshape(2, 12),
        fires=EVERY,
        inner="a",
        plain={"one": [1], "shape": [-1, 12]},
    ),
    "batched_transpose": Pattern(
        "batched_transpose",
        "a = Reshape(x, flat) t = Transpose <perm = [0,2,1]> (a) y = Reshape(t, back)",
        {"x": (2, 3, 4, 5)},
        "[2,3,5,4]",
        want=lambda x: x.swapaxes(2, 3),
        fires=EVERY,
        inner="t",
        plain={"flat": [-1, 4, 5], "back": [2, 3, 5, 4]},
    ),
    "packed_projection": Pattern(
        "packed_projection_split",
        "a = Reshape(x, shape) t = Transpose <perm = [2,0,3,1,4]> (a) y = Gather <axis = 0> (t, one)",
        {"x": (2, 3, 24)},
        "[N,2,S,4]",
        want=lambda x: heads(x[..., 8:16], 2),
        fires=EVERY,
        inner="t",
        plain={"shape": [0, 0, 3, 2, 4], "one": 1},
    ),
    "common": Pattern(
        "common_subexpressions",
        "a = Add(x, x) b = Add(x, x) y = Add(a, b)",
        {"x": (3, 4)},
        "[N,4]",
        want=lambda x: x * 4,
        fires=EVERY,
    ),
    "identity": Pattern(
        "identity_removal",
        "a = Identity(x) y = Add(a, x)",
        {"x": (3, 4)},
        "[N,4]",
        want=lambda x: x + x,
        fires=EVERY,
        inner="a",
    ),
    "folding": Pattern(
        "constant_folding",
        "a = Add(w, w) y = Add(a, x)",
        {"x": (3, 4)},
        "[N,4]",
        want=lambda x, w: x + 2 * w,
        fires=EVERY,
        inner="a",
        weights={"w": (4,)},
    ),
    "times_one": Pattern(
        "algebra",
        "a = Mul(x, one) b = Div(a, one) y = Add(b, x)",
        {"x": (3, 4)},
        "[N,4]",
        want=lambda x, one: x + x,
        fires=EVERY,
        weights={"one": 1},
    ),
    "by_eight": Pattern(
        "algebra",
        "y = Div(x, eight)",
        {"x": (3, 4)},
        "[N,4]",
        want=lambda x, eight: x / eight if x.dtype == np.float64 else np.fix(x / 8).astype(x.dtype),
        fires=FLOATS,
        not_in=(*SIGNED, *UNSIGNED),
        weights={"eight": 8},
    ),
}
# The first axes have names, so that nothing is known of their length.
NAMES = {"x": "N", "z": "N", "q": "N", "k": "N", "v": "N", "cos": "N", "sin": "N"}


def made(pattern, kind, also_output=""):
    """The bytes of the model, its feed, and its inputs and weights as the formula takes them."""
    rng = np.random.default_rng(7)
    dtype = DTYPES[kind]

    def draw(shape):
        if kind in FLOATS:
            return rng.uniform(pattern.least, 1, shape).astype(dtype)
        return rng.integers(0 if kind in UNSIGNED else -4, 5, shape).astype(dtype)

    def declared(name, shape):
        dims = [str(dim) for dim in shape]
        dims[0] = NAMES.get(name, dims[0])
        if len(dims) == 3:
            dims[1 if name not in ("x",) or shape[1] != 8 else 2] = "S"
        if len(dims) == 4 and shape[2] in (3,):
            dims[2] = "S"
        if name in "qkv":
            dims[2] = "L"
        return "[" + ",".join(dims) + "]"

    values = {name: draw(shape) for name, shape in pattern.inputs.items()}
    weights = {
        name: draw(what) if isinstance(what, tuple) else np.array(what, dtype) for name, what in pattern.weights.items()
    }
    outside = "float" if kind == "bfloat16" else kind
    mark = "_outside" if kind == "bfloat16" else ""
    inputs = ", ".join(f"{outside}{declared(name, shape)} {name}{mark}" for name, shape in pattern.inputs.items())
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


def rewritten(model, only, capfd):
    """A session with one pass alone, and how often that rewrote."""
    every = ort.SessionOptions()
    every.log_severity_level = 0
    capfd.readouterr()
    ort.InferenceSession(model, every, providers=CPU)
    names = passes(capfd)
    alone = ort.SessionOptions()
    alone.log_severity_level = 0
    session = ort.InferenceSession(model, alone, providers=CPU, disabled_optimizers=list(names - {only}))
    return session, counts(capfd).get(only, 0)


def counts(capfd):
    import re

    found = {}
    for name, count in re.findall(r"pass (\w+): (\d+) rewrites", capfd.readouterr().err):
        found[name] = found.get(name, 0) + int(count)
    return found


def passes(capfd):
    return set(counts(capfd))


def check(got, want, kind, what):
    if kind in FLOATS:
        np.testing.assert_allclose(
            got.astype(np.float64), want, rtol=TOLERANCE[kind], atol=TOLERANCE[kind], err_msg=what
        )
    else:
        np.testing.assert_array_equal(got, want, err_msg=what)


CASES = [(name, kind, True) for name, one in PATTERNS.items() for kind in one.fires]
CASES += [(name, kind, False) for name, one in PATTERNS.items() for kind in one.not_in]


@pytest.mark.parametrize(("name", "kind", "fires"), CASES)
def test_fires_where_there_is_a_kernel(name, kind, fires, capfd):
    pattern = PATTERNS[name]
    model, feed, arguments = made(pattern, kind)
    alone, count = rewritten(model, pattern.optimizer, capfd)
    assert (count > 0) == fires, f"{count} rewrites"
    options = ort.SessionOptions()
    options.graph_optimization_level = LEVELS.ORT_DISABLE_ALL
    want = pattern.want(**arguments)
    for session, what in (
        (ort.InferenceSession(model, options, providers=CPU), "not optimised"),
        (alone, f"{pattern.optimizer} alone"),
        (ort.InferenceSession(model, providers=CPU), "all passes"),
    ):
        for _ in range(2):
            check(session.run(None, feed)[0], want, kind, what)


@pytest.mark.parametrize("name", [name for name, one in PATTERNS.items() if one.inner])
def test_what_somebody_reads_stays(name, capfd):
    pattern = PATTERNS[name]
    kind = (pattern.fires or pattern.not_in)[0]
    model, feed, arguments = made(pattern, kind, also_output=pattern.inner)
    session, count = rewritten(model, pattern.optimizer, capfd)
    assert count == 0 or name in ("identity", "folding", "reshapes"), "the value is an output of the graph"
    y, inner = session.run(None, feed)
    check(y, pattern.want(**arguments), kind, "y")
    options = ort.SessionOptions()
    options.graph_optimization_level = LEVELS.ORT_DISABLE_ALL
    plain = ort.InferenceSession(model, options, providers=CPU).run(None, feed)[1]
    check(inner, plain.astype(np.float64) if kind in FLOATS else plain, kind, "the inner value")
