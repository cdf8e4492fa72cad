# SPDX-License-Identifier: Apache-2.0
"""Decoders as exporters spell them: optimised and unoptimised sessions agree, and what should be fused is."""

from __future__ import annotations

from collections import Counter

import numpy as np
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper, numpy_helper

CPU = ["CPUExecutionProvider"]
LOWEST = float(np.finfo(np.float32).min)
#: batch, past, sequence
SIZES = [(1, 0, 1), (1, 0, 5), (2, 3, 1), (2, 0, 4), (3, 2, 3), (1, 5, 3), (2, 7, 1)]
HEADS, SIZE = 4, 8
WIDTH = HEADS * SIZE


class Graph:
    """Nodes with names made up; every call gives the name of its (first) output."""

    def __init__(self) -> None:
        self.nodes: list = []
        self.constants: list = []
        self.random = np.random.default_rng(7)

    def constant(self, array) -> str:
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(array), name))
        return name

    def ints(self, *numbers: int) -> str:
        return self.constant(np.array(numbers, np.int64))

    def number(self, value: float) -> str:
        return self.constant(np.float32(value))

    def weight(self, *shape: int) -> str:
        return self.constant(self.random.normal(0, 0.3, shape).astype(np.float32))

    def __call__(self, op: str, *inputs: str, output: str | None = None, outputs: int = 1, **attributes):
        names = [output or f"v{len(self.nodes)}_{i}" for i in range(outputs)]
        self.nodes.append(helper.make_node(op, inputs, names, name=f"n{len(self.nodes)}", **attributes))
        return names[0] if outputs == 1 else names

    def dim(self, value: str, axis: int) -> str:
        """One dimension as a tensor of shape [1]."""
        index = self.constant(np.int64(axis))
        return self("Unsqueeze", self("Gather", self("Shape", value), index), self.ints(0))

    def reshape(self, value: str, like: str, *rest: int) -> str:
        """To [batch, length of `like`, *rest], spelled by its shape."""
        dims = [self.dim(like, 0), self.dim(like, 1), *[self.ints(n) for n in rest]]
        return self("Reshape", value, self("Concat", *dims, axis=0))

    def heads(self, value: str, like: str, count: int) -> str:
        return self("Transpose", self.reshape(value, like, count, SIZE), perm=[0, 2, 1, 3])

    def model(self, inputs, outputs) -> bytes:
        given, made = ([helper.make_tensor_value_info(*info) for info in infos] for infos in (inputs, outputs))
        graph = helper.make_graph(self.nodes, "decoder", given, made, self.constants)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()


def sessions(model: bytes) -> tuple[ort.InferenceSession, ort.InferenceSession]:
    plain = ort.SessionOptions()
    plain.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    return ort.InferenceSession(model, providers=CPU), ort.InferenceSession(model, plain, providers=CPU)


def check(model: bytes, feeds) -> None:
    optimised, plain = sessions(model)
    for feed in feeds:
        for have, want in zip(optimised.run(None, feed), plain.run(None, feed)):
            assert have.shape == want.shape
            np.testing.assert_allclose(have, want, rtol=1e-4, atol=1e-5)


def operators(model: bytes, tmp_path) -> Counter:
    ortrun = pytest.importorskip("ortrun")
    path = tmp_path / "model.onnx"
    path.write_bytes(model)
    return Counter(node["op"] for node in ortrun.explain(path)["nodes"])


def past_and_present(layers: int, heads: int):
    names = [f"{i}.{part}" for i in range(layers) for part in ("key", "value")]
    past = [(f"past.{n}", TensorProto.FLOAT, ["batch", heads, "past", SIZE]) for n in names]
    present = [(f"present.{n}", TensorProto.FLOAT, ["batch", heads, "total", SIZE]) for n in names]
    return past, present


def decoder_feed(batch: int, past: int, length: int, layers: int, heads: int, *, masked: bool) -> dict[str, np.ndarray]:
    random = np.random.default_rng(past * 100 + length)
    mask = np.ones((batch, past + length), np.int64)
    if masked and batch > 1:
        mask[1, : (past + length) // 2] = 0
    feed = {"x": random.normal(0, 1, (batch, length, WIDTH)).astype(np.float32), "attention_mask": mask}
    for name, _, _ in past_and_present(layers, heads)[0]:
        feed[name] = random.normal(0, 1, (batch, heads, past, SIZE)).astype(np.float32)
    return feed


def causal(g: Graph, table: str, query: str, key: str, *, ends: str | None = None) -> str:
    """Rows [T-S, T) and columns [0, T) of a constant table, by the shapes of queries and keys."""
    total = g("Slice", g("Shape", key), g.ints(-2), g.ints(-1), g.ints(0))
    length = g("Slice", g("Shape", query), g.ints(-2), g.ints(-1), g.ints(0))
    start = g("Unsqueeze", g("Sub", g("Squeeze", total, g.ints(0)), g("Squeeze", length, g.ints(0))), g.ints(0))
    rows = g("Slice", table, start, total, g.ints(2), g.ints(1))
    return g("Slice", rows, g.ints(0), total, g.ints(3), g.ints(1))


def gemm(g: Graph, x: str, like: str, columns: int, rows: int = WIDTH) -> str:
    """A dense layer as Gemm over [tokens, width] between two reshapes."""
    flat = g("Reshape", x, g.ints(-1, rows))
    return g.reshape(g("Gemm", flat, g.weight(rows, columns), g.weight(columns)), like, columns)


def gpt2(layers: int = 2, places: int = 8) -> bytes:
    g = Graph()
    far = g("Unsqueeze", g("Unsqueeze", "attention_mask", g.ints(1)), g.ints(2))
    far = g("Sub", g.number(1), g("Cast", far, to=TensorProto.FLOAT))
    padding = g("Mul", far, g.number(LOWEST))
    x = "x"
    for layer in range(layers):
        normal = g("LayerNormalization", x, g.weight(WIDTH), g.weight(WIDTH))
        packed = gemm(g, normal, x, 3 * WIDTH)
        q, k, v = [
            g.heads(part, x, HEADS) for part in g("Split", packed, g.ints(WIDTH, WIDTH, WIDTH), outputs=3, axis=2)
        ]
        key = g("Concat", f"past.{layer}.key", k, axis=-2, output=f"present.{layer}.key")
        value = g("Concat", f"past.{layer}.value", v, axis=-2, output=f"present.{layer}.value")
        scores = g("Div", g("MatMul", q, g("Transpose", key, perm=[0, 1, 3, 2])), g.number(SIZE**0.5))
        table = g.constant(np.tril(np.ones((1, 1, places, places), bool)))
        scores = g("Where", causal(g, table, q, key), scores, g.number(LOWEST))
        weights = g("Softmax", g("Add", scores, padding), axis=-1)
        joined = g("Transpose", g("MatMul", weights, value), perm=[0, 2, 1, 3])
        x = g("Add", gemm(g, g.reshape(joined, x, WIDTH), x, WIDTH), x)
        normal = g("LayerNormalization", x, g.weight(WIDTH), g.weight(WIDTH))
        wide = gemm(g, normal, x, 2 * WIDTH)
        x = g("Add", x, gemm(g, g("Tanh", wide), x, WIDTH, 2 * WIDTH))
    g("Identity", x, output="y")
    past, present = past_and_present(layers, HEADS)
    inputs = [
        ("x", TensorProto.FLOAT, ["batch", "seq", WIDTH]),
        ("attention_mask", TensorProto.INT64, ["batch", "total"]),
    ]
    return g.model(inputs + past, [("y", TensorProto.FLOAT, ["batch", "seq", WIDTH]), *present])


@pytest.mark.parametrize("masked", [False, True])
def test_gpt2(masked):
    check(gpt2(), [decoder_feed(*sizes, 2, HEADS, masked=masked) for sizes in SIZES])


@pytest.mark.ours
def test_gpt2_is_fused(tmp_path):
    found = operators(gpt2(), tmp_path)
    assert found["Attention"] == 2 and found["Softmax"] == 0
    assert found["Where"] == 1, "all layers share one mask"
    assert found["FusedMatMul"] == 8 and found["Gemm"] == 0
    assert found["Transpose"] == 0 and found["Add"] <= 3, (
        "the attention takes in heads and past, products the residuals"
    )


def rotated(g: Graph, x: str, cosines: str, sines: str) -> str:
    first = g("Slice", x, g.ints(0), g.ints(SIZE // 2), g.ints(3), g.ints(1))
    second = g("Slice", x, g.ints(SIZE // 2), g.ints(np.iinfo(np.int64).max), g.ints(3), g.ints(1))
    turned = g("Concat", g("Neg", second), first, axis=-1)
    return g("Add", g("Mul", x, cosines), g("Mul", turned, sines))


def repeated(g: Graph, x: str, groups: int) -> str:
    """[batch, groups, length, size] with every group as often as there are heads to it."""
    count = g.ints(HEADS // groups)
    dims = [g.dim(x, 0), g.ints(groups), count, g.dim(x, 2), g.ints(SIZE)]
    many = g("Expand", g("Unsqueeze", x, g.ints(2)), g("Concat", *dims, axis=0))
    return g("Reshape", many, g("Concat", g.dim(x, 0), g.ints(HEADS), g.dim(x, 2), g.ints(SIZE), axis=0))


def rms(g: Graph, x: str) -> str:
    mean = g("ReduceMean", g("Pow", x, g.number(2)), axes=[-1], keepdims=1)
    root = g("Sqrt", g("Add", mean, g.number(1e-5)))
    return g("Mul", g.weight(WIDTH), g("Mul", x, g("Div", g.number(1), root)))


def llama(layers: int = 2, groups: int = 2) -> bytes:
    g = Graph()
    places = g("Cast", g("Unsqueeze", "position_ids", g.ints(2)), to=TensorProto.FLOAT)
    angles = g("Mul", places, g.constant(np.geomspace(1, 0.01, SIZE // 2, dtype=np.float32)))
    angles = g("Concat", angles, angles, axis=-1)
    cosines, sines = (g("Unsqueeze", g(op, angles), g.ints(1)) for op in ("Cos", "Sin"))
    length = g("Gather", g("Shape", "attention_mask"), g.constant(np.int64(1)))
    keys = g("Unsqueeze", g("Range", g.constant(np.int64(0)), length, g.constant(np.int64(1))), g.ints(0, 1, 2))
    later = g("Greater", keys, g("Unsqueeze", "position_ids", g.ints(1, 3)))
    hidden = g("Equal", g("Unsqueeze", "attention_mask", g.ints(1, 2)), g.constant(np.int64(0)))
    mask = g("Mul", g("Cast", g("Or", later, hidden), to=TensorProto.FLOAT), g.number(-1e9))
    x = "x"
    for layer in range(layers):
        normal = rms(g, x)
        q, k, v = [
            g.heads(g("MatMul", normal, g.weight(WIDTH, heads * SIZE)), normal, heads)
            for heads in (HEADS, groups, groups)
        ]
        q, k = rotated(g, q, cosines, sines), rotated(g, k, cosines, sines)
        key = g("Concat", f"past.{layer}.key", k, axis=2, output=f"present.{layer}.key")
        value = g("Concat", f"past.{layer}.value", v, axis=2, output=f"present.{layer}.value")
        key, value = repeated(g, key, groups), repeated(g, value, groups)
        scores = g("Mul", g("MatMul", q, g("Transpose", key, perm=[0, 1, 3, 2])), g.number(SIZE**-0.5))
        weights = g("Softmax", g("Add", scores, mask), axis=-1)
        joined = g("Transpose", g("MatMul", weights, value), perm=[0, 2, 1, 3])
        x = g("Add", x, g("MatMul", g.reshape(joined, normal, WIDTH), g.weight(WIDTH, WIDTH)))
        normal = rms(g, x)
        gate = g("MatMul", normal, g.weight(WIDTH, 2 * WIDTH))
        gate = g("Mul", gate, g("Sigmoid", gate))
        wide = g("Mul", gate, g("MatMul", normal, g.weight(WIDTH, 2 * WIDTH)))
        x = g("Add", x, g("MatMul", wide, g.weight(2 * WIDTH, WIDTH)))
    g("Identity", x, output="y")
    past, present = past_and_present(layers, groups)
    inputs = [
        ("x", TensorProto.FLOAT, ["batch", "seq", WIDTH]),
        ("attention_mask", TensorProto.INT64, ["batch", "total"]),
        ("position_ids", TensorProto.INT64, ["batch", "seq"]),
    ]
    return g.model(inputs + past, [("y", TensorProto.FLOAT, ["batch", "seq", WIDTH]), *present])


@pytest.mark.parametrize("groups", [1, 2, HEADS])
def test_llama(groups):
    feeds = []
    for batch, past, length in SIZES:
        feed = decoder_feed(batch, past, length, 2, groups, masked=True)
        places = np.arange(past, past + length, dtype=np.int64)
        feeds.append(feed | {"position_ids": np.tile(places, (batch, 1))})
    check(llama(groups=groups), feeds)


@pytest.mark.ours
def test_llama_is_fused(tmp_path):
    found = operators(llama(), tmp_path)
    assert found["Attention"] == 2 and found["RotaryEmbedding"] == 4
    assert found["Transpose"] == found["Neg"] == 0
    assert found["Expand"] <= 1, "all layers share one mask, whose length is not known to be that of the keys"
    assert found["Slice"] == 2, "the halves of both tables"


def test_a_mask_shorter_than_the_keys_is_refused():
    optimised, _ = sessions(gpt2(places=4))
    optimised.run(None, decoder_feed(1, 2, 2, 2, HEADS, masked=False))
    with pytest.raises(Exception, match=r"(?i)broadcast|shape|dimension|mask"):
        optimised.run(None, decoder_feed(1, 3, 2, 2, HEADS, masked=False))


def masked_scores(table: np.ndarray, *, columns: bool) -> bytes:
    """Scores under rows or columns of a table that may be shorter than what is asked for."""
    g = Graph()
    keys = g("Concat", "past", "q", axis=2)
    total, length = g.dim(keys, 2), g.dim("q", 2)
    start, axis = (g.ints(0), 3) if columns else (g("Sub", total, length), 2)
    cut = g("Slice", g.constant(table), start, total, g.ints(axis))
    scores = g("MatMul", "q", g("Transpose", keys, perm=[0, 1, 3, 2]))
    weights = g("Softmax", g("Where", cut, scores, g.number(LOWEST)), axis=-1)
    g("MatMul", weights, keys, output="y")
    shape = ["batch", HEADS, "past", SIZE]
    inputs = [("q", TensorProto.FLOAT, ["batch", HEADS, "seq", SIZE]), ("past", TensorProto.FLOAT, shape)]
    return g.model(inputs, [("y", TensorProto.FLOAT, [None, None, None, None])])


@pytest.mark.parametrize(
    ("table", "columns", "sizes"),
    [
        # One column repeats over all keys, however many.
        ((1, 1, 1, 1), True, [(1, 0, 1), (1, 3, 2), (2, 0, 4)]),
        # Beyond the table a single query has no row left: no result, and no error.
        ((1, 1, 4, 1), False, [(1, 3, 1), (1, 4, 1), (2, 6, 1), (1, 1, 3)]),
    ],
)
def test_short_tables_keep_their_meaning(table, columns, sizes):
    random = np.random.default_rng(3)
    feeds = [
        {
            "q": random.normal(0, 1, (batch, HEADS, length, SIZE)).astype(np.float32),
            "past": random.normal(0, 1, (batch, HEADS, past, SIZE)).astype(np.float32),
        }
        for batch, past, length in sizes
    ]
    check(masked_scores(np.ones(table, bool), columns=columns), feeds)


def packed_projection(*, bias: bool, by_count: bool = False) -> bytes:
    g = Graph()
    sizes = (64, 64, 64) if by_count else (64, 128, 80)
    packed = g("MatMul", "x", g.weight(WIDTH, sum(sizes)))
    if bias:
        packed = g("Add", packed, g.weight(sum(sizes)))
    parts = [packed] if by_count else [packed, g.ints(*sizes)]
    parts = g("Split", *parts, outputs=len(sizes), axis=-1)
    for i, part in enumerate(parts):
        g("Abs", part, output=f"y{i}")
    made = [(f"y{i}", TensorProto.FLOAT, ["batch", "seq", size]) for i, size in enumerate(sizes)]
    return g.model([("x", TensorProto.FLOAT, ["batch", "seq", WIDTH])], made)


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("by_count", [False, True])
def test_packed_projection(bias, by_count):
    random = np.random.default_rng(5)
    shapes = [(1, 1, WIDTH), (2, 5, WIDTH), (3, 0, WIDTH)]
    feeds = [{"x": random.normal(0, 1, shape).astype(np.float32)} for shape in shapes]
    check(packed_projection(bias=bias, by_count=by_count), feeds)


@pytest.mark.ours
@pytest.mark.parametrize("bias", [False, True])
def test_packed_projection_is_three_products(tmp_path, bias):
    found = operators(packed_projection(bias=bias), tmp_path)
    assert found["Split"] == 0 and found["FusedMatMul" if bias else "MatMul"] == 3
