# SPDX-License-Identifier: Apache-2.0
"""Sequences that bodies carry, give and capture; SequenceMap in every form."""

import numpy as np
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper, numpy_helper

CPU = ["CPUExecutionProvider"]
F, I64, BOOL = TensorProto.FLOAT, TensorProto.INT64, TensorProto.BOOL
node, info, sequence = helper.make_node, helper.make_tensor_value_info, helper.make_tensor_sequence_value_info
LEVELS = [ort.GraphOptimizationLevel.ORT_DISABLE_ALL, ort.GraphOptimizationLevel.ORT_ENABLE_ALL]
TYPES = {
    F: np.float32,
    TensorProto.DOUBLE: np.float64,
    TensorProto.FLOAT16: np.float16,
    I64: np.int64,
    TensorProto.UINT8: np.uint8,
    BOOL: np.bool_,
    TensorProto.STRING: object,
}


def array(element, *shape):
    count = int(np.prod(shape))
    if element == TensorProto.STRING:
        return np.array([f"text {i}" for i in range(count)], object).reshape(shape)
    return np.arange(count).reshape(shape).astype(TYPES[element])


def same(got, want):
    if isinstance(want, list):
        return isinstance(got, list) and len(got) == len(want) and all(map(same, got, want))
    return got.dtype == want.dtype and got.shape == want.shape and got.tolist() == want.tolist()


def check(nodes, inputs, outputs, *cases, constants=(), opset=17, functions=()):
    initializers = [numpy_helper.from_array(np.asarray(a), n) for n, a in constants]
    graph = helper.make_graph(nodes, "g", inputs, outputs, initializers)
    opsets = [helper.make_opsetid("", opset), helper.make_opsetid("local", 1)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8, functions=list(functions))
    for level in LEVELS:
        options = ort.SessionOptions()
        options.graph_optimization_level = level
        session = ort.InferenceSession(model.SerializeToString(), options, providers=CPU)
        for _ in range(3):
            for feed, want in cases:
                got = session.run(None, feed)
                assert same(got, want), (level, got, want)
                binding = session.io_binding()
                for name, value in feed.items():
                    if isinstance(value, list):
                        break
                    binding.bind_cpu_input(name, value)
                else:
                    for output in session.get_outputs():
                        binding.bind_output(output.name)
                    session.run_with_iobinding(binding)
                    assert same(binding.copy_outputs_to_cpu(), want)


@pytest.mark.parametrize("element", TYPES)
def test_loops_that_carry_a_sequence(element):
    body = helper.make_graph(
        [node("SequenceInsert", ["q", "x"], ["q2"]), node("Identity", ["go"], ["on"])],
        "body",
        [info("i", I64, []), info("go", BOOL, []), sequence("q", element, None)],
        [info("on", BOOL, []), sequence("q2", element, None)],
    )
    nodes = [
        node("SequenceEmpty", [], ["e"], dtype=element),
        node("Loop", ["n", "", "e"], ["s"], body=body),
        node("SequenceLength", ["s"], ["l"]),
    ]
    x = array(element, 2, 3)
    check(
        nodes,
        [info("x", element, None), info("n", I64, [])],
        [sequence("s", element, None), info("l", I64, [])],
        *[({"x": x, "n": np.array(n)}, [[x] * n, np.array(n)]) for n in (0, 3, 1)],
    )


def test_a_sequence_that_a_loop_does_not_change():
    body = helper.make_graph(
        [node("Identity", ["q"], ["q2"]), node("Identity", ["go"], ["on"]), node("SequenceLength", ["q"], ["l"])],
        "body",
        [info("i", I64, []), info("go", BOOL, []), sequence("q", F, None)],
        [info("on", BOOL, []), sequence("q2", F, None), info("l", I64, [])],
    )
    nodes = [node("Loop", ["n", "", "s"], ["t", "ls"], body=body)]
    s = [array(F, 2), array(F, 3, 1)]
    check(
        nodes,
        [sequence("s", F, None)],
        [sequence("t", F, None), info("ls", I64, None), sequence("s", F, None)],
        ({"s": s}, [s, np.array([2, 2]), s]),
        constants=[("n", 2)],
    )


@pytest.mark.parametrize("element", TYPES)
def test_sequence_map(element):
    body = helper.make_graph(
        [node("Identity", ["e"], ["o"]), node("Shape", ["e"], ["s"])],
        "body",
        [info("e", element, None)],
        [info("o", element, None), info("s", I64, None)],
    )
    x, y = array(element, 2, 3), array(element, 4)
    check(
        [node("SequenceConstruct", ["x", "y"], ["q"]), node("SequenceMap", ["q"], ["o", "s"], body=body)],
        [info("x", element, None), info("y", element, None)],
        [sequence("o", element, None), sequence("s", I64, None)],
        ({"x": x, "y": y}, [[x, y], [np.array([2, 3]), np.array([4])]]),
        ({"x": y, "y": x}, [[y, x], [np.array([4]), np.array([2, 3])]]),
    )


def beside_and_outside(*names):
    element, beside, outside, inner, result = names
    return helper.make_graph(
        [node("Add", [element, beside], [inner]), node("Mul", [inner, outside], [result])],
        "body",
        [info(element, F, None), info(beside, F, None)],
        [info(result, F, None)],
    )


# Names inside the body that are also names outside mean the body's own values there.
@pytest.mark.parametrize(
    "names", [("e", "b", "outer", "t", "o"), ("k", "x", "outer", "s", "y"), ("s", "k", "outer", "x", "o")]
)
def test_sequence_map_with_tensors_beside_and_outside(names):
    x, y, k = array(F, 3), array(F, 2, 3), np.float32([5])
    nodes = [
        node("SequenceConstruct", ["x", "y"], ["s"]),
        node("SequenceMap", ["s", "k"], ["z"], body=beside_and_outside(*names)),
    ]
    want = [(x + 5) * 2, (y + 5) * 2]
    check(
        nodes,
        [info("x", F, None), info("y", F, None), info("k", F, None), info("outer", F, None)],
        [sequence("z", F, None)],
        ({"x": x, "y": y, "k": k, "outer": np.float32([2])}, [want]),
    )


def test_sequence_map_over_two_and_none():
    body = helper.make_graph(
        [node("Sub", ["a", "b"], ["o"])], "body", [info("a", F, None), info("b", F, None)], [info("o", F, None)]
    )
    x, y = array(F, 3), array(F, 2, 3) + 1
    check(
        [node("SequenceMap", ["s", "t"], ["o"], body=body), node("SequenceLength", ["o"], ["n"])],
        [sequence("s", F, None), sequence("t", F, None)],
        [sequence("o", F, None), info("n", I64, [])],
        ({"s": [x, y], "t": [y, x]}, [[x - y, y - x], np.array(2)]),
        ({"s": [], "t": []}, [[], np.array(0)]),
    )


def test_sequence_map_that_gives_its_inputs_and_outer_values():
    body = helper.make_graph(
        [],
        "body",
        [info("e", F, None), info("k", F, None)],
        [info("e", F, None), info("k", F, None), info("w", F, None)],
    )
    x, w = array(F, 3), np.float32([7])
    check(
        [node("SequenceConstruct", ["x", "x"], ["s"]), node("SequenceMap", ["s", "w"], ["a", "b", "c"], body=body)],
        [info("x", F, None)],
        [sequence(n, F, None) for n in "abc"],
        ({"x": x}, [[x, x], [w, w], [w, w]]),
        constants=[("w", w)],
    )


def test_sequence_map_in_bodies():
    inner = helper.make_graph(
        [node("Mul", ["f", "e"], ["g"]), node("Add", ["g", "k"], ["o"])],
        "inner",
        [info("f", F, None)],
        [info("o", F, None)],
    )
    outer = helper.make_graph(
        [node("SequenceMap", ["s"], ["m"], body=inner), node("ConcatFromSequence", ["m"], ["p"], axis=0)],
        "outer",
        [info("e", F, None)],
        [info("p", F, None)],
    )
    then = helper.make_graph([node("SequenceMap", ["s"], ["t"], body=outer)], "then", [], [sequence("t", F, None)])
    other = helper.make_graph([node("Identity", ["s"], ["u"])], "other", [], [sequence("u", F, None)])
    x, y, k = array(F, 3), array(F, 3) + 1, np.float32([10])
    mapped = [np.concatenate([f * e + k for f in (x, y)]) for e in (x, y)]
    check(
        [node("SequenceConstruct", ["x", "y"], ["s"]), node("If", ["c"], ["z"], then_branch=then, else_branch=other)],
        [info("x", F, [3]), info("y", F, [3]), info("k", F, [1]), info("c", BOOL, [])],
        [sequence("z", F, None)],
        ({"x": x, "y": y, "k": k, "c": np.array(True)}, [mapped]),
        ({"x": x, "y": y, "k": k, "c": np.array(False)}, [[x, y]]),
    )


def test_sequence_map_in_a_function():
    body = helper.make_graph([node("Mul", ["e", "k"], ["o"])], "body", [info("e", F, None)], [info("o", F, None)])
    function = helper.make_function(
        "local",
        "Scaled",
        ["s", "k"],
        ["z"],
        [node("SequenceMap", ["s"], ["z"], body=body)],
        [helper.make_opsetid("", 17)],
    )
    x = array(F, 3)
    check(
        [node("SequenceConstruct", ["x", "x"], ["s"]), node("Scaled", ["s", "x"], ["z"], domain="local")],
        [info("x", F, None)],
        [sequence("z", F, None)],
        ({"x": x}, [[x * x, x * x]]),
        functions=[function],
    )


@pytest.mark.ours
def test_bodies_that_give_another_type():
    """What a body gives is compared with what it is declared as, before anybody reads it."""
    then = helper.make_graph([node("SequenceAt", ["s", "zero"], ["t"])], "then", [], [info("t", F, None)])
    other = helper.make_graph([node("Neg", ["x"], ["e"])], "other", [], [info("e", F, None)])
    graph = helper.make_graph(
        [node("If", ["c"], ["y"], then_branch=then, else_branch=other)],
        "g",
        [sequence("s", F, None), info("x", F, None), info("c", BOOL, [])],
        [info("y", F, None)],
        [numpy_helper.from_array(np.array(0), "zero")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()
    session = ort.InferenceSession(model, providers=CPU)
    x = array(F, 3)
    for _ in range(2):
        assert same(session.run(None, {"s": [x], "x": x, "c": np.array(True)}), [x])
        with pytest.raises(RuntimeError):
            session.run(None, {"s": [x.astype(np.float64)], "x": x, "c": np.array(True)})
