# SPDX-License-Identifier: Apache-2.0
"""Makers of small models, valid or not: nothing here asks onnx's checker."""

import numpy as np
from onnx import TensorProto, helper, numpy_helper

FLOAT, INT64, BOOL = TensorProto.FLOAT, TensorProto.INT64, TensorProto.BOOL


def info(name, element, shape):
    return helper.make_tensor_value_info(name, element, shape)


def tensor(name, array):
    return numpy_helper.from_array(np.ascontiguousarray(array).reshape(np.shape(array)), name)


def relu():
    return helper.make_node("Relu", ["x"], ["y"], name="relu")


def model(nodes, inputs=None, outputs=None, initializers=(), opsets=None, domains=(), functions=(), ir_version=8):
    """The bytes of a model that reads x and makes y, both float [2, 3], unless told otherwise."""
    graph = helper.make_graph(
        nodes,
        "graph",
        [info("x", FLOAT, [2, 3])] if inputs is None else inputs,
        [info("y", FLOAT, [2, 3])] if outputs is None else outputs,
        list(initializers),
    )
    opsets = {"": 17, **dict.fromkeys(domains, 1), **(opsets or {})}
    imports = [helper.make_opsetid(domain, version) for domain, version in opsets.items()]
    made = helper.make_model(graph, opset_imports=imports, functions=list(functions))
    made.ir_version = ir_version
    return made.SerializeToString()


def external(location, **place):
    """y = x + w, four numbers each, w in the file `location`."""
    w = TensorProto(name="w", data_type=FLOAT, dims=[4], data_location=TensorProto.EXTERNAL)
    for key, value in {"location": location, **place}.items():
        w.external_data.add(key=key, value=value)
    add = helper.make_node("Add", ["x", "w"], ["y"])
    return model([add], inputs=[info("x", FLOAT, [4])], outputs=[info("y", FLOAT, [4])], initializers=[w])


def write(path, content):
    path.write_bytes(content)
    return str(path)


def nested(depth):
    """An If in an If in an If ...: joined as bytes, where Python's protobuf would refuse to go that deep."""

    def varint(number):
        low, high = number & 0x7F, number >> 7
        return bytes([low | 0x80]) + varint(high) if high else bytes([low])

    def field(number, content):
        return varint(number << 3 | 2) + varint(len(content)) + content

    graph_node, attribute_graph, node_attribute = 1, 6, 5
    flat = helper.make_graph([helper.make_node("Relu", ["x"], ["v"])], "g", [], [info("v", FLOAT, None)])
    rest_of_graph = helper.make_graph([], "g", [], [info("v", FLOAT, None)]).SerializeToString()
    attribute = helper.make_attribute("then_branch", helper.make_graph([], "", [], []))
    attribute.ClearField("g")
    node = helper.make_node("If", ["c"], ["v"], else_branch=flat).SerializeToString()
    graph = flat.SerializeToString()
    for _ in range(depth):
        taken = field(node_attribute, attribute.SerializeToString() + field(attribute_graph, graph))
        graph = field(graph_node, node + taken) + rest_of_graph
    model_graph = 7
    inputs = [info("x", FLOAT, [2, 3]), info("c", BOOL, [])]
    empty = model([], inputs=inputs, outputs=[])
    return empty + field(model_graph, graph)  # a message given twice is merged


def _convolution():
    rng = np.random.default_rng(0)
    nodes = [
        helper.make_node("Conv", ["x", "w", "b"], ["c"], pads=[1, 1, 1, 1], strides=[2, 2]),
        helper.make_node("Relu", ["c"], ["r"]),
        helper.make_node("MaxPool", ["r"], ["p"], kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Flatten", ["p"], ["f"]),
        helper.make_node("Gemm", ["f", "g"], ["y"], transB=1),
    ]
    weights = {"w": rng.standard_normal((8, 3, 3, 3)), "b": np.zeros(8), "g": rng.standard_normal((4, 32))}
    tensors = [tensor(name, array.astype(np.float32)) for name, array in weights.items()]
    return model(nodes, [info("x", FLOAT, ["N", 3, 8, 8])], [info("y", FLOAT, ["N", 4])], tensors)


def _attention():
    rng = np.random.default_rng(0)
    nodes = [
        helper.make_node("Gather", ["table", "ids"], ["e"]),
        helper.make_node("LayerNormalization", ["e", "scale"], ["n"], axis=-1),
        *(helper.make_node("MatMul", ["n", f"w{i}"], [f"p{i}"]) for i in range(3)),
        *(helper.make_node("Reshape", [f"p{i}", "heads"], [f"h{i}"]) for i in range(3)),
        helper.make_node("Transpose", ["h0"], ["q"], perm=[0, 2, 1, 3]),
        helper.make_node("Transpose", ["h1"], ["k"], perm=[0, 2, 3, 1]),
        helper.make_node("Transpose", ["h2"], ["v"], perm=[0, 2, 1, 3]),
        helper.make_node("MatMul", ["q", "k"], ["s"]),
        helper.make_node("Mul", ["s", "factor"], ["m"]),
        helper.make_node("Softmax", ["m"], ["a"], axis=-1),
        helper.make_node("MatMul", ["a", "v"], ["o"]),
        helper.make_node("Transpose", ["o"], ["t"], perm=[0, 2, 1, 3]),
        helper.make_node("Shape", ["e"], ["shape"]),
        helper.make_node("Reshape", ["t", "shape"], ["u"]),
        helper.make_node("Add", ["u", "e"], ["y"]),
    ]
    arrays = {
        "table": rng.standard_normal((10, 8)),
        "scale": np.ones(8),
        **{f"w{i}": rng.standard_normal((8, 8)) for i in range(3)},
        "factor": np.array(0.5),
    }
    tensors = [tensor(name, array.astype(np.float32)) for name, array in arrays.items()]
    tensors.append(tensor("heads", np.array([0, 0, 2, 4])))
    return model(nodes, [info("ids", INT64, ["B", "S"])], [info("y", FLOAT, ["B", "S", 8])], tensors)


def _shapes():
    nodes = [
        helper.make_node("Slice", ["x", "starts", "ends", "axes"], ["s"]),
        helper.make_node("Concat", ["s", "x"], ["c"], axis=1),
        helper.make_node("Pad", ["c", "pads"], ["p"]),
        helper.make_node("Split", ["p", "split"], ["a", "b"], axis=1),
        helper.make_node("Unsqueeze", ["a", "axes"], ["u"]),
        helper.make_node("Expand", ["u", "to"], ["e"]),
        helper.make_node("ReduceSum", ["e", "axes"], ["r"], keepdims=0),
        helper.make_node("Tile", ["r", "repeats"], ["t"]),
        helper.make_node("Where", ["mask", "t", "zero"], ["w"]),
        helper.make_node("Cast", ["w"], ["i"], to=INT64),
        helper.make_node("Gather", ["b", "which"], ["g"], axis=0),
        helper.make_node("Shape", ["g"], ["z"]),
    ]
    ints = {
        "starts": [0],
        "ends": [2],
        "axes": [1],
        "pads": [0, 1, 0, 0],
        "split": [3, 3],
        "to": [2, 4, 3],
        "repeats": [1, 2],
        "which": [1, 0],
    }
    tensors = [tensor(name, np.array(values)) for name, values in ints.items()]
    tensors += [tensor("mask", np.array([True, False] * 3)), tensor("zero", np.zeros(1, np.float32))]
    outputs = [info("z", INT64, None), info("i", INT64, None)]
    return model(nodes, [info("x", FLOAT, [2, 3])], outputs, tensors)


def _control_flow():
    then_branch = helper.make_graph([helper.make_node("Neg", ["x"], ["n"])], "then", [], [info("n", FLOAT, None)])
    body = helper.make_graph(
        [
            helper.make_node("Add", ["v", "o"], ["w"]),
            helper.make_node("Identity", ["go"], ["on"]),
            helper.make_node("ReduceSum", ["w"], ["total"], keepdims=0),
        ],
        "body",
        [info("i", INT64, []), info("go", BOOL, []), info("v", FLOAT, [2, 3])],
        [info("on", BOOL, []), info("w", FLOAT, [2, 3]), info("total", FLOAT, [])],
    )
    nodes = [
        helper.make_node("ReduceSum", ["x"], ["sum"], keepdims=0),
        helper.make_node("Less", ["sum", "limit"], ["c"]),
        helper.make_node("If", ["c"], ["o"], then_branch=then_branch, else_branch=then_branch),
        helper.make_node("Loop", ["trips", "", "x"], ["y", "totals"], body=body),
    ]
    tensors = [tensor("limit", np.float32(9)), tensor("trips", np.array(3))]
    outputs = [info("y", FLOAT, [2, 3]), info("totals", FLOAT, [3])]
    return model(nodes, None, outputs, tensors)


def damaged_samples():
    """Small whole models of several kinds, to be damaged."""
    return {
        "convolution": _convolution(),
        "attention": _attention(),
        "shapes": _shapes(),
        "control_flow": _control_flow(),
    }
