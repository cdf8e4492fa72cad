# SPDX-License-Identifier: Apache-2.0
"""Outputs that the caller gives: written, or refused before anything is."""

import mmap

import numpy as np
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.capi import onnxruntime_pybind11_state as C

CPU = ["CPUExecutionProvider"]
F, I64 = TensorProto.FLOAT, TensorProto.INT64
node, info = helper.make_node, helper.make_tensor_value_info
LEVELS = [ort.GraphOptimizationLevel.ORT_DISABLE_ALL, ort.GraphOptimizationLevel.ORT_ENABLE_ALL]


def make_session(nodes, inputs, outputs, constants=(), level=LEVELS[1]):
    graph = helper.make_graph(nodes, "g", inputs, outputs, [numpy_helper.from_array(a, n) for n, a in constants])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    options = ort.SessionOptions()
    options.graph_optimization_level = level
    return ort.InferenceSession(model.SerializeToString(), options, providers=CPU)


def body(nodes, inputs, outputs):
    return helper.make_graph(nodes, "body", [info(*i) for i in inputs], [info(*o) for o in outputs])


def if_node():
    def branch(op, name):
        return body([node(op, ["x"], [name])], [], [(name, F, [3, 2])])

    return node("If", ["c"], ["y"], then_branch=branch("Neg", "t"), else_branch=branch("Abs", "e"))


def loop_node():
    inner = body(
        [node("Neg", ["a"], ["b"]), node("Identity", ["go"], ["on"])],
        [("i", I64, []), ("go", TensorProto.BOOL, []), ("a", F, None)],
        [("on", TensorProto.BOOL, []), ("b", F, None)],
    )
    return node("Loop", ["n", "", "x"], ["y"], body=inner)


def scan_node():
    return node(
        "Scan",
        ["x"],
        ["y"],
        body=body([node("Neg", ["e"], ["o"])], [("e", F, [2])], [("o", F, [2])]),
        num_scan_inputs=1,
    )


# How an output that is -x comes about.
MAKERS = {
    "kernel": lambda: [node("Neg", ["x"], ["y"])],
    "if": lambda: [if_node()],
    "loop": lambda: [loop_node()],
    "scan": lambda: [scan_node()],
    "sequence": lambda: [
        node("Neg", ["x"], ["m"]),
        node("SequenceConstruct", ["m"], ["s"]),
        node("SequenceAt", ["s", "0"], ["y"]),
    ],
    "alias": lambda: [node("Neg", ["x"], ["m"]), node("Identity", ["m"], ["y"])],
}
X = np.float32([[1, 2], [3, 4], [5, 6]])


@pytest.fixture(params=[(maker, level) for maker in MAKERS for level in LEVELS], ids=lambda p: f"{p[0]}-{p[1].name}")
def negation(request):
    maker, level = request.param
    inputs = [info("x", F, ["n", 2]), info("c", TensorProto.BOOL, [])]
    constants = [("n", np.array(3)), ("0", np.array(0))]
    return make_session(MAKERS[maker](), inputs, [info("y", F, None)], constants, level)


def bound(session, x, value):
    binding = session.io_binding()
    binding.bind_cpu_input("x", x)
    if len(session.get_inputs()) > 1:
        binding.bind_cpu_input("c", np.array(True))
    binding.bind_ortvalue_output("y", value)
    return binding


def test_every_maker_writes_there(negation):
    for x in (X, X + 1, X):
        y = np.full_like(x, 77)
        binding = bound(negation, x, ort.OrtValue.ortvalue_from_numpy(y))
        negation.run_with_iobinding(binding)
        np.testing.assert_array_equal(y, -x)
        np.testing.assert_array_equal(binding.copy_outputs_to_cpu()[0], -x)


@pytest.mark.parametrize("runs_before", [0, 2])
@pytest.mark.parametrize(
    ("dtype", "shape"),
    [
        (np.float64, (3, 2)),
        (np.int8, (3, 2)),
        (np.float32, (2, 3)),
        (np.float32, (6,)),
        (np.float32, (4, 2)),
        (np.float32, (3, 2, 1)),
    ],
    ids=str,
)
def test_other_types_and_shapes_are_refused(negation, dtype, shape, runs_before):
    for _ in range(runs_before):
        negation.run(None, {"x": X, "c": np.array(True)})
    y = np.full(shape, 77, dtype)
    with pytest.raises(RuntimeError, match="'y'"):
        negation.run_with_iobinding(bound(negation, X, ort.OrtValue.ortvalue_from_numpy(y)))
    assert (y == 77).all()
    again = np.zeros_like(X)
    negation.run_with_iobinding(bound(negation, X, ort.OrtValue.ortvalue_from_numpy(again)))
    np.testing.assert_array_equal(again, -X)


@pytest.mark.ours
def test_read_only_memory_is_refused(negation):
    locked = np.zeros_like(X)
    locked.flags.writeable = False
    mapped = np.frombuffer(mmap.mmap(-1, X.nbytes, access=mmap.ACCESS_READ), np.float32).reshape(X.shape)
    from_bytes = np.frombuffer(bytes(X.nbytes), np.float32).reshape(X.shape)
    for target in (locked, mapped, from_bytes, locked.view(), locked[:]):
        value = ort.OrtValue.ortvalue_from_numpy(target)
        with pytest.raises(RuntimeError, match="'y'.*read-only"):
            negation.run_with_iobinding(bound(negation, X, value))
        with pytest.raises(C.InvalidArgument, match="read-only"):
            value.update_inplace(X)
        assert not value.numpy().flags.writeable and not target.any()


@pytest.mark.ours
def test_read_only_tensors_of_dlpack_are_refused():
    if int(np.__version__.split(".")[0]) < 2:
        pytest.skip("numpy before 2 does not give read-only tensors away")

    class Locked:
        def __init__(self, array):
            self.array = array

        def __dlpack__(self, **_):
            return self.array.__dlpack__(max_version=(1, 0))

    session = make_session([node("Neg", ["x"], ["y"])], [info("x", F, [3, 2])], [info("y", F, [3, 2])])
    array = np.zeros_like(X)
    array.flags.writeable = False
    with pytest.raises(RuntimeError, match="read-only"):
        session.run_with_iobinding(bound(session, X, ort.OrtValue.from_dlpack(Locked(array))))
    assert not array.any()


def test_read_only_arrays_are_inputs(negation):
    x = X.copy()
    x.flags.writeable = False
    y = np.zeros_like(X)
    negation.run_with_iobinding(bound(negation, x, ort.OrtValue.ortvalue_from_numpy(y)))
    np.testing.assert_array_equal(y, -X)


@pytest.mark.ours
def test_nothing_is_written_when_one_of_two_is_wrong():
    nodes = [node("Neg", ["x"], ["y"]), node("Exp", ["x"], ["z"])]
    for level in LEVELS:
        session = make_session(
            nodes, [info("x", F, ["n", 2])], [info("y", F, ["n", 2]), info("z", F, ["n", 2])], (), level
        )
        for _ in range(3):
            good, wrong = np.full_like(X, 77), np.full((4, 2), 77, np.float32)
            binding = bound(session, X, ort.OrtValue.ortvalue_from_numpy(good))
            binding.bind_ortvalue_output("z", ort.OrtValue.ortvalue_from_numpy(wrong))
            with pytest.raises(RuntimeError, match="'z'"):
                session.run_with_iobinding(binding)
            assert (good == 77).all() and (wrong == 77).all()
            session.run(None, {"x": X})


def test_outputs_that_are_inputs_or_weights():
    w = np.float32([7, 8])
    outputs = [info(name, F, None) for name in ("x", "w", "v", "y")]
    nodes = [node("Identity", ["w"], ["v"]), node("Identity", ["x"], ["y"])]
    for level in LEVELS:
        session = make_session(nodes, [info("x", F, ["n", 2])], outputs, [("w", w)], level)
        for _ in range(3):
            targets = [np.full_like(right, 77) for right in (X, w, w, X)]
            binding = session.io_binding()
            binding.bind_cpu_input("x", X)
            for output, target in zip(outputs, targets):
                binding.bind_ortvalue_output(output.name, ort.OrtValue.ortvalue_from_numpy(target))
            session.run_with_iobinding(binding)
            for target, right in zip(targets, (X, w, w, X)):
                np.testing.assert_array_equal(target, right)


@pytest.mark.ours
def test_declared_shapes_are_hints():
    """An output's declared shape may be wrong: what counts is the result's."""
    nodes = [node("Transpose", ["x"], ["y"], perm=[1, 0])]
    session = make_session(nodes, [info("x", F, ["n", "m"])], [info("y", F, ["n", "m"])])
    for _ in range(3):
        y = np.zeros((2, 3), np.float32)
        session.run_with_iobinding(bound(session, X, ort.OrtValue.ortvalue_from_numpy(y)))
        np.testing.assert_array_equal(y, X.T)


@pytest.mark.parametrize("op", ["MatMul", "Transpose", "CumSum"])
def test_an_output_over_an_input(op):
    """Kernels that read after they wrote would see their own results."""
    nodes = {
        "MatMul": [node("MatMul", ["x", "w"], ["y"])],
        "Transpose": [node("Transpose", ["x"], ["y"])],
        "CumSum": [node("CumSum", ["x", "zero"], ["y"], reverse=1)],
    }[op]
    w = np.float32([[0, 1, 0], [0, 0, 1], [1, 0, 0]])
    compute = {"MatMul": lambda x: x @ w, "Transpose": lambda x: x.T, "CumSum": lambda x: x[::-1].cumsum(0)[::-1]}[op]
    for shift in (0, 1, 3):
        session = make_session(
            nodes, [info("x", F, ["n", 3])], [info("y", F, ["n", 3])], [("w", w), ("zero", np.array(0))]
        )
        for _ in range(3):
            memory = np.arange(16, dtype=np.float32)
            x, y = memory[:9].reshape(3, 3), memory[shift : shift + 9].reshape(3, 3)
            want = compute(x.copy())
            session.run_with_iobinding(bound(session, x, ort.OrtValue.ortvalue_from_numpy(y)))
            np.testing.assert_array_equal(y, want)


@pytest.mark.ours
def test_two_outputs_over_each_other():
    nodes = [node("Neg", ["x"], ["y"]), node("Exp", ["x"], ["z"])]
    session = make_session(nodes, [info("x", F, ["n", 2])], [info("y", F, None), info("z", F, None)])
    memory = np.full(16, 77, np.float32)
    for shift in (0, 5):
        binding = bound(session, X, ort.OrtValue.ortvalue_from_numpy(memory[:6].reshape(3, 2)))
        part = memory[shift : shift + 6].reshape(3, 2)
        binding.bind_ortvalue_output("z", ort.OrtValue.ortvalue_from_numpy(part))
        with pytest.raises(RuntimeError, match="'y' and 'z'.*over each other"):
            session.run_with_iobinding(binding)
        assert (memory == 77).all()


def test_strings():
    session = make_session(
        [node("Identity", ["x"], ["m"]), node("Identity", ["m"], ["y"])],
        [info("x", TensorProto.STRING, ["n"])],
        [info("y", TensorProto.STRING, ["n"])],
    )
    for _ in range(3):
        value = ort.OrtValue.ortvalue_from_numpy(np.array(["", "", "old"], object))
        session.run_with_iobinding(bound(session, np.array(["a", "b" * 40, ""], object), value))
        assert value.numpy().tolist() == ["a", "b" * 40, ""]


def test_sequences():
    sequence = helper.make_tensor_sequence_value_info("y", F, None)
    session = make_session([node("SequenceConstruct", ["x", "x"], ["y"])], [info("x", F, ["n", 2])], [sequence])
    target = session.run_with_ort_values(None, {"x": ort.OrtValue.ortvalue_from_numpy(X)})[0]
    for x in (X + 1, X + 2):
        binding = bound(session, x, target)
        session.run_with_iobinding(binding)
        for got in binding.copy_outputs_to_cpu()[0]:
            np.testing.assert_array_equal(got, x)
    with pytest.raises(RuntimeError, match="'y'"):
        session.run_with_iobinding(bound(session, X, ort.OrtValue.ortvalue_from_numpy(X.copy())))


def test_vectors_of_values():
    session = make_session([node("Neg", ["x"], ["y"])], [info("x", F, ["n", 2])], [info("y", F, ["n", 2])])
    device = ort.OrtDevice.make("cpu", 0)._get_c_device()
    feeds = C.OrtValueVector()
    feeds.push_back(ort.OrtValue.ortvalue_from_numpy(X)._ortvalue)

    def run(target):
        fetches = C.OrtValueVector()
        fetches.push_back(ort.OrtValue.ortvalue_from_numpy(target)._ortvalue)
        session.run_with_ortvaluevector(ort.RunOptions(), ["x"], feeds, ["y"], fetches, [device])

    for _ in range(3):
        y = np.full_like(X, 77)
        run(y)
        np.testing.assert_array_equal(y, -X)
        wrong = np.full(X.shape, 77, np.int8)
        with pytest.raises(Exception, match="'y'"):
            run(wrong)
        assert (wrong == 77).all()
