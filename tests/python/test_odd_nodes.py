# SPDX-License-Identifier: Apache-2.0
"""Nodes whose inference in onnx would crash, loop or take what a model declares for memory that is there.

Each model is loaded in a forked child: one that ends the child or takes longer than it may fails alone.
"""

import os
import resource
import signal

import numpy as np
import onnxruntime as ort
import pytest
from bad_models import BOOL, FLOAT, INT64, info, model, tensor
from onnx import TensorProto, ValueInfoProto, helper

pytestmark = pytest.mark.ours

CPU = ["CPUExecutionProvider"]
SECONDS = 5
MEGABYTES = 100
node = helper.make_node


def outcome(made, feeds=None):
    """'loaded', 'ran' or the message of the error, from a child process with little time and memory."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        signal.alarm(SECONDS)
        options = ort.SessionOptions()
        options.log_severity_level = 4
        options.intra_op_num_threads = 1
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        try:
            session = ort.InferenceSession(made, options, providers=CPU)
            said = "loaded"
            if resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before > MEGABYTES * 1024:
                said = "too much memory"
            elif feeds is not None:
                session.run(None, feeds)
                said = "ran"
        except Exception as error:  # told to the parent
            said = str(error)
        os.write(writer, said.encode()[:4096])
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        said = pipe.read()
    status = os.waitpid(child, 0)[1]
    assert status == 0, f"the child was ended by signal {os.WTERMSIG(status)}"
    return said


def outputs(*names):
    return [ValueInfoProto(name=name) for name in names]


# An operator that onnx does not know, before one whose inference asks for its input's type


def after(*behind, element=FLOAT, domains=("com.microsoft",), first=None):
    first = first or node("Gelu", ["x"], ["g"], domain="com.microsoft")
    return model(
        [first, *behind],
        inputs=[info("x", element, ["n", 2])],
        outputs=outputs("y"),
        initializers=[tensor("i", np.int64(0))],
        domains=domains,
        opsets={"": 20, "ai.onnx.ml": 5},
    )


IDENTITY = helper.make_graph([node("Identity", ["i"], ["o"])], "body", outputs("i"), outputs("o"))
BEHIND = {
    "EyeLike": [node("EyeLike", ["g"], ["y"])],
    "LabelEncoder": [node("LabelEncoder", ["g"], ["y"], domain="ai.onnx.ml", keys_floats=[1.0], values_int64s=[5])],
    "OneHotEncoder": [node("OneHotEncoder", ["g"], ["y"], domain="ai.onnx.ml", cats_int64s=[1])],
    "SequenceMap": [
        node("SplitToSequence", ["g"], ["s"]),
        node("SequenceMap", ["s"], ["t"], body=IDENTITY),
        node("SequenceAt", ["t", "i"], ["y"]),
    ],
    "Optional": [node("Optional", ["g"], ["s"]), node("OptionalGetElement", ["s"], ["y"])],
    "Loop": [
        node(
            "Loop",
            ["", "", "g"],
            ["y"],
            body=helper.make_graph(
                [node("Identity", ["c"], ["d"]), node("Neg", ["v"], ["w"])],
                "b",
                outputs("i", "c", "v"),
                outputs("d", "w"),
            ),
        )
    ],
}


@pytest.mark.parametrize("behind", BEHIND.values(), ids=BEHIND)
def test_the_type_of_a_contrib_operator_is_known_behind_it(behind):
    said = outcome(after(*behind))
    assert said == "loaded" or "no kernel for SequenceMap" in said


@pytest.mark.parametrize("behind", BEHIND.values(), ids=BEHIND)
@pytest.mark.parametrize("extra", [[], ["RegexFullMatch"], ["DictVectorizer"], ["TreeEnsemble"]])
def test_an_operator_without_a_type_ends_in_an_error(behind, extra):
    tails = {
        "RegexFullMatch": node("RegexFullMatch", ["g"], ["z"], pattern="a"),
        "DictVectorizer": node("DictVectorizer", ["g"], ["z"], domain="ai.onnx.ml", int64_vocabulary=[1]),
        "TreeEnsemble": node("TreeEnsemble", ["g"], ["z"], domain="ai.onnx.ml"),
    }
    unknown = node("Unknown", ["x"], ["g"], domain="a.b")
    said = outcome(after(*behind, *(tails[name] for name in extra), first=unknown, domains=["a.b"]))
    assert said not in ("loaded", "")


def test_inputs_that_nobody_makes():
    said = outcome(model([node("Add", ["x", "nobody"], ["y"])]))
    assert "'nobody' is not a graph input" in said


@pytest.mark.parametrize("op", ["Concat", "Max", "Sum", "Mean"])
@pytest.mark.parametrize("inputs", [["x", ""], ["", "x"], ["x", "", "x"]])
def test_a_gap_in_a_list_of_inputs(op, inputs):
    said = outcome(model([node(op, inputs, ["y"], **({"axis": 0} if op == "Concat" else {}))]))
    assert "empty string" in said


# Attributes that no operator means


@pytest.mark.parametrize("axis", [2, 5, -3, 2**31, -(2**31), 2**31 - 1, 2**62, -(2**63)])
@pytest.mark.parametrize(
    ("op", "inputs", "results"),
    [
        ("LayerNormalization", ["x", "w"], ["y", "mean", "deviation"]),
        ("Concat", ["x", "x"], ["y"]),
        ("Gather", ["x", "i"], ["y"]),
        ("Softmax", ["x"], ["y"]),
        ("ArgMax", ["x"], ["y"]),
        ("TopK", ["x", "k"], ["y", "i2"]),
        ("Split", ["x"], ["y", "z"]),
        ("OneHot", ["x", "k", "v"], ["y"]),
    ],
)
def test_an_axis_beyond_the_rank(op, inputs, results, axis):
    given = [
        tensor("w", np.ones(3, np.float32)),
        tensor("i", np.int64([0])),
        tensor("k", np.int64([2])),
        tensor("v", np.float32([0, 1])),
    ]
    made = model([node(op, inputs, results, axis=axis)], outputs=outputs(*results), initializers=given)
    said = outcome(made, {"x": np.ones((2, 3), np.float32)})
    assert said not in ("loaded", "") and (said != "ran" or (op == "OneHot" and axis in (2, -3)))


@pytest.mark.parametrize("batch_dims", [-1, -2, -3, -(2**31), 2**31, 7])
def test_gather_nd_with_odd_batch_dimensions(batch_dims):
    made = model(
        [node("GatherND", ["x", "i"], ["y"], batch_dims=batch_dims)],
        outputs=outputs("y"),
        initializers=[tensor("i", np.int64([[0], [1]]))],
    )
    assert outcome(made, {"x": np.ones((2, 3), np.float32)}) not in ("loaded", "ran", "")


def einsum(equation, *shapes):
    names = [f"x{i}" for i in range(len(shapes))]
    inputs = [info(name, FLOAT, shape) for name, shape in zip(names, shapes)]
    return model([node("Einsum", names, ["y"], equation=equation)], inputs=inputs, outputs=outputs("y"))


@pytest.mark.parametrize(
    ("equation", "shapes"),
    [
        ("i.j->ij", [[2, 3]]),
        ("..ij->ij", [[2, 3]]),
        ("...i...->i", [[2, 3]]),
        ("i1->i", [[2, 3]]),
        ("i\tj->ij", [[2, 3]]),
        ("ij->i->j", [[2, 3]]),
        ("ij->ijk", [[2, 3]]),
        ("ij,jk->ik", [[2, 3]]),
        ("ij", [[2, 3, 4]]),
        ("", [[2, 3]]),
        ("...->...", [[1] * 40]),
        (",,,,", [[2]]),
    ],
)
def test_an_equation_that_is_none(equation, shapes):
    feeds = {f"x{i}": np.ones(shape, np.float32) for i, shape in enumerate(shapes) if len(shape) < 32}
    assert outcome(einsum(equation, *shapes), feeds) not in ("loaded", "ran", "")


@pytest.mark.parametrize(
    ("equation", "shapes", "expected"),
    [
        ("...,...->...", [[], [2, 3]], [2, 3]),
        ("...,...->...", [[4, 1, 3], [2, 1]], [4, 2, 3]),
        ("b...i,ij -> b...j", [["b", 5, 3], [3, "j"]], ["b", 5, "j"]),
        ("ij,jk", [["n", 3], [3, 4]], ["n", 4]),
        ("ii->i", [[3, 3]], [3]),
        ("ij->", [[2, 3]], []),
        ("Ba,aB", [[2, 3], [3, 2]], []),
    ],
)
def test_the_shape_of_an_equation(equation, shapes, expected):
    session = ort.InferenceSession(einsum(equation, *shapes), providers=CPU)
    assert session.get_outputs()[0].shape == expected


# Sizes that are declared and never there


def sized(size, opset):
    """Models in which a size stands, each with the operator's name."""
    ints = [tensor("i", np.int64([0])), tensor("s", np.int64([size])), tensor("one", np.int64(1))]
    ints += [tensor("n", np.int64(size)), tensor("low", np.float32(0)), tensor("high", np.float32(4000))]
    ints += [tensor("length", np.int64(16)), tensor("rate", np.int64(8000)), tensor("zero", np.int64(0))]
    zero = tensor("", np.int64([0]))
    fill = node("ConstantOfShape", ["s"], ["c"], value=zero)
    chains = {  # with the opset that each needs
        "Add": (7, [node("Add", ["x", "x"], ["y"])]),
        "Mul": (7, [node("Mul", ["x", "x"], ["y"])]),
        "Gather": (1, [node("Gather", ["x", "i"], ["y"])]),
        "Slice": (10, [node("Slice", ["x", "i", "s"], ["y"])]),
        "Slice by it": (10, [node("Slice", ["i", "x", "x"], ["y"])]),
        "Reshape": (5, [node("Reshape", ["i", "x"], ["y"])]),
        "Expand": (8, [node("Expand", ["i", "x"], ["y"])]),
        "Cast": (6, [node("Cast", ["x"], ["y"], to=TensorProto.INT32)]),
        "ConstantOfShape by it": (9, [node("ConstantOfShape", ["x"], ["y"], value=zero)]),
        "ConstantOfShape, Gather": (9, [fill, node("Gather", ["c", "i"], ["y"])]),
        "ConstantOfShape, Concat": (9, [fill, node("Concat", ["c", "c"], ["y"], axis=0)]),
        "ConstantOfShape, SplitToSequence": (11, [fill, node("SplitToSequence", ["c"], ["y"])]),
        "Range": (11, [node("Range", ["zero", "n", "one"], ["r"]), node("Gather", ["r", "i"], ["y"])]),
        "MelWeightMatrix": (17, [node("MelWeightMatrix", ["n", "length", "rate", "low", "high"], ["y"])]),
        "HannWindow": (17, [node("HannWindow", ["n"], ["y"])]),
        "Tile": (6, [node("Tile", ["i", "s"], ["y"])]),
        "Tile by it": (6, [node("Tile", ["i", "x"], ["y"])]),
        "RandomNormal": (1, [node("RandomNormal", [], ["y"], shape=[size])]),
    }
    for name, (since, nodes) in chains.items():
        if since <= opset:
            yield name, model(nodes, [info("x", INT64, [size])], outputs("y"), ints, opsets={"": opset})


@pytest.mark.parametrize("opset", [8, 10, 13, 18, 23])
@pytest.mark.parametrize("power", [20, 31, 62])
def test_a_declared_size_costs_nothing(power, opset):
    for name, made in sized(2**power, opset):
        said = outcome(made)
        assert said == "loaded" or "ONNXRuntimeError" in said, (name, said)
        assert said == "loaded" or opset < 13, (name, said)


def sparse(count, shape):
    made = helper.make_sparse_tensor(tensor("w", np.ones(count, np.float32)), tensor("", np.arange(count)), shape)
    graph = helper.make_graph(
        [node("Add", ["x", "w"], ["y"])], "g", [info("x", FLOAT, [1])], outputs("y"), sparse_initializer=[made]
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()


def test_a_sparse_tensor_is_made_dense_in_proportion():
    assert outcome(sparse(2, [1000, 1000])) == "loaded"
    for shape in ([2**30], [2**20, 2**20]):
        assert "out of proportion" in outcome(sparse(2, shape))
    assert "larger than memory" in outcome(sparse(2, [2**62]))


# Types that contradict each other


def test_an_input_of_no_type():
    for fill in (
        lambda kind: None,
        lambda kind: kind.tensor_type.SetInParent(),
        lambda kind: setattr(kind.tensor_type, "elem_type", 99),
        lambda kind: kind.sequence_type.SetInParent(),
        lambda kind: kind.optional_type.elem_type.tensor_type.SetInParent(),
    ):
        x = ValueInfoProto(name="x")
        fill(x.type)
        said = outcome(model([node("Identity", ["x"], ["y"])], [x], outputs("y")))
        assert "Model input (x) does not have type information" in said


THROUGH = {
    "Optional": [node("Optional", ["g"], ["s"]), node("OptionalGetElement", ["s"], ["a"])],
    "SplitToSequence": [node("SplitToSequence", ["g"], ["s"]), node("ConcatFromSequence", ["s"], ["a"], axis=0)],
    "SequenceConstruct": [node("SequenceConstruct", ["g", "g"], ["s"]), node("SequenceAt", ["s", "i"], ["a"])],
    "Identity": [node("Identity", ["g"], ["a"])],
}


@pytest.mark.parametrize("through", THROUGH.values(), ids=THROUGH)
def test_a_type_declared_otherwise_than_made(through):
    made = model(
        [node("Gelu", ["x"], ["g"], domain="com.microsoft"), *through, node("Abs", ["a"], ["y"])],
        [info("x", TensorProto.DOUBLE, ["n"])],
        [info("y", TensorProto.INT8, None)],
        [tensor("i", np.int64(0))],
        domains=["com.microsoft"],
        opsets={"": 18},
    )
    said = outcome(made, {"x": np.ones(20000)})
    assert "Type Error" in said and "double" in said and "int8" in said


def test_a_body_whose_input_is_declared_otherwise():
    body = helper.make_graph(
        [node("Identity", ["c"], ["d"]), node("Identity", ["v"], ["w"])],
        "body",
        [info("i", INT64, []), info("c", BOOL, []), info("v", TensorProto.INT8, None)],
        outputs("d", "w"),
    )
    made = model([node("Loop", ["", "c", "x"], ["y"], body=body)], [info("x", FLOAT, [3]), info("c", BOOL, [])])
    assert "int8" in outcome(made)
