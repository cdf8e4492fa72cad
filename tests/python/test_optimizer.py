# SPDX-License-Identifier: Apache-2.0
"""The optimizer changes no result: each pass by name on models that it rewrites, and all together on random graphs.

The log at the verbose level says how often each pass rewrote, so a model that no longer interests its pass is noticed.
"""

import re

import ml_dtypes
import numpy as np
import onnx
import onnxruntime as ort
import pytest
from graphs import random_model
from onnx import TensorProto, numpy_helper, parser

CPU = ["CPUExecutionProvider"]
LEVELS = ort.GraphOptimizationLevel
pytestmark = pytest.mark.ours


def parse(graph, seed=0, opset=17, **weights):
    """The bytes of a model from onnx's text of a graph; `weights` are shapes of random constants, or their values."""
    made = parser.parse_model(f'<ir_version: 8, opset_import: ["": {opset}, "com.microsoft": 1]> graph {graph}')
    rng = np.random.default_rng(seed)
    for name, what in weights.items():
        array = rng.standard_normal(what).astype(np.float32) / 2 if isinstance(what, tuple) else np.array(what)
        made.graph.initializer.append(numpy_helper.from_array(array, name))
    return made.SerializeToString()


# By pass: models that it rewrites.
RMS = "s = Mul(x, x) m = ReduceMean <axes = [-1]> (s) e = Add(m, eps) r = Sqrt(e)"
LAYER = "m = ReduceMean <axes = [-1]> (x) d = Sub(x, m) p = Pow(d, two) v = ReduceMean <axes = [-1]> (p)"
MODELS = {
    "identity_removal": [
        parse("(float[N,3] x) => (float[N,3] y) { a = Relu(x) b = Identity(a) c = Dropout(b) y = Neg(c) }"),
    ],
    "constant_folding": [
        parse("(float[N,3] x) => (float[N,3] y) { a = Add(w, v) b = Relu(a) y = Mul(x, b) }", w=(1, 3), v=(3,)),
    ],
    "constant_if": [
        parse(
            """(float[N,3] x) => (float[N,3] y) {
              a = If (c) <then_branch = t () => (float[N,3] p) { p = Relu(x) },
                          else_branch = e () => (float[N,3] q) { q = Abs(x) }>
              y = Add(a, x) }""",
            c=flag,
        )
        for flag in (True, False)
    ],
    "common_subexpressions": [
        parse("(float[N,3] x) => (float[N,3] y) { a = Exp(x) b = Exp(x) c = Neg(a) d = Neg(b) y = Mul(c, d) }"),
    ],
    "shape_folding": [
        parse(
            """(float[N,S,12] x) => (float[?,?,?,?] y, int64[2] z) {
              shape = Shape(x) n = Gather(shape, zero) s = Gather(shape, one) w = Gather(shape, two)
              target = Concat <axis = 0> (n, s, heads) y = Reshape(x, target)
              k = Add(w, one) z = Concat <axis = 0> (k, w) }""",
            zero=[0],
            one=[1],
            two=[2],
            heads=[3, 4],
        ),
    ],
    "cast_removal": [
        parse(
            "(float[N,3] x) => (float[N,3] y) { a = Cast <to = 1> (x) b = Neg(a) c = Cast <to = 11> (b) "
            "y = Cast <to = 1> (c) }"
        ),
    ],
    "algebra": [
        parse(
            """(float[N,3] x) => (float[N,3] y) {
              a = Mul(x, one) b = Add(a, zero) c = Pow(b, two) d = Div(c, eight)
              e = Neg(d) f = Neg(e) y = Sub(f, zero) }""",
            one=np.float32(1),
            zero=np.float32(0),
            two=np.float32(2),
            eight=np.float32(8),
        ),
    ],
    "packed_projection_split": [
        parse(
            """(float[N,S,24] x) => (float[N,2,S,4] q, float[N,2,S,4] k, float[N,2,S,4] v) {
              a = Reshape(x, shape) t = Transpose <perm = [2,0,3,1,4]> (a)
              q = Gather <axis = 0> (t, zero) k = Gather <axis = 0> (t, one) v = Gather <axis = 0> (t, two) }""",
            shape=[0, 0, 3, 2, 4],
            zero=0,
            one=1,
            two=2,
        ),
    ],
    "batched_transpose": [
        parse(
            """(float[2,3,4,5] x) => (float[2,3,5,4] y) {
              a = Reshape(x, flat) t = Transpose <perm = [0,2,1]> (a) y = Reshape(t, back) }""",
            flat=[-1, 4, 5],
            back=[2, 3, 5, 4],
        ),
    ],
    "reshape_merging": [
        parse(
            """(float[N,3,4] x) => (float[N,12] y, float[N,3,4] z) {
              a = Unsqueeze(x, one) b = Reshape(a, shape) y = Flatten(b) c = Relu(x) z = Reshape(c, same) }""",
            one=[1],
            shape=[0, 4, 3],
            same=[0, 0, 0],
        ),
    ],
    "transpose_merging": [
        parse(
            """(float[N,3,4] x) => (float[N,4,3] y, float[N,3,4] z) {
              a = Transpose <perm = [1,0,2]> (x) b = Transpose <perm = [1,2,0]> (a) y = Neg(b)
              c = Transpose <perm = [0,2,1]> (x) d = Transpose <perm = [0,2,1]> (c) z = Neg(d) }"""
        ),
    ],
    "global_pooling": [
        parse("(float[N,3,5,6] x) => (float[N,3,1,1] y) { a = Relu(x) y = ReduceMean <axes = [2,3]> (a) }"),
        parse("(float[N,3,5,6] x) => (float[N,3,1,1] y) { y = ReduceMean(x, axes) }", opset=18, axes=[-1, -2]),
    ],
    "pad_into_convolution": [
        parse(
            """(float[N,3,5,6] x) => (float[?,?,?,?] y) {
              p = Pad(x, pads) y = Conv <pads = [1,0,0,0]> (p, w) }""",
            pads=[0, 0, 1, 2, 0, 0, 0, 1],
            w=(4, 3, 3, 3),
        ),
    ],
    "convolution_scaling": [
        parse(
            "(float[N,3,5,6] x) => (float[?,?,?,?] y) { c = Conv(x, w, b) m = Mul(c, s) y = Add(m, t) }",
            w=(4, 3, 3, 3),
            b=(4,),
            s=(4, 1, 1),
            t=(1, 4, 1, 1),
        ),
        parse(
            "(float[N,4,5,6] x) => (float[?,?,?,?] y) { c = Conv <group = 2> (x, w) y = Mul(c, s) }",
            w=(4, 2, 1, 3),
            s=np.float32(0.5),
        ),
    ],
    "matmul_scaling": [
        parse(
            "(float[N,S,8] x) => (float[N,S,5] y) { p = MatMul(x, w) a = Add(p, b) y = Mul(a, s) }",
            w=(8, 5),
            b=(5,),
            s=(5,),
        ),
        parse("(float[N,S,8] x) => (float[N,S,5] y) { p = MatMul(x, w) y = Mul(p, s) }", w=(8, 5), s=np.float32(0.3)),
    ],
    "gelu_fusion": [
        parse(
            """(float[N,8] x) => (float[N,8] y) {
              d = Div(x, root) e = Erf(d) a = Add(e, one) m = Mul(x, a) y = Mul(m, half) }""",
            root=np.float32(np.sqrt(2)),
            one=np.float32(1),
            half=np.float32(0.5),
        ),
        parse(
            """(float[N,8] x) => (float[N,8] y) {
              c = Pow(x, three) k = Mul(c, small) s = Add(x, k) r = Mul(s, root) t = Tanh(r) a = Add(t, one)
              m = Mul(x, a) y = Mul(m, half) }""",
            three=np.float32(3),
            small=np.float32(0.044715),
            root=np.float32(np.sqrt(2 / np.pi)),
            one=np.float32(1),
            half=np.float32(0.5),
        ),
    ],
    "layer_normalization_fusion": [
        parse(
            f"(float[N,S,16] x) => (float[N,S,16] y) {{ {LAYER} "
            "e = Add(v, eps) r = Sqrt(e) n = Div(d, r) s = Mul(n, g) y = Add(s, b) }",
            two=np.float32(2),
            eps=np.float32(1e-5),
            g=(16,),
            b=(16,),
        ),
    ],
    "simplified_layer_normalization_fusion": [
        parse(f"(float[N,S,16] x) => (float[N,S,16] y) {{ {RMS} {how} y = Mul(n, g) }}", g=(16,), eps=np.float32(1e-5))
        for how in ("n = Div(x, r)", "i = Reciprocal(r) n = Mul(x, i)")
    ],
    "attention_fusion": [
        parse(
            """(float[N,S,16] x, float[N,S,16] z) => (float[?,?,?] y) {
              a = MatMul(x, wq) b = MatMul(z, wk) c = MatMul(z, wv)
              a4 = Reshape(a, heads) b4 = Reshape(b, heads) c4 = Reshape(c, heads)
              q = Transpose <perm = [0,2,1,3]> (a4) k = Transpose <perm = [0,2,3,1]> (b4)
              v = Transpose <perm = [0,2,1,3]> (c4) s = MatMul(q, k) t = Mul(s, scale) p = Softmax <axis = -1> (t)
              o = MatMul(p, v) u = Transpose <perm = [0,2,1,3]> (o) w = Reshape(u, join) y = MatMul(w, wo) }""",
            wq=(16, 16),
            wk=(16, 16),
            wv=(16, 16),
            wo=(16, 16),
            heads=[0, 0, 2, 8],
            join=[0, 0, 16],
            scale=np.float32(0.35),
        ),
    ],
    "rotary_embedding_fusion": [
        parse(
            """(float[N,2,S,8] x, float[N,S,4] angles) => (float[N,2,S,8] y) {
              twice = Concat <axis = -1> (angles, angles) c3 = Cos(twice) s3 = Sin(twice)
              c = Unsqueeze(c3, one) s = Unsqueeze(s3, one)
              low = Slice(x, zero, half, last) high = Slice(x, half, size, last) minus = Neg(high)
              turned = Concat <axis = -1> (minus, low) a = Mul(x, c) b = Mul(turned, s) y = Add(a, b) }""",
            zero=[0],
            one=[1],
            half=[4],
            size=[8],
            last=[3],
        ),
    ],
    "product_splitting": [
        parse(
            """(float[N,S,8] x) => (float[N,S,64] q, float[N,S,128] r) {
              p = MatMul(x, w) a = Add(p, b) q, r = Split <axis = -1> (a, parts) }""",
            w=(8, 192),
            b=(192,),
            parts=[64, 128],
        ),
    ],
    "activation_forms": [
        parse("(float[N,8] x) => (float[N,8] y) { s = Mul(x, a) g = Sigmoid(s) y = Mul(x, g) }", a=np.float32(1.702)),
        parse(
            """(float[N,8] x) => (float[N,8] y) {
              a = Add(x, three) c = Clip(a, zero, six) m = Mul(x, c) y = Div(m, six) }""",
            three=np.float32(3),
            zero=np.float32(0),
            six=np.float32(6),
        ),
    ],
    "matmul_fusion": [
        parse("(float[N,S,8] x) => (float[N,S,5] y) { p = MatMul(x, w) a = Add(p, b) y = Relu(a) }", w=(8, 5), b=(5,)),
        parse(
            "(float[N,8] x, float[N,5] r) => (float[N,5] y) { g = Gemm <transB = 1> (x, w, b) y = Add(g, r) }",
            w=(5, 8),
            b=(5,),
        ),
        parse(
            """(float[N,8,S] x, float[N,S,4] z) => (float[N,S,4] y) {
              t = Transpose <perm = [0,2,1]> (x) p = MatMul(t, w) y = Add(p, z) }""",
            w=(8, 4),
        ),
    ],
    "convolution_fusion": [
        parse("(float[N,3,5,6] x) => (float[?,?,?,?] y) { c = Conv(x, w, b) y = Relu(c) }", w=(4, 3, 3, 3), b=(4,)),
        parse(
            """(float[N,4,5,6] x) => (float[?,?,?,?] y) {
              c = Conv <pads = [1,1,1,1]> (x, w) s = Add(c, x) y = LeakyRelu <alpha = 0.2> (s) }""",
            w=(4, 4, 3, 3),
        ),
    ],
    "skip_normalization_fusion": [
        parse(
            """(float[N,S,16] x, float[N,S,16] z) => (float[N,S,16] y, float[N,S,16] t) {
              p = Add(x, c) s = Add(p, z) y = LayerNormalization <axis = -1> (s, g, b) t = Neg(s) }""",
            c=(16,),
            g=(16,),
            b=(16,),
        ),
    ],
    "elementwise_chains": [
        parse(
            """(float[N,8] x, float[N,8] z) => (float[N,8] y, float[N,8] w) {
              a = Exp(x) b = Add(a, z) c = Mul(b, k) d = Sqrt(c) w = Sub(d, x)
              e = Max(w, z, k) f = Abs(e) y = Log(f) }""",
            k=np.full(8, 1.5, np.float32),
        ),
    ],
    "half_widening": [
        # Whole numbers, so that nothing is rounded either way.
        parse(
            f"""(float[N,S,64] x) => (float[N,S,64] y) {{
              s = Sign(x) h = Cast <to = {code}> (s) p = MatMul(h, w) q = Add(p, h) r = Relu(q)
              y = Cast <to = 1> (r) }}""",
            w=np.random.default_rng(0).integers(-1, 2, (64, 64)).astype(dtype),
        )
        for code, dtype in ((10, np.float16), (16, ml_dtypes.bfloat16))
    ],
    "channels_last": [
        parse(
            """(float[N,3,8,8] x) => (float[?,?,?,?] y) {
              a = Conv <pads = [1,1,1,1]> (x, w) b = Sigmoid(a) c = Conv <pads = [1,1,1,1]> (b, v)
              d = MaxPool <kernel_shape = [2,2], strides = [2,2]> (c) e = Conv(d, u) y = Add(e, t) }""",
            w=(8, 3, 3, 3),
            v=(8, 8, 3, 3),
            u=(4, 8, 1, 1),
            t=(4, 1, 1),
        ),
    ],
}
CASES = [(name, i) for name, models in MODELS.items() for i in range(len(models))]


def session(model, level=LEVELS.ORT_ENABLE_ALL, disabled=(), log=4):
    options = ort.SessionOptions()
    options.graph_optimization_level = level
    options.log_severity_level = log
    return ort.InferenceSession(model, options, providers=CPU, disabled_optimizers=list(disabled))


def feed_of(made, seed, sizes):
    """Random inputs; `sizes` are the numbers for named dimensions."""
    rng = np.random.default_rng(seed)
    feed = {}
    for arg in made.get_inputs():
        shape = [dim if isinstance(dim, int) else sizes.get(dim, 3) for dim in arg.shape]
        integer = arg.type == "tensor(int64)"
        feed[arg.name] = rng.integers(0, 3, shape) if integer else rng.standard_normal(shape).astype(np.float32)
    return feed


def assert_same(got, want, what):
    for one, other in zip(got, want):
        assert one.dtype == other.dtype and one.shape == other.shape, what
        if one.dtype.kind in "iub":
            np.testing.assert_array_equal(one, other, err_msg=what)
        else:
            np.testing.assert_allclose(one, other, rtol=2e-4, atol=2e-5, err_msg=what)


def rewrites(log):
    """By pass: how often it rewrote."""
    counts = {}
    for name, count in re.findall(r"pass (\w+): (\d+) rewrites", log):
        counts[name] = counts.get(name, 0) + int(count)
    return counts


def test_every_pass_has_a_model(capfd):
    """A new pass needs its models above."""
    session(MODELS["algebra"][0], log=0)
    assert set(rewrites(capfd.readouterr().err)) == set(MODELS)


@pytest.mark.parametrize(("name", "index"), CASES)
def test_a_pass_changes_no_result(name, index, capfd):
    model = MODELS[name][index]
    everything = session(model, log=0)
    assert rewrites(capfd.readouterr().err)[name] > 0, "the model does not interest the pass"
    without = session(model, disabled=[name], log=0)
    assert name not in rewrites(capfd.readouterr().err)
    # Other passes may do a part of the same work, so the pass is alone once more.
    alone = session(model, disabled=set(MODELS) - {name})
    plain = session(model, LEVELS.ORT_DISABLE_ALL)
    for seed, sizes in enumerate(({"N": 2, "S": 5}, {"N": 1, "S": 1}, {"N": 3, "S": 7})):
        feed = feed_of(plain, seed, sizes)
        want = plain.run(None, feed)
        for made, what in ((everything, "all passes"), (without, f"without {name}"), (alone, f"{name} alone")):
            assert_same(made.run(None, feed), want, what)


def test_disable_all_rewrites_nothing(capfd):
    import ortrun

    for name, models in MODELS.items():
        for model in models:
            plain = session(model, LEVELS.ORT_DISABLE_ALL, log=0)
            assert rewrites(capfd.readouterr().err) == {}, name
            nodes = [node.op_type for node in onnx.load_from_string(model).graph.node]
            if "If" in nodes:
                continue  # the tool counts the nodes of bodies, too
            assert [node["op"] for node in ortrun.explain(plain)["nodes"]] == nodes, name


def test_levels_have_the_passes_of_those_below(capfd):
    seen = []
    for level in (LEVELS.ORT_DISABLE_ALL, LEVELS.ORT_ENABLE_BASIC, LEVELS.ORT_ENABLE_EXTENDED, LEVELS.ORT_ENABLE_ALL):
        session(MODELS["algebra"][0], level, log=0)
        seen.append(set(rewrites(capfd.readouterr().err)))
    assert not seen[0] and seen[1] < seen[2] < seen[3]


@pytest.mark.parametrize("seed", range(60))
def test_random_graphs(seed):
    model = random_model(seed)
    plain = session(model, LEVELS.ORT_DISABLE_ALL)
    optimised = session(model)
    for sizes in ({"N": 2, "M": 3}, {"N": 1, "M": 1}, {"N": 4, "M": 2}):
        feed = feed_of(plain, seed, sizes)
        want = plain.run(None, feed)
        for _ in range(2):  # the second run goes by the plan of the first
            assert_same(optimised.run(None, feed), want, f"seed {seed}, sizes {sizes}")


def test_half_precision_and_integers_are_left_exact():
    for element, numbers in ((TensorProto.INT64, np.arange(6)), (TensorProto.DOUBLE, np.arange(6.0))):
        kind = {TensorProto.INT64: "int64", TensorProto.DOUBLE: "double"}[element]
        model = parse(
            f"({kind}[N,3] x) => ({kind}[N,3] y) {{ a = Mul(x, one) b = Add(a, zero) c = Mul(b, b) y = Sub(c, x) }}",
            one=np.array(1, numbers.dtype),
            zero=np.array(0, numbers.dtype),
        )
        feed = {"x": numbers.reshape(2, 3)}
        want = session(model, LEVELS.ORT_DISABLE_ALL).run(None, feed)[0]
        np.testing.assert_array_equal(session(model).run(None, feed)[0], want)
        np.testing.assert_array_equal(want, feed["x"] ** 2 - feed["x"])
