# SPDX-License-Identifier: Apache-2.0
"""What a model declares of its inputs, and what callers give: less, other ranks, other sizes, other types."""

import numpy as np
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.capi import onnxruntime_pybind11_state as C

CPU = ["CPUExecutionProvider"]
F, D, I64 = TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.INT64
node, info = helper.make_node, helper.make_tensor_value_info
LEVELS = [ort.GraphOptimizationLevel.ORT_DISABLE_ALL, ort.GraphOptimizationLevel.ORT_ENABLE_ALL]


@pytest.fixture(params=LEVELS, ids=lambda level: level.name)
def make_session(request):
    def make(nodes, inputs, outputs, constants=(), opset=18, values=()):
        initializers = [numpy_helper.from_array(np.asarray(a), n) for n, a in constants]
        graph = helper.make_graph(nodes, "g", inputs, outputs, initializers, value_info=list(values))
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
        options = ort.SessionOptions()
        options.graph_optimization_level = request.param
        return ort.InferenceSession(model.SerializeToString(), options, providers=CPU)

    return make


def bound(session, feed, names):
    binding = session.io_binding()
    for name, array in feed.items():
        binding.bind_cpu_input(name, array)
    for name in names:
        binding.bind_output(name)
    session.run_with_iobinding(binding)
    return binding.copy_outputs_to_cpu()


A, B = np.float32([1, -2, 3]), np.float32([4, -5, 6])


@pytest.mark.ours
def test_a_run_needs_what_its_outputs_need(make_session):
    branch = [node("Neg", ["b"], ["t"])], [node("Abs", ["b"], ["e"])]
    bodies = [helper.make_graph(nodes, "b", [], [info(nodes[0].output[0], F, None)]) for nodes in branch]
    nodes = [
        node("Neg", ["a"], ["y"]),
        node("Abs", ["b"], ["z"]),
        node("Add", ["y", "z"], ["sum"]),
        node("If", ["c"], ["picked"], then_branch=bodies[0], else_branch=bodies[1]),
        node("Shape", ["a"], ["s"]),
    ]
    names = ["y", "z", "sum", "picked", "s"]
    inputs = [info("a", F, ["n"]), info("b", F, ["n"]), info("c", TensorProto.BOOL, [])]
    session = make_session(nodes, inputs, [info(n, I64 if n == "s" else F, None) for n in names])
    right = {"y": -A, "z": abs(B), "sum": abs(B) - A, "picked": -B, "s": np.array([3])}
    feeds = {"y": "a", "z": "b", "sum": "ab", "picked": "bc", "s": "a", "s y": "a", "picked y": "abc"}
    values = {"a": A, "b": B, "c": np.array(True)}
    for _ in range(3):
        for wanted, needed in feeds.items():
            feed = {name: values[name] for name in needed}
            want = [right[name] for name in wanted.split()]
            for got in (bound(session, feed, wanted.split()), session.run(wanted.split(), feed)):
                for one, other in zip(got, want, strict=True):
                    np.testing.assert_array_equal(one, other)
            for name in needed:
                less = {other: values[other] for other in needed if other != name}
                with pytest.raises(RuntimeError, match=f"Missing Input: '{name}'"):
                    bound(session, less, wanted.split())
                with pytest.raises(ValueError, match=f"'{name}'"):
                    session.run(wanted.split(), less)
        for one, name in zip(session.run(None, values), names, strict=True):
            np.testing.assert_array_equal(one, right[name])


def test_an_input_that_nobody_reads(make_session):
    session = make_session([node("Neg", ["a"], ["y"])], [info("a", F, [3]), info("b", F, [3])], [info("y", F, [3])])
    for _ in range(3):
        np.testing.assert_array_equal(bound(session, {"a": A}, ["y"])[0], -A)


SCALARS = [np.float32(5), np.float32([5]), np.float32([5, 6]), np.float32([[5]]), np.float32([[5, 6], [7, 8]])]


def test_an_input_declared_as_a_scalar(make_session):
    nodes = [
        node("Unsqueeze", ["x", "first"], ["u"]),
        node("Reshape", ["u", "all"], ["r"]),
        node("Shape", ["x"], ["s"]),
        node("Mul", ["x", "one"], ["m"]),
        node("Squeeze", ["u", "first"], ["back"]),
        node("Expand", ["x", "one_row"], ["e"]),
        node("Size", ["x"], ["n"]),
    ]
    outputs = [info("u", F, [1]), info("r", F, ["k"]), info("s", I64, None), info("m", F, []), info("back", F, [])]
    outputs += [info("e", F, [1]), info("n", I64, [])]
    constants = [("first", [0]), ("all", [-1]), ("one", np.float32([1])), ("one_row", [1])]
    session = make_session(nodes, [info("x", F, [])], outputs, constants, values=[info("u", F, [1])])
    assert session.get_inputs()[0].shape == [] and session.get_outputs()[0].shape == [1]
    for _ in range(2):
        for x in SCALARS:
            flat = x.reshape(1) if x.ndim == 0 else x
            want = [x[None], x.ravel(), np.array(x.shape, np.int64), flat, x, flat, np.array(x.size)]
            for one, other in zip(session.run(None, {"x": x}), want, strict=True):
                assert one.shape == np.shape(other) and one.tolist() == np.asarray(other).tolist()


def test_outputs_are_shown_as_if_scalars_were_scalars(make_session):
    """What an output declares, or what follows from the declared inputs; runs do not rely on either."""
    nodes = [node("Mul", ["x", "rows"], ["y"]), node("Neg", ["x"], ["n"]), node("Concat", ["u", "u"], ["c"], axis=0)]
    nodes.insert(0, node("Unsqueeze", ["x", "first"], ["u"]))
    outputs = [info("y", F, None), info("n", F, None), info("c", F, None), info("u", F, ["k"])]
    session = make_session(nodes, [info("x", F, []), info("rows", F, ["b", 3])], outputs, [("first", [0])])
    assert [o.shape for o in session.get_outputs()] == [["b", 3], [], [2], ["k"]]
    rows = np.ones((2, 3), np.float32)
    for x in (np.float32(2), np.float32([[2]]), np.float32([1, 2, 3])):
        y, n, c, u = session.run(None, {"x": x, "rows": rows})
        np.testing.assert_array_equal(y, x * rows)
        np.testing.assert_array_equal(n, -x)
        np.testing.assert_array_equal(c, np.stack([x, x]))
        np.testing.assert_array_equal(u, x[None])


def test_scalars_that_bodies_take(make_session):
    body = helper.make_graph(
        [node("Add", ["v", "v"], ["w"]), node("Identity", ["go"], ["on"]), node("Unsqueeze", ["v", "first"], ["row"])],
        "body",
        [info("i", I64, []), info("go", TensorProto.BOOL, []), info("v", F, [])],
        [info("on", TensorProto.BOOL, []), info("w", F, []), info("row", F, [1])],
    )
    nodes = [node("Loop", ["n", "", "x"], ["y", "rows"], body=body)]
    session = make_session(
        nodes, [info("x", F, [])], [info("y", F, []), info("rows", F, None)], [("n", 2), ("first", [0])]
    )
    for x in SCALARS:
        y, rows = session.run(None, {"x": x})
        np.testing.assert_array_equal(y, 4 * x)
        np.testing.assert_array_equal(rows, np.stack([x[None], 2 * x[None]]))


@pytest.mark.parametrize("rows", [5, 1, 3])
def test_one_name_for_two_sizes(make_session, rows):
    """Names of dimensions are hints: the result is right, or the run is refused."""
    nodes = [node("Shape", ["x"], ["s"]), node("Expand", ["r", "s"], ["e"]), node("Relu", ["e"], ["y"])]
    session = make_session(nodes, [info("x", F, ["n", 4]), info("r", F, ["n", 4])], [info("y", F, None)])
    for _ in range(2):
        try:
            got = session.run(None, {"x": np.ones((5, 4), np.float32), "r": np.ones((rows, 4), np.float32)})[0]
        except (C.InvalidArgument, C.Fail):
            assert rows != 5
            continue
        assert rows != 3 and got.shape == (5, 4)


def test_names_that_no_rewrite_relied_on(make_session):
    session = make_session(
        [node("Add", ["x", "r"], ["y"])], [info("x", F, ["n"]), info("r", F, ["n"])], [info("y", F, None)]
    )
    for _ in range(2):
        for r in (B, B[:1]):
            np.testing.assert_array_equal(session.run(None, {"x": A, "r": r})[0], A + r)


def test_names_in_parts_that_are_rewritten_apart(make_session):
    """Both parts become chains, and neither asks whether the other has as many elements."""
    chain = [(op, a, b) for op, a, b in (("Relu", "x", "x1"), ("Sigmoid", "x1", "x2"), ("Neg", "x2", "y"))]
    nodes = [
        node(op, [a.replace("x", part)], [b.replace("x", part).replace("y", part + "y")])
        for part in "xr"
        for op, a, b in chain
    ]
    session = make_session(
        nodes, [info("x", F, ["n", "m"]), info("r", F, ["n", "m"])], [info("xy", F, None), info("ry", F, None)]
    )

    def want(x):
        return -1 / (1 + np.exp(-np.maximum(x, 0)))

    for _ in range(2):
        for a, b in (((2, 3), (4, 5)), ((1, 3), (2, 3)), ((0, 2), (3, 1)), ((2, 2), (2, 2))):
            x, r = (np.linspace(-1, 1, np.prod(shape), dtype=np.float32).reshape(shape) for shape in (a, b))
            for one, other in zip(session.run(None, {"x": x, "r": r}), (want(x), want(r)), strict=True):
                np.testing.assert_allclose(one, other, rtol=1e-5)


@pytest.mark.parametrize("rows", [5, 3])
def test_only_names_that_a_rewrite_relied_on_matter(make_session, rows):
    """The Expand goes because of n; that all have one m nobody relies on."""
    nodes = [
        node("Shape", ["x"], ["s"]),
        node("Expand", ["r", "s"], ["e"]),
        node("Relu", ["e"], ["y"]),
        node("Relu", ["p"], ["p1"]),
        node("Neg", ["p1"], ["py"]),
    ]
    inputs = [info("x", F, ["n"]), info("r", F, ["n"]), info("p", F, ["m"]), info("q", F, ["m"])]
    nodes.append(node("Abs", ["q"], ["qy"]))
    session = make_session(nodes, inputs, [info(name, F, None) for name in ("y", "py", "qy")])
    feed = {"x": np.ones(5, np.float32), "r": np.ones(rows, np.float32)}
    for _ in range(2):
        for p, q in ((2, 2), (2, 7), (1, 4)):
            feed.update(p=np.ones(p, np.float32), q=np.ones(q, np.float32))
            try:
                y, py, qy = session.run(None, feed)
            except (C.InvalidArgument, C.Fail):
                assert rows != 5
                continue
            assert rows == 5 and y.shape == (5,) and py.tolist() == [-1] * p and qy.tolist() == [1] * q


def test_one_name_within_one_input(make_session):
    nodes = [node("Neg", ["x"], ["s"]), node("Abs", ["s"], ["t"]), node("Transpose", ["t"], ["y"])]
    session = make_session(nodes, [info("x", F, ["n", "n"])], [info("y", F, None)])
    for shape in ((2, 2), (2, 3), (3, 2)):
        x = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
        np.testing.assert_array_equal(session.run(None, {"x": x})[0], x.T)


def optional(name, element=F):
    return helper.make_value_info(name, helper.make_optional_type_proto(helper.make_tensor_type_proto(element, None)))


def test_optional_inputs_of_another_type(make_session):
    nodes = [node("OptionalGetElement", ["x"], ["g"]), node("Add", ["g", "g"], ["y"])]
    session = make_session(nodes, [optional("x")], [info("y", F, None)])
    np.testing.assert_array_equal(session.run(None, {"x": A})[0], 2 * A)
    for wrong in (A.astype(np.float64), A.astype(np.int8), np.array(["a"], object), np.ones(100000)):
        with pytest.raises((C.InvalidArgument, RuntimeError)):
            session.run(None, {"x": wrong})
        with pytest.raises(C.InvalidArgument):
            session.run_with_ort_values(None, {"x": ort.OrtValue.ortvalue_from_numpy(wrong)})
    np.testing.assert_array_equal(session.run(None, {"x": A})[0], 2 * A)


def test_sequences_of_another_type(make_session):
    sequence = helper.make_tensor_sequence_value_info("x", F, None)
    session = make_session([node("SequenceAt", ["x", "0"], ["y"])], [sequence], [info("y", F, None)], [("0", 0)])
    doubles = make_session(
        [node("SequenceConstruct", ["a", "a"], ["s"])],
        [info("a", D, None)],
        [helper.make_tensor_sequence_value_info("s", D, None)],
    )
    value = doubles.run_with_ort_values(None, {"a": ort.OrtValue.ortvalue_from_numpy(np.ones(9))})[0]
    with pytest.raises(C.InvalidArgument, match="'x'"):
        session.run_with_ort_values(None, {"x": value})
