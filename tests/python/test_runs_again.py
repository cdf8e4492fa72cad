# SPDX-License-Identifier: Apache-2.0
"""A run gives the same whether it is the first, the second or the third, with its outputs made or given."""

import numpy as np
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper, numpy_helper

CPU = ["CPUExecutionProvider"]
LEVELS = [ort.GraphOptimizationLevel.ORT_DISABLE_ALL, ort.GraphOptimizationLevel.ORT_ENABLE_ALL]
F, I64, BOOL = TensorProto.FLOAT, TensorProto.INT64, TensorProto.BOOL
node, info = helper.make_node, helper.make_tensor_value_info


def constant(name, array):
    return numpy_helper.from_array(np.asarray(array), name)


def build(nodes, inputs, outputs, constants=(), opset=17):
    graph = helper.make_graph(nodes, "g", inputs, outputs, list(constants))
    opsets = [helper.make_opsetid("", opset)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8).SerializeToString()


def make_session(model, level, **settings):
    options = ort.SessionOptions()
    options.graph_optimization_level = level
    for name, value in settings.items():
        setattr(options, name, value)
    return ort.InferenceSession(model, options, providers=CPU)


def same(got, want):
    if isinstance(want, list):
        return isinstance(got, list) and len(got) == len(want) and all(map(same, got, want))
    return got.dtype == want.dtype and got.shape == want.shape and got.tolist() == want.tolist()


def run_bound(session, feed, want, given):
    """What an IOBinding gives, in arrays of the caller's where `given`."""
    binding = session.io_binding()
    for name, array in feed.items():
        binding.bind_cpu_input(name, array)
    buffers = []
    for output, right in zip(session.get_outputs(), want):
        if given and isinstance(right, np.ndarray) and right.dtype != object:
            buffers.append(np.full_like(right, 77))
            binding.bind_ortvalue_output(output.name, ort.OrtValue.ortvalue_from_numpy(buffers[-1]))
        else:
            buffers.append(None)
            binding.bind_output(output.name)
    session.run_with_iobinding(binding)
    made = binding.copy_outputs_to_cpu()
    return [made[i] if buffer is None else buffer for i, buffer in enumerate(buffers)]


def check(model, *cases, **settings):
    """Each case is a feed and what is right for it. All forms of call, three times in turn, on one session a level."""
    for level in LEVELS:
        session = make_session(model, level, **settings)
        for _ in range(3):
            for feed, want in cases:
                assert same(session.run(None, feed), want)
                assert same(run_bound(session, feed, want, given=False), want)
                assert same(run_bound(session, feed, want, given=True), want)
        given_first = make_session(model, level, **settings)
        for _ in range(3):
            for feed, want in cases:
                assert same(run_bound(given_first, feed, want, given=True), want)


def rows(count, width=3, at=0):
    return np.arange(at, at + count * width, dtype=np.float32).reshape(count, width)


def shape_of(array):
    return np.array(array.shape)


W = np.float32([[1, -2, 3], [4, 5, -6]])


def test_outputs_that_follow_from_shapes_or_weights():
    nodes = [
        node("Shape", ["x"], ["s"]),
        node("Identity", ["s"], ["s2"]),
        node("Size", ["x"], ["n"]),
        node("Identity", ["w"], ["v"]),
        node("Reshape", ["w", "flat"], ["r"]),
        node("Neg", ["w"], ["m"]),
        node("Gather", ["s", "zero"], ["first"]),
        node("ConstantOfShape", ["s"], ["z"]),
        node("Neg", ["x"], ["y"]),
    ]
    names = {"s": I64, "s2": I64, "n": I64, "v": F, "r": F, "m": F, "first": I64, "z": F, "y": F}
    model = build(
        nodes,
        [info("x", F, ["a", "b"])],
        [info(name, element, None) for name, element in names.items()],
        [constant("w", W), constant("flat", np.array([-1])), constant("zero", np.array(0))],
    )

    def want(x):
        s = shape_of(x)
        return [s, s, np.array(x.size), W, W.ravel(), -W, np.array(len(x)), np.zeros_like(x), -x]

    check(model, *[({"x": x}, want(x)) for x in (rows(2), rows(4, 2), np.zeros((0, 3), np.float32))])


def test_an_output_that_other_nodes_read():
    nodes = [
        node("Reshape", ["w", "to"], ["v"]),
        node("Mul", ["x", "v"], ["y"]),
        node("Shape", ["y"], ["s"]),
        node("Cast", ["s"], ["sf"], to=F),
        node("Neg", ["y"], ["z"]),
        node("Flatten", ["z"], ["f"], axis=0),
    ]
    outputs = [info(n, I64 if n == "s" else F, None) for n in ("y", "v", "s", "sf", "z", "f")]
    model = build(
        nodes,
        [info("x", F, ["a", "b"])],
        outputs,
        [constant("w", np.float32([3])), constant("to", np.array([1, 1]))],
    )

    def want(x):
        shape = shape_of(x)
        return [3 * x, np.float32([[3]]), shape, shape.astype(np.float32), -3 * x, (-3 * x).reshape(1, -1)]

    check(model, ({"x": rows(2)}, want(rows(2))), ({"x": rows(5)}, want(rows(5))))


def test_outputs_that_are_inputs_or_weights():
    nodes = [node("Identity", ["x"], ["i"]), node("Add", ["x", "x"], ["y"])]
    outputs = [info(name, F, None) for name in ("x", "w", "i", "y")]
    model = build(nodes, [info("x", F, ["a", "b"])], outputs, [constant("w", W)])
    x = rows(3)
    check(model, ({"x": x}, [x, W, x, x + x]))


def test_a_result_is_the_callers_own():
    model = build(
        [node("Shape", ["x"], ["s"]), node("Identity", ["w"], ["v"])],
        [info("x", F, ["a", "b"])],
        [info("s", I64, [2]), info("v", F, [2, 3]), info("w", F, [2, 3]), info("x", F, None)],
        [constant("w", W)],
    )
    for level in LEVELS:
        session = make_session(model, level)
        x = rows(2)
        for _ in range(4):
            results = session.run(None, {"x": x})
            assert same(results, [shape_of(x), W, W, rows(2)])
            for result in results:
                result[...] = 9


def branches(first, second, constants=()):
    """An If with these two bodies, each (nodes, name of the result)."""

    def body(name, nodes, result):
        return helper.make_graph(nodes, name, [], [info(result, F, None)])

    made = node("If", ["c"], ["y"], then_branch=body("t", *first), else_branch=body("e", *second))
    inputs = [info("x", F, ["a", "b"]), info("c", BOOL, [])]
    return [made], inputs, [info("y", F, None)], [constant("w", W), *constants]


@pytest.mark.parametrize("source", ["x", "w"])
def test_branches_that_give_outer_values(source):
    nodes, inputs, outputs, constants = branches(
        ([], source),
        ([node("Identity", [source], ["e1"])], "e1") if source == "x" else ([node("Neg", ["w"], ["n"])], "n"),
    )
    model = build(nodes, inputs, outputs, constants)
    x = rows(2, at=1)
    right = {True: x if source == "x" else W, False: x if source == "x" else -W}
    cases = [({"x": x, "c": np.array(c)}, [right[c]]) for c in (True, True, False, False)]
    check(model, *cases)


def test_branches_that_follow_from_shapes():
    shape = [node("Shape", ["x"], ["ts"]), node("Cast", ["ts"], ["t"], to=F)]
    other = [node("Identity", ["w"], ["e"])]
    model = build(*branches((shape, "t"), (other, "e")))
    cases = [
        ({"x": x, "c": np.array(c)}, [shape_of(x).astype(np.float32) if c else W])
        for x in (rows(2), rows(4))
        for c in (True, False)
    ]
    check(model, *cases)


def test_values_that_bodies_capture():
    nodes = [
        node("Neg", ["w"], ["k"]),
        node("Shape", ["x"], ["s"]),
        node("Cast", ["s"], ["sf"], to=F),
        node("ReduceSum", ["sf"], ["total"], keepdims=0),
    ]
    first = [node("Neg", ["k"], ["t0"]), node("Mul", ["t0", "total"], ["t"])]
    second = [node("Abs", ["k"], ["e0"]), node("Add", ["e0", "total"], ["e"])]
    more, inputs, outputs, constants = branches((first, "t"), (second, "e"))
    nodes += [*more, node("Add", ["y", "one"], ["z"])]
    model = build(nodes, inputs, [*outputs, info("z", F, None)], [*constants, constant("one", np.float32(1))])
    cases = []
    for x in (rows(2), rows(4, 1)):
        total = np.float32(sum(x.shape))
        for c in (True, False):
            y = W * total if c else abs(W) + total
            cases.append(({"x": x, "c": np.array(c)}, [y, y + 1]))
    check(model, *cases)


def loop(nodes, carried, scanned, trips=3):
    """A Loop of three passes: `carried` is (outer, inside, next), `scanned` the names that each pass gives."""
    body = helper.make_graph(
        [node("Identity", ["go"], ["on"]), *nodes],
        "body",
        [info("i", I64, []), info("go", BOOL, []), *[info(inside, F, None) for _, inside, _ in carried]],
        [info("on", BOOL, []), *[info(after, F, None) for _, _, after in carried]]
        + [info(name, element, None) for name, element in scanned],
    )
    results = [f"last{i}" for i in range(len(carried))] + [f"all_{name}" for name, _ in scanned]
    made = node("Loop", ["n", "", *[outer for outer, _, _ in carried]], results, body=body)
    outputs = [info(f"last{i}", F, None) for i in range(len(carried))]
    outputs += [info(f"all_{name}", element, None) for name, element in scanned]
    return made, outputs, [constant("n", np.array(trips)), constant("w", W)]


@pytest.mark.parametrize("trips", [0, 1, 3])
def test_loops(trips):
    nodes = [
        node("Shape", ["x"], ["row"]),
        node("Identity", ["w"], ["weight"]),
        node("Neg", ["a"], ["b"]),
        node("Identity", ["x"], ["whole"]),
    ]
    carried = [("x", "a", "b"), ("x", "kept", "kept"), ("x", "fixed", "weight")]
    made, outputs, constants = loop(nodes, carried, [("row", I64), ("weight", F), ("whole", F)], trips)
    model = build([made], [info("x", F, ["p", "q"])], outputs, constants)
    for level in LEVELS:
        session = make_session(model, level)
        for x in (rows(2), rows(3), rows(2), rows(2)):
            got = session.run(None, {"x": x})
            assert same(got[:3], [x if trips % 2 == 0 else -x, x, W if trips else x])
            if trips:
                assert same(got[3:], [np.stack([part] * trips) for part in (shape_of(x), W, x)])
    if trips:
        x = rows(2)
        want = [-x, x, W, *[np.stack([part] * trips) for part in (shape_of(x), W, x)]]
        check(model, ({"x": x}, want))


@pytest.mark.parametrize("weight", ["start", "other"])
def test_scans_that_give_outer_weights(weight):
    body = helper.make_graph(
        [node("Add", ["a", "b"], ["c"]), node("Identity", [weight], ["d"]), node("Shape", ["b"], ["p"])],
        "body",
        [info("a", F, [3]), info("b", F, [3])],
        [info("c", F, [3]), info("d", F, [3]), info("p", I64, [1]), info("b", F, [3])],
    )
    model = build(
        [node("Scan", ["start", "x"], ["sum", "y", "s", "same"], body=body, num_scan_inputs=1)],
        [info("x", F, ["n", 3])],
        [info("sum", F, None), info("y", F, None), info("s", I64, None), info("same", F, None)],
        [constant("start", np.float32([1, 2, 3])), constant("other", np.float32([4, 5, 6]))],
    )
    kept = np.float32([1, 2, 3] if weight == "start" else [4, 5, 6])
    cases = []
    for n in (4, 1, 2):
        x = rows(n)
        want = [np.float32([1, 2, 3]) + x.sum(0), np.stack([kept] * n), np.full((n, 1), 3), x]
        cases.append(({"x": x}, want))
    check(model, *cases)


def test_bodies_in_bodies():
    inner = helper.make_graph(
        [node("Shape", ["a"], ["is"]), node("Cast", ["is"], ["ic"], to=F)], "t", [], [info("ic", F, [2])]
    )
    other = helper.make_graph([node("Identity", ["two"], ["ie"])], "e", [], [info("ie", F, [2])])
    nodes = [
        node("Mod", ["i", "even"], ["m"]),
        node("Cast", ["m"], ["odd"], to=BOOL),
        node("If", ["odd"], ["picked"], then_branch=inner, else_branch=other),
        node("Identity", ["a"], ["b"]),
    ]
    made, outputs, constants = loop(nodes, [("x", "a", "b")], [("picked", F)])
    constants += [constant("even", np.array(2)), constant("two", np.float32([7, 8]))]
    model = build([made], [info("x", F, ["p", "q"])], outputs, constants)
    cases = []
    for x in (rows(2), rows(4)):
        shape = shape_of(x).astype(np.float32)
        cases.append(({"x": x}, [x, np.stack([np.float32([7, 8]), shape, np.float32([7, 8])])]))
    check(model, *cases)


def test_shapes_that_depend_on_content():
    nodes = [node("NonZero", ["x"], ["at"]), node("Shape", ["at"], ["s"]), node("Neg", ["x"], ["y"])]
    model = build(nodes, [info("x", F, ["n"])], [info("at", I64, None), info("s", I64, [2]), info("y", F, ["n"])])
    cases = []
    for x in (np.float32([1, 0, 2]), np.float32([0, 0, 0]), np.float32([1, 2, 3]), np.float32([5])):
        at = np.array(np.nonzero(x))
        cases.append(({"x": x}, [at, shape_of(at), -x]))
    check(model, *cases)


@pytest.mark.parametrize("setting", [{}, {"enable_mem_pattern": False}, {"enable_mem_reuse": False}], ids=str)
def test_memory_settings(setting):
    nodes = [node("Neg", ["x"], ["a"]), node("Reshape", ["a", "flat"], ["b"]), node("Exp", ["b"], ["c"])]
    nodes += [node("Add", ["c", "b"], ["d"]), node("Relu", ["d"], ["e"]), node("Mul", ["e", "c"], ["y"])]
    model = build(nodes, [info("x", F, ["p", "q"])], [info("y", F, None)], [constant("flat", np.array([-1]))])

    def want(x):
        b = -x.ravel()
        return np.maximum(np.exp(b) + b, 0) * np.exp(b)

    for level in LEVELS:
        session = make_session(model, level, **setting)
        for x in (rows(2) / 8, rows(4) / 8, rows(2) / 8, rows(2) / 4):
            np.testing.assert_allclose(session.run(None, {"x": x})[0], want(x), rtol=1e-5)


@pytest.mark.ours
def test_values_share_no_memory_without_reuse():
    import ortrun

    nodes = [node("Sin" if i % 2 else "Cos", [f"v{i}"], [f"v{i + 1}"]) for i in range(8)]
    model = build(nodes, [info("v0", F, ["n"])], [info("v8", F, ["n"])])
    planned = {}
    for reuse in (True, False):
        session = make_session(model, LEVELS[0], enable_mem_reuse=reuse)
        for _ in range(2):
            session.run(None, {"v0": np.zeros(1024, np.float32)})
        planned[reuse] = ortrun.counters(session)["plan_bytes"]
    assert planned[False] >= 7 * 4096 > planned[True]


@pytest.mark.ours
def test_no_plan_of_memory_without_pattern():
    import ortrun

    model = build([node("Sin", ["x"], ["a"]), node("Cos", ["a"], ["y"])], [info("x", F, ["n"])], [info("y", F, ["n"])])
    session = make_session(model, LEVELS[0], enable_mem_pattern=False)
    for _ in range(3):
        session.run(None, {"x": np.zeros(1024, np.float32)})
    counters = ortrun.counters(session)
    assert counters["plan_bytes"] == 0 and counters["heap_allocations"] == 3


def test_names_that_are_asked_for_twice(two_output_model):
    session = ort.InferenceSession(two_output_model, providers=CPU)
    a, b = np.float32([1, 2]), np.float32([3, 5])
    for _ in range(3):
        got = session.run(["difference", "sum", "difference"], {"a": a, "b": b})
        assert same(got, [a - b, a + b, a - b])
        got[0][:] = 0
        assert same(got[2], a - b)
