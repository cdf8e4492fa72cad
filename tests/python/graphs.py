# SPDX-License-Identifier: Apache-2.0
"""Random graphs of elementwise operators, matrix products, reductions and moves, from a seed."""

import numpy as np
from onnx import TensorProto, checker, helper, numpy_helper

UNARY = ["Relu", "Neg", "Abs", "Sigmoid", "Tanh", "Identity", "Erf", "Softplus"]
BINARY = ["Add", "Sub", "Mul", "Max", "Min"]
NUMBERS = {"N": 7, "M": 11}  # stand for the named dimensions while shapes are reckoned


class Builder:
    """Values with their shapes; a dimension is a number or a name."""

    def __init__(self, seed):
        self.random = np.random.default_rng(seed)
        self.nodes, self.constants = [], []
        self.values = []  # (name, shape)

    def pick(self, options):
        return options[self.random.integers(len(options))]

    def constant(self, array):
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(array), name))
        return name

    def weight(self, shape):
        return self.constant(self.random.standard_normal(shape).astype(np.float32) / 2)

    def scalar(self):
        return self.constant(np.float32(self.pick([0, 1, 2, 0.5, -1, 0.3, 4])))

    def add(self, op, inputs, shape, **attributes):
        name = f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, inputs, [name], name=f"{op}_{name}", **attributes))
        self.values.append((name, list(shape)))
        return name

    def unary(self, name, shape):
        self.add(self.pick(UNARY), [name], shape)

    def with_scalar(self, name, shape):
        inputs = [name, self.scalar()]
        op = self.pick([*BINARY, "Div"])
        if op == "Div":  # by a power of two or not, never by zero
            inputs[1] = self.constant(np.float32(self.pick([2, 3, -4])))
        elif self.random.random() < 0.5:
            inputs.reverse()
        self.add(op, inputs, shape)

    def with_vector(self, name, shape):
        if shape and isinstance(shape[-1], int):
            self.add(self.pick(BINARY), [name, self.weight((shape[-1],))], shape)

    def binary(self, name, shape):
        alike = [other for other, its in self.values if its == shape]
        self.add(self.pick(BINARY), [name, self.pick(alike)], shape)

    def product(self, name, shape):
        if len(shape) < 2 or not isinstance(shape[-1], int):
            return
        columns = int(self.pick([1, 3, 4, 8]))
        self.add("MatMul", [name, self.weight((shape[-1], columns))], [*shape[:-1], columns])

    def transpose(self, name, shape):
        if len(shape) < 2:
            return
        perm = [int(i) for i in self.random.permutation(len(shape))]
        self.add("Transpose", [name], [shape[i] for i in perm], perm=perm)

    def reduce(self, name, shape):
        if not shape:
            return
        axis, keep = int(self.random.integers(len(shape))), int(self.random.integers(2))
        kept = [1 if i == axis else dim for i, dim in enumerate(shape) if keep or i != axis]
        op = self.pick(["ReduceMean", "ReduceMax", "ReduceSum"])
        if op == "ReduceSum":
            self.add(op, [name, self.constant(np.array([axis]))], kept, keepdims=keep)
        else:
            self.add(op, [name], kept, axes=[axis - len(shape)], keepdims=keep)

    def softmax(self, name, shape):
        if shape:
            self.add("Softmax", [name], shape, axis=-1)

    def unsqueeze(self, name, shape):
        if len(shape) > 4:
            return
        axis = int(self.random.integers(len(shape) + 1))
        self.add("Unsqueeze", [name, self.constant(np.array([axis]))], [*shape[:axis], 1, *shape[axis:]])

    def squeeze(self, name, shape):
        ones = [i for i, dim in enumerate(shape) if dim == 1]
        if ones:
            axis = int(self.pick(ones))
            self.add("Squeeze", [name, self.constant(np.array([axis]))], shape[:axis] + shape[axis + 1 :])

    def reshape(self, name, shape):
        """Joins or parts fixed dimensions, naming the rest by 0, by -1, or by arithmetic on the shape itself."""
        fixed = [i for i in range(len(shape) - 1) if isinstance(shape[i], int) and isinstance(shape[i + 1], int)]
        if not fixed:
            return
        i = int(self.pick(fixed))
        joined = [*shape[:i], shape[i] * shape[i + 1], *shape[i + 2 :]]
        named = [k for k, dim in enumerate(joined) if not isinstance(dim, int)]
        if len(named) < 2 and self.random.random() < 0.5:
            self.add(
                "Reshape", [name, self.constant([-1 if k in named else joined[k] for k in range(len(joined))])], joined
            )
            return
        whole = f"shape{len(self.nodes)}"
        self.nodes.append(helper.make_node("Shape", [name], [whole]))
        parts = []
        for k, dim in enumerate(joined):
            if isinstance(dim, int):
                parts.append(self.constant(np.array([dim])))
                continue
            parts.append(f"{whole}_{k}")
            at = self.constant(np.array([shape.index(dim)]))
            self.nodes.append(helper.make_node("Gather", [whole, at], [parts[-1]]))
        self.nodes.append(helper.make_node("Concat", parts, [f"{whole}_target"], axis=0))
        self.add("Reshape", [name, f"{whole}_target"], joined)

    def normalise(self, name, shape):
        if shape and isinstance(shape[-1], int) and shape[-1] > 1:
            inputs = [name, self.weight((shape[-1],)), self.weight((shape[-1],))]
            self.add("LayerNormalization", inputs, shape, axis=-1, epsilon=1e-2)

    def gelu(self, name, shape):
        scaled = self.add("Div", [name, self.constant(np.float32(np.sqrt(2)))], shape)
        raised = self.add("Add", [self.add("Erf", [scaled], shape), self.constant(np.float32(1))], shape)
        self.add("Mul", [self.add("Mul", [name, raised], shape), self.constant(np.float32(0.5))], shape)


def random_model(seed, steps=14):
    """The bytes of a model whose results stay of modest size."""
    builder = Builder(seed)
    inputs = {"x": ["N", 4, 8], "y": ["N", "M", 8], "z": [3, 4]}
    builder.values = list(inputs.items())
    actions = [
        "unary",
        "with_scalar",
        "with_vector",
        "binary",
        "product",
        "transpose",
        "reduce",
        "softmax",
        "unsqueeze",
    ]
    actions += ["squeeze", "reshape", "reshape", "normalise", "gelu", "binary", "unary"]
    while len(builder.values) < len(inputs) + steps:
        # Recent values are taken more often, so that chains grow.
        recent = builder.values[-4:] if builder.random.random() < 0.7 else builder.values
        getattr(builder, builder.pick(actions))(*builder.pick(recent))
    read = {name for node in builder.nodes for name in node.input}
    ends = [(name, shape) for name, shape in builder.values if name not in read and name not in inputs]
    inner = [(name, shape) for name, shape in builder.values if name in read and name not in inputs]
    ends += inner[:: max(1, len(inner) // 2)][:2]  # results that others read
    graph = helper.make_graph(
        builder.nodes,
        "random",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in inputs.items()],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in ends],
        builder.constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    checker.check_model(model)
    return model.SerializeToString()
