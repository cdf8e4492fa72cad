# SPDX-License-Identifier: Apache-2.0
"""Small models that every pass finds something in, and those that a file could get wrong. Seeded."""

import numpy as np
from onnx import TensorProto as T
from onnx import helper, numpy_helper

N = helper.make_node
TOLERANCES = {"half": {"atol": 2e-2, "rtol": 1e-2}, "int4": {"atol": 2e-2, "rtol": 2e-2}}


class Source:
    """Numbers for weights and inputs of one model."""

    def __init__(self):
        self.random = np.random.default_rng(3)

    def weight(self, name, *shape):
        return numpy_helper.from_array((self.random.standard_normal(shape) * 0.3).astype(np.float32), name)

    def input(self, *shape):
        return self.random.standard_normal(shape).astype(np.float32)


def constant(name, value):
    return numpy_helper.from_array(np.asarray(value), name)


def model(nodes, weights, inputs, outputs=("y",), opset=17, ir=8, domains=(), functions=(), sparse=()):
    """`inputs`: name -> (element type, shape, value). `outputs`: names, or value infos."""
    info = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes,
        "graph",
        [info(name, t, shape) for name, (t, shape, _) in inputs.items()],
        [o if not isinstance(o, str) else info(o, T.FLOAT, None) for o in outputs],
        weights,
        sparse_initializer=sparse,
    )
    opsets = [helper.make_opsetid(domain, version) for domain, version in (("", opset), *domains)]
    made = helper.make_model(graph, opset_imports=opsets, ir_version=ir, producer_name="tests", functions=functions)
    made.model_version, made.domain, made.doc_string = 7, "org.example", "a model of the tests"
    helper.set_model_props(made, {"author": "someone"})
    return made.SerializeToString(), {name: value for name, (_, _, value) in inputs.items()}


def norm(x, y):
    return [
        N("ReduceMean", [x], ["mean"], axes=[-1]),
        N("Sub", [x, "mean"], ["centred"]),
        N("Pow", ["centred", "two"], ["square"]),
        N("ReduceMean", ["square"], ["variance"], axes=[-1]),
        N("Add", ["variance", "epsilon"], ["shifted"]),
        N("Sqrt", ["shifted"], ["deviation"]),
        N("Div", ["centred", "deviation"], ["unit"]),
        N("Mul", ["unit", "gamma"], ["scaled"]),
        N("Add", ["scaled", "beta"], [y]),
    ]


def norm_weights(s):
    return [
        constant("two", np.float32(2)),
        constant("epsilon", np.float32(1e-5)),
        s.weight("gamma", 16),
        s.weight("beta", 16),
    ]


def layer_normalization(s, opset):
    return model(norm("x", "y"), norm_weights(s), {"x": (T.FLOAT, ["B", "S", 16], s.input(2, 5, 16))}, opset=opset)


def perceptron(s, opset):
    """Residual, normalisation, product with bias, Gelu."""
    nodes = [
        N("Add", ["x", "z"], ["sum"]),
        *norm("sum", "normed"),
        N("MatMul", ["normed", "w1"], ["p"]),
        N("Add", ["p", "b1"], ["h"]),
        N("Div", ["h", "root"], ["e1"]),
        N("Erf", ["e1"], ["e2"]),
        N("Add", ["e2", "one"], ["e3"]),
        N("Mul", ["h", "e3"], ["e4"]),
        N("Mul", ["e4", "half"], ["f"]),
        N("MatMul", ["f", "w2"], ["o"]),
        N("Add", ["o", "sum"], ["y"]),
    ]
    weights = [
        *norm_weights(s),
        s.weight("w1", 16, 32),
        s.weight("b1", 32),
        s.weight("w2", 32, 16),
        constant("root", np.float32(2**0.5)),
        constant("one", np.float32(1)),
        constant("half", np.float32(0.5)),
    ]
    inputs = {name: (T.FLOAT, ["B", "S", 16], s.input(2, 5, 16)) for name in "xz"}
    return model(nodes, weights, inputs, opset=opset)


def attention(s):
    nodes = [N("MatMul", ["x", "w" + part], [part + "0"]) for part in "qkv"]
    for part, perm in (("q", [0, 2, 1, 3]), ("k", [0, 2, 3, 1]), ("v", [0, 2, 1, 3])):
        nodes += [
            N("Reshape", [part + "0", "heads"], [part + "1"]),
            N("Transpose", [part + "1"], [part + "2"], perm=perm),
        ]
    nodes += [
        N("MatMul", ["q2", "k2"], ["s0"]),
        N("Mul", ["s0", "scale"], ["s1"]),
        N("Softmax", ["s1"], ["p"], axis=-1),
        N("MatMul", ["p", "v2"], ["o1"]),
        N("Transpose", ["o1"], ["o2"], perm=[0, 2, 1, 3]),
        N("Reshape", ["o2", "flat"], ["o3"]),
        N("MatMul", ["o3", "wo"], ["o4"]),
        N("Add", ["o4", "x"], ["y"]),
    ]
    weights = [s.weight("w" + part, 16, 16) for part in "qkvo"]
    weights += [
        constant("heads", np.array([0, 0, 4, 4])),
        constant("flat", np.array([0, 0, 16])),
        constant("scale", np.float32(0.5)),
    ]
    return model(nodes, weights, {"x": (T.FLOAT, ["B", "S", 16], s.input(2, 5, 16))})


def root_mean_square(s):
    nodes = [
        N("Pow", ["x", "two"], ["p"]),
        N("ReduceMean", ["p"], ["m"], axes=[-1]),
        N("Add", ["m", "epsilon"], ["e"]),
        N("Sqrt", ["e"], ["r"]),
        N("Div", ["x", "r"], ["d"]),
        N("Mul", ["d", "gamma"], ["y"]),
    ]
    return model(nodes, norm_weights(s), {"x": (T.FLOAT, ["B", 4, 16], s.input(2, 4, 16))}, opset=13)


def convolutions(s, activation):
    nodes = [
        N("Conv", ["x", "w"], ["a"], pads=[1] * 4),
        N(activation, ["a"], ["r"]),
        N("MaxPool", ["r"], ["p"], kernel_shape=[2, 2]),
        N("Conv", ["p", "w"], ["q"], pads=[1] * 4),
        N("Add", ["q", "p"], ["s"]),
        N(activation, ["s"], ["t"]),
        N("GlobalAveragePool", ["t"], ["u"]),
        N("Flatten", ["u"], ["flat"]),
        N("Gemm", ["flat", "last"], ["y"], transB=1),
    ]
    weights = [s.weight("w", 16, 16, 3, 3), s.weight("last", 3, 16)]
    return model(nodes, weights, {"x": (T.FLOAT, ["B", 16, 9, 9], s.input(2, 16, 9, 9))})


def elementwise(s):
    nodes = [
        N("Exp", ["x"], ["a"]),
        N("Sin", ["a"], ["b"]),
        N("Mul", ["b", "x"], ["c"]),
        N("Sigmoid", ["c"], ["d"]),
        N("Mul", ["c", "d"], ["e"]),
        N("Add", ["e", "a"], ["y"]),
    ]
    return model(nodes, [], {"x": (T.FLOAT, ["B", 8], s.input(2, 8))})


def loop(s):
    info = helper.make_tensor_value_info
    body = helper.make_graph(
        [
            N("Add", ["state", "w"], ["t"]),
            N("Relu", ["t"], ["next"]),
            N("Sin", ["next"], ["r"]),
            N("Mul", ["r", "t"], ["row"]),
            N("Identity", ["c"], ["more"]),
        ],
        "body",
        [info("i", T.INT64, []), info("c", T.BOOL, []), info("state", T.FLOAT, [3])],
        [info("more", T.BOOL, []), info("next", T.FLOAT, [3]), info("row", T.FLOAT, [3])],
    )
    weights = [constant("n", np.array(3)), constant("go", np.array(True)), s.weight("w", 3)]
    return model(
        [N("Loop", ["n", "go", "x"], ["y", "rows"], body=body)],
        weights,
        {"x": (T.FLOAT, [3], s.input(3))},
        outputs=[info("y", T.FLOAT, [3]), info("rows", T.FLOAT, ["k", 3])],
    )


def branches(s):
    """Bodies read values of the graph that passes fuse, and name theirs as the graph's are named."""
    info = helper.make_tensor_value_info
    then = helper.make_graph(
        [N("Mul", ["m", "two"], ["t"])], "then", [], [info("t", T.FLOAT, None)], [constant("two", np.float32(2))]
    )
    other = helper.make_graph([N("Sub", ["m", "x"], ["t"])], "other", [], [info("t", T.FLOAT, None)])
    nodes = [
        N("ReduceSum", ["x"], ["r"], keepdims=0),
        N("Greater", ["r", "zero"], ["c"]),
        N("Exp", ["x"], ["e"]),
        N("Mul", ["e", "x"], ["m"]),
        N("If", ["c"], ["y"], then_branch=then, else_branch=other),
    ]
    return model(nodes, [constant("zero", np.float32(0))], {"x": (T.FLOAT, ["B"], s.input(4))}, opset=13)


def function_of_another_opset(s):
    nodes = [
        N("ReduceSum", ["a"], ["r"], axes=[1], keepdims=0),
        N("Softmax", ["a"], ["t"], axis=0),
        N("ReduceSum", ["t"], ["q"], axes=[1], keepdims=0),
        N("Add", ["r", "q"], ["b"]),
    ]
    function = helper.make_function("l", "f", ["a"], ["b"], nodes, [helper.make_opsetid("", 11)])
    nodes = [
        N("f", ["x"], ["z"], domain="l"),
        N("ReduceSum", ["x", "axes"], ["r"], keepdims=0),
        N("Add", ["z", "r"], ["y"]),
    ]
    return model(
        nodes,
        [constant("axes", np.array([1]))],
        {"x": (T.FLOAT, ["B", 3], s.input(2, 3))},
        opset=18,
        domains=[("l", 1)],
        functions=[function],
    )


def texts(s):
    info = helper.make_tensor_value_info("y", T.STRING, [3])
    value = np.array(["1", "2", "3"], object)
    weights = [numpy_helper.from_array(np.array(["ä", "b c", ""], object), "s")]
    return model(
        [N("StringConcat", ["x", "s"], ["y"])], weights, {"x": (T.STRING, [3], value)}, outputs=[info], opset=20
    )


def sparse(s):
    tensor = helper.make_sparse_tensor(
        numpy_helper.from_array(np.float32([5, 7]), "w"), constant("", np.array([0, 2])), [3]
    )
    return model(
        [N("Add", ["x", "w"], ["y"])],
        [],
        {"x": (T.FLOAT, [3], s.input(3))},
        sparse=[tensor],
        outputs=[helper.make_tensor_value_info("y", T.FLOAT, [3])],
    )


def half(s):
    weights = [numpy_helper.from_array(s.input(8, 4).astype(np.float16), "w")]
    inputs = {"x": (T.FLOAT16, ["n", 8], s.input(2, 8).astype(np.float16))}
    return model(
        [N("MatMul", ["x", "w"], ["y"])], weights, inputs, outputs=[helper.make_tensor_value_info("y", T.FLOAT16, None)]
    )


def int4(s):
    weights = [
        helper.make_tensor("q", T.INT4, [8, 5], s.random.integers(-8, 8, 40).tolist()),
        constant("scales", np.float32([0.1, 0.2, 0.3, 0.4, 0.5])),
    ]
    nodes = [N("DequantizeLinear", ["q", "scales"], ["w"], axis=1), N("MatMul", ["x", "w"], ["y"])]
    return model(nodes, weights, {"x": (T.FLOAT, ["n", 8], s.input(2, 8))}, opset=21, ir=10)


def empty_optional(s):
    kind = helper.make_tensor_type_proto(T.FLOAT, [3])
    nodes = [
        N("Optional", [], ["o"], type=kind),
        N("OptionalHasElement", ["o"], ["h"]),
        N("Cast", ["h"], ["f"], to=T.FLOAT),
        N("Add", ["f", "x"], ["y"]),
    ]
    return model(nodes, [], {"x": (T.FLOAT, [3], s.input(3))}, opset=18)


def weight_that_may_be_given(s, ir):
    data, feed = model(
        [N("Mul", ["x", "w"], ["y"])],
        [s.weight("w", 3)],
        {"x": (T.FLOAT, [3], s.input(3)), "w": (T.FLOAT, [3], None)},
        ir=ir,
        opset=8,
    )
    return data, {"x": feed["x"]}


def large_weight(s):
    nodes = [N("MatMul", ["x", "w"], ["a"]), N("Gather", ["w", "i"], ["g"]), N("Add", ["a", "g"], ["y"])]
    weights = [s.weight("w", 256, 256), constant("i", np.array([3]))]
    return model(nodes, weights, {"x": (T.FLOAT, ["n", 256], s.input(2, 256))})


MODELS = {
    "layer_normalization_13": lambda s: layer_normalization(s, 13),
    "layer_normalization_17": lambda s: layer_normalization(s, 17),
    "perceptron_11": lambda s: perceptron(s, 11),
    "perceptron_13": lambda s: perceptron(s, 13),
    "perceptron_17": lambda s: perceptron(s, 17),
    "attention": attention,
    "root_mean_square": root_mean_square,
    "convolutions_relu": lambda s: convolutions(s, "Relu"),
    "convolutions_hard_swish": lambda s: convolutions(s, "HardSwish"),
    "elementwise": elementwise,
    "loop": loop,
    "branches": branches,
    "function_of_another_opset": function_of_another_opset,
    "texts": texts,
    "sparse": sparse,
    "half": half,
    "int4": int4,
    "empty_optional": empty_optional,
    "weight_that_may_be_given": lambda s: weight_that_may_be_given(s, 8),
    "weight_of_an_old_model": lambda s: weight_that_may_be_given(s, 3),
    "large_weight": large_weight,
}


def model_of(name):
    """The bytes of a model and what to feed it."""
    return MODELS[name](Source())
