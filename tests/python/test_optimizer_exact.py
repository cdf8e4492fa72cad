# SPDX-License-Identifier: Apache-2.0
"""Rewrites that claim to hold to the last bit do, for not a number, infinities, -0, the ends of the integers.

A fused attention refuses what its nodes refuse."""

import ml_dtypes
import numpy as np
import onnxruntime as ort
import ortrun
import pytest
from onnx import TensorProto, helper, numpy_helper

CPU = ["CPUExecutionProvider"]
LEVELS = ort.GraphOptimizationLevel
pytestmark = pytest.mark.ours


def sessions(nodes, inputs, outputs, weights=(), opset=18):
    """A model not optimised and optimised."""
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes,
        "g",
        [value(name, kind, shape) for name, kind, shape in inputs],
        [value(name, kind, shape) for name, kind, shape in outputs],
        [numpy_helper.from_array(np.asarray(array), name) for name, array in weights],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=9).SerializeToString()
    made = []
    for level in (LEVELS.ORT_DISABLE_ALL, LEVELS.ORT_ENABLE_ALL):
        options = ort.SessionOptions()
        options.graph_optimization_level = level
        made.append(ort.InferenceSession(model, options, providers=CPU))
    return made


def same(got, want, what):
    """To the last bit; one not-a-number is as good as another."""
    assert got.dtype == want.dtype and got.shape == want.shape, what
    if got.dtype.kind == "f":
        np.testing.assert_array_equal(np.isnan(got), np.isnan(want), err_msg=what)
        np.testing.assert_array_equal(np.signbit(got[~np.isnan(got)]), np.signbit(want[~np.isnan(want)]), err_msg=what)
    np.testing.assert_array_equal(got, want, err_msg=what)


SPECIAL = [0.0, -0.0, 1.0, -1.5, np.inf, -np.inf, np.nan, 3e-8, -6e-8, 1e-40, 65504.0, 1 / 3, -123.456]
OPERATIONS = [
    (op, constant, swapped)
    for op in ("Add", "Sub", "Mul", "Div")
    for constant in (0.0, -0.0, 1.0, -1.0, 2.0, 8.0, -0.25, np.inf, np.nan)
    for swapped in (False, True)
] + [("Pow", exponent, False) for exponent in (0.0, 1.0, 2.0, 0.5, -1.0, 3.0)]


@pytest.mark.parametrize("kind", ["float", "double", "float16", "bfloat16"])
def test_arithmetic_with_a_constant(kind):
    dtype = {"float": np.float32, "double": np.float64, "float16": np.float16, "bfloat16": ml_dtypes.bfloat16}[kind]
    element = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    outside = TensorProto.FLOAT if kind == "bfloat16" else element
    with np.errstate(all="ignore"):
        x = np.array(SPECIAL).astype(dtype)
    nodes, outputs, weights = [helper.make_node("Cast", ["x"], ["t"], to=element)], [], []
    for i, (op, constant, swapped) in enumerate(OPERATIONS):
        weights.append((f"k{i}", np.array(constant, dtype).reshape([] if i % 3 else [1])))
        names = [f"k{i}", "t"] if swapped else ["t", f"k{i}"]
        nodes.append(helper.make_node(op, names, [f"a{i}"]))
        nodes.append(helper.make_node("Cast", [f"a{i}"], [f"y{i}"], to=outside))
        outputs.append((f"y{i}", outside, [len(x)]))
    plain, optimised = sessions(nodes, [("x", outside, ["n"])], outputs, weights)
    feed = {"x": x.astype(np.float32) if kind == "bfloat16" else x}
    numpy_of = {"Add": np.add, "Sub": np.subtract, "Mul": np.multiply, "Div": np.divide}
    for (op, constant, swapped), before, after in zip(OPERATIONS, plain.run(None, feed), optimised.run(None, feed)):
        what = f"{op} {constant} {'on the left' if swapped else ''}"
        same(after, before, what)
        if op == "Pow":
            continue
        pair = [np.array(constant, dtype), x]
        with np.errstate(all="ignore"):
            want = numpy_of[op](*(pair if swapped else pair[::-1])).astype(before.dtype)
        same(after, want, what)


@pytest.mark.parametrize("dtype", [np.int32, np.int64, np.uint32, np.uint64, np.int8, np.uint8])
def test_arithmetic_of_integers_with_a_constant(dtype):
    ends = np.iinfo(dtype)
    element = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    x = np.array([ends.min, ends.max, 0, 1, 7, ends.max - 1, 100], dtype)
    operations = [
        (op, number, swapped) for op in ("Add", "Sub", "Mul") for number in (0, 1, 2, 8) for swapped in (False, True)
    ]
    operations += [("Div", number, False) for number in (1, 2, 8)]
    nodes, outputs, weights = [], [], []
    for i, (op, number, swapped) in enumerate(operations):
        weights.append((f"k{i}", np.array(number, dtype)))
        nodes.append(helper.make_node(op, [f"k{i}", "x"] if swapped else ["x", f"k{i}"], [f"y{i}"]))
        outputs.append((f"y{i}", element, [len(x)]))
    numpy_of = {"Add": np.add, "Sub": np.subtract, "Mul": np.multiply}
    for session in sessions(nodes, [("x", element, ["n"])], outputs, weights):
        for (op, number, swapped), got in zip(operations, session.run(None, {"x": x})):
            pair = [np.array(number, dtype), x]
            if op == "Div":
                want = np.array([int(v) // number if v >= 0 else -(-int(v) // number) for v in x], dtype)
            else:
                with np.errstate(all="ignore"):
                    want = numpy_of[op](*(pair if swapped else pair[::-1]))
            same(got, want.astype(dtype), f"{op} {number}")


NUMBERS = {
    TensorProto.BOOL: [False, True],
    TensorProto.INT8: [-128, -1, 0, 1, 127],
    TensorProto.UINT8: [0, 1, 200, 255],
    TensorProto.INT16: [-32768, -1, 0, 300, 32767],
    TensorProto.UINT16: [0, 1, 40000, 65535],
    TensorProto.INT32: [-(2**31), -1, 0, 16777217, 2**31 - 1],
    TensorProto.UINT32: [0, 1, 2**31, 2**32 - 1],
    TensorProto.INT64: [-(2**63), -1, 0, 2**53 + 1, 2**63 - 1],
    TensorProto.UINT64: [0, 1, 2**53 + 1, 2**64 - 1],
    TensorProto.FLOAT16: [0.1, -0.0, 65504, -2.5, np.inf, np.nan, 300.7],
    TensorProto.FLOAT: [0.1, -0.0, 1e10, -2.5, np.inf, -np.inf, np.nan, 1 / 3, 65520.0, 300.7, -3e9, 1e-41],
    TensorProto.DOUBLE: [0.1, -0.0, 1e300, -2.5, np.inf, -np.inf, np.nan, 1 / 3, 65519.99, 300.7, -3e9, 1e-310],
}


@pytest.mark.parametrize("start", NUMBERS, ids=TensorProto.DataType.Name)
def test_casts_of_casts(start):
    """Every way from a type through a second one to a third, or to text, gives what the two casts give."""
    x = np.array(NUMBERS[start], helper.tensor_dtype_to_np_dtype(start))
    steps = [*NUMBERS, TensorProto.BFLOAT16]
    nodes, outputs, ways = [], [], []
    for between in steps:
        nodes.append(helper.make_node("Cast", ["x"], [f"b{between}"], to=between))
        for end in (*NUMBERS, TensorProto.STRING):
            name = f"y{between}_{end}"
            nodes.append(helper.make_node("Cast", [f"b{between}"], [name], to=end))
            outputs.append((name, end, ["n"]))
            ways.append(f"{TensorProto.DataType.Name(between)} -> {TensorProto.DataType.Name(end)}")
    plain, optimised = sessions(nodes, [("x", start, ["n"])], outputs)
    for way, before, after in zip(ways, plain.run(None, {"x": x}), optimised.run(None, {"x": x})):
        if before.dtype == object:
            assert after.tolist() == before.tolist(), way
        else:
            same(after, before, way)


@pytest.mark.parametrize("start", [TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.BOOL])
def test_text_tells_the_type(start):
    x = np.array([False, True] if start == TensorProto.BOOL else [0.1, 1 / 3, -2.5])
    x = x.astype(helper.tensor_dtype_to_np_dtype(start))
    between = TensorProto.INT32 if start == TensorProto.BOOL else TensorProto.DOUBLE
    nodes = [
        helper.make_node("Cast", ["x"], ["b"], to=between),
        helper.make_node("Cast", ["b"], ["y"], to=TensorProto.STRING),
        helper.make_node("Cast", ["x"], ["z"], to=TensorProto.STRING),
    ]
    for session in sessions(
        nodes, [("x", start, [len(x)])], [("y", TensorProto.STRING, [len(x)]), ("z", TensorProto.STRING, [len(x)])]
    ):
        y, z = session.run(None, {"x": x})
        if start == TensorProto.BOOL:
            assert y.tolist() == z.tolist() == ["0", "1"]
        else:
            assert [float(text) for text in y] == x.astype(np.float64).tolist()


def attention(mask_nodes, mask_inputs, weights, opset=17):
    nodes = [
        helper.make_node("Transpose", ["k"], ["kt"], perm=[0, 1, 3, 2]),
        helper.make_node("MatMul", ["q", "kt"], ["s"]),
        helper.make_node("Mul", ["s", "c"], ["t"]),
        *mask_nodes,
        helper.make_node("Softmax", ["u"], ["p"], axis=-1),
        helper.make_node("MatMul", ["p", "v"], ["y"]),
    ]
    inputs = [(name, TensorProto.FLOAT, ["b", 2, "l", 8]) for name in "qkv"]
    return sessions(
        nodes, inputs + mask_inputs, [("y", TensorProto.FLOAT, None)], [("c", np.float32(0.25)), *weights], opset
    )


def weighted(scores, v):
    with np.errstate(all="ignore"):
        e = np.exp(scores - scores.max(-1, keepdims=True))
        return e / e.sum(-1, keepdims=True) @ v


@pytest.mark.parametrize("opset", [14, 17, 23])
@pytest.mark.parametrize("boolean", [False, True])
@pytest.mark.parametrize("rows_as", [1, "l", "r"])
def test_attention_takes_the_masks_that_its_nodes_take(rows_as, boolean, opset):
    """A mask must have one number, or one for each key: whether it has is not known before the run."""
    rng = np.random.default_rng(1)
    kind = TensorProto.BOOL if boolean else TensorProto.FLOAT
    mask = [("mask", kind, ["b", 1, rows_as, "m"])]
    if boolean:
        plain, fused = attention(
            [helper.make_node("Where", ["mask", "t", "low"], ["u"])], mask, [("low", np.float32(-1e9))], opset
        )
    else:
        plain, fused = attention([helper.make_node("Add", ["t", "mask"], ["u"])], mask, [], opset)
    q, k, v = (rng.standard_normal((1, 2, 4, 8)).astype(np.float32) for _ in range(3))
    if rows_as != "r":  # else the mask may add rows to the scores
        assert "Attention" in [node["op"] for node in ortrun.explain(fused)["nodes"]]
    lengths = [(1, 4), (4, 4), (1, 1), (4, 1), (1, 3), (1, 2), (4, 5), (3, 4), (1, 0)]
    for rows, length in lengths:
        if rows != {1: 1, "l": 4}.get(rows_as, rows):
            continue
        drawn = rng.integers(0, 2, (1, 1, rows, length)).astype(bool)
        feed = {"q": q, "k": k, "v": v, "mask": drawn}
        scores = q @ k.swapaxes(2, 3) * 0.25
        if not boolean:
            feed["mask"] = rng.standard_normal(drawn.shape).astype(np.float32)
        if length not in (1, 4) or rows not in (1, 4):
            for session in (plain, fused):
                with pytest.raises(Exception, match=r"broadcast|Expand|mask|dimension"):
                    session.run(None, feed)
            continue
        want = weighted(np.where(drawn, scores, np.float32(-1e9)) if boolean else scores + feed["mask"], v)
        for session in (plain, fused):
            for _ in range(2):
                np.testing.assert_allclose(session.run(None, feed)[0], want, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("low", [-1e4, -1e9, -3.4028234663852886e38, -np.inf])
@pytest.mark.parametrize("added", [False, True])
def test_a_row_without_keys_is_as_its_nodes_have_it(low, added):
    """Where one number stands for all scores of a row each key weighs the same; -inf leaves no weights at all."""
    rng = np.random.default_rng(2)
    op = (
        helper.make_node("Add", ["t", "mask"], ["u"])
        if added
        else helper.make_node("Where", ["mask", "t", "low"], ["u"])
    )
    kind = TensorProto.FLOAT if added else TensorProto.BOOL
    plain, fused = attention([op], [("mask", kind, ["b", 1, "l", "l"])], [("low", np.float32(low))])
    assert "Attention" in [node["op"] for node in ortrun.explain(fused)["nodes"]]
    q, k, v = (rng.standard_normal((1, 2, 4, 8)).astype(np.float32) * 3 for _ in range(3))
    mask = np.array([[1, 1, 1, 1], [0, 0, 0, 0], [1, 0, 0, 1], [0, 0, 0, 1]], bool)[None, None]
    scores = q @ k.swapaxes(2, 3) * np.float32(0.25)
    if added:
        mask = np.where(mask, np.float32(0), np.float32(low))
    want = weighted(scores + mask if added else np.where(mask, scores, np.float32(low)), v)
    tolerance = 2e-2 if added and low == -1e4 else 1e-4  # the sum of score and mask keeps few digits of the score
    for session in (plain, fused):
        np.testing.assert_allclose(
            session.run(None, {"q": q, "k": k, "v": v, "mask": mask})[0], want, rtol=tolerance, atol=tolerance
        )


def test_bisection_stops_after_so_many_patches(capfd):
    nodes = [helper.make_node("Identity", [f"x{i}"], [f"x{i + 1}"]) for i in range(3)]
    nodes.append(helper.make_node("Neg", ["x3"], ["y"]))
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x0", TensorProto.FLOAT, ["n"])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n"])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()
    for most, left in (("0", 4), ("1", 3), ("2", 2), ("3", 1), ("9", 1)):
        options = ort.SessionOptions()
        options.add_session_config_entry("ortrun.optimizer.stop_after", most)
        session = ort.InferenceSession(model, options, providers=CPU)
        assert len(ortrun.explain(session)["nodes"]) == left
        np.testing.assert_array_equal(session.run(None, {"x0": np.float32([1, 2])})[0], [-1, -2])
    options.add_session_config_entry("ortrun.optimizer.stop_after", "few")
    with pytest.raises(Exception, match=r"ortrun.optimizer.stop_after is 'few'"):
        ort.InferenceSession(model, options, providers=CPU)


@pytest.mark.parametrize("past", [False, True])
@pytest.mark.parametrize("rank", [2, 3, 4])
def test_attention_of_rows_takes_the_masks_that_its_nodes_take(rank, past):
    """As above, with heads split off by Reshape and Transpose, keys and values of earlier runs, masks of any rank."""
    rng = np.random.default_rng(3)
    node = helper.make_node
    nodes = []
    for name in "qkv":
        nodes.append(node("Reshape", [name, "heads"], [f"{name}4"]))
        nodes.append(node("Transpose", [f"{name}4"], [f"{name}h"], perm=[0, 2, 1, 3]))
    keys, values = "kh", "vh"
    inputs = [(name, TensorProto.FLOAT, ["b", "l", 16]) for name in "qkv"]
    outputs = [("y", TensorProto.FLOAT, None)]
    if past:
        nodes.append(node("Concat", ["kp", keys], ["kc"], axis=2))
        nodes.append(node("Concat", ["vp", values], ["vc"], axis=2))
        keys, values = "kc", "vc"
        inputs += [(name, TensorProto.FLOAT, ["b", 2, "p", 8]) for name in ("kp", "vp")]
        outputs += [(name, TensorProto.FLOAT, None) for name in ("kc", "vc")]
    inputs.append(("mask", TensorProto.FLOAT, ["b", 1, "l", "m"][4 - rank :]))
    nodes += [
        node("Transpose", [keys], ["kt"], perm=[0, 1, 3, 2]),
        node("MatMul", ["qh", "kt"], ["s"]),
        node("Mul", ["s", "c"], ["t"]),
        node("Add", ["mask", "t"], ["u"]),
        node("Softmax", ["u"], ["p"], axis=-1),
        node("MatMul", ["p", values], ["o"]),
        node("Transpose", ["o"], ["r"], perm=[0, 2, 1, 3]),
        node("Reshape", ["r", "join"], ["y"]),
    ]
    weights = [("heads", np.int64([0, 0, 2, 8])), ("join", np.int64([0, 0, 16])), ("c", np.float32(0.25))]
    both = sessions(nodes, inputs, outputs, weights, 17)
    assert "Attention" in [node["op"] for node in ortrun.explain(both[1])["nodes"]]
    feed = {name: rng.standard_normal((1, 4, 16)).astype(np.float32) for name in "qkv"}
    split = {name: feed[name].reshape(1, 4, 2, 8).swapaxes(1, 2) for name in "qkv"}
    if past:
        for name in "kv":
            feed[f"{name}p"] = rng.standard_normal((1, 2, 3, 8)).astype(np.float32)
            split[name] = np.concatenate([feed[f"{name}p"], split[name]], 2)
    keys = 7 if past else 4
    for length in (keys, 1, keys - 1, 2, keys + 1, 0):
        feed["mask"] = rng.standard_normal((1, 1, 4, length)[4 - rank :]).astype(np.float32)
        for session in both:
            if length not in (1, keys):
                with pytest.raises(Exception, match=r"broadcast|Expand|mask|dimension"):
                    session.run(None, feed)
                continue
            want = weighted(split["q"] @ split["k"].swapaxes(2, 3) * 0.25 + feed["mask"], split["v"])
            for _ in range(2):
                got = session.run(None, feed)[0]
                np.testing.assert_allclose(got, want.swapaxes(1, 2).reshape(1, 4, 16), rtol=1e-4, atol=1e-5)
