# SPDX-License-Identifier: Apache-2.0
"""A graph with the value of each of its names: as a model, and without a node."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

IR_VERSION = 10
IMPORTS = {"ai.onnx.ml": 5, "com.microsoft": 1}


def element_type(array: np.ndarray) -> int:
    return TensorProto.STRING if array.dtype == object else helper.np_dtype_to_tensor_dtype(array.dtype)


def type_of(value: Any, shape: list | None = None) -> onnx.TypeProto:
    """The type of an array, or of a list of arrays of one type."""
    if isinstance(value, list):
        first = value[0] if value else np.zeros(0, np.float32)
        return helper.make_sequence_type_proto(helper.make_tensor_type_proto(element_type(first), None))
    return helper.make_tensor_type_proto(element_type(value), shape)


def bodies(node: onnx.NodeProto) -> list[onnx.GraphProto]:
    return [body for a in node.attribute for body in ([a.g] if a.HasField("g") else []) + list(a.graphs)]


def reads(node: onnx.NodeProto) -> list[str]:
    """All names that a node takes from its graph, those that its bodies capture too."""
    names = [name for name in node.input if name]
    for body in bodies(node):
        known = {i.name for i in body.input} | {i.name for i in body.initializer}
        for inner in body.node:
            names += [name for name in reads(inner) if name not in known]
            known.update(inner.output)
        names += [o.name for o in body.output if o.name not in known]
    return list(dict.fromkeys(names))


@dataclasses.dataclass
class Graph:
    """`values` has the reference value of every name; those in `unknown` have the right type and shape only."""

    opset: int
    nodes: list[onnx.NodeProto]
    values: dict[str, Any]
    inputs: list[str]
    constants: list[str]
    outputs: list[str]
    unknown: set[str]
    hidden: set[str]  # names of a type that is no input or output of a model here
    symbols: dict[int, str]  # sizes of inputs that have a name
    declared: bool = True  # whether outputs say their shape

    def feeds(self) -> dict[str, Any]:
        return {name: self.values[name] for name in self.inputs}

    def model(self, outputs: list[str] | None = None) -> onnx.ModelProto:
        return self._model(self.nodes, self.inputs, self.constants, self.outputs if outputs is None else outputs)

    def node_model(self, node: onnx.NodeProto) -> onnx.ModelProto:
        """One node by itself; everything that it takes is an input."""
        return self._model([node], reads(node), [], [o for o in node.output if o])

    def _model(self, nodes, inputs, constants, outputs) -> onnx.ModelProto:
        graph = helper.make_graph(
            nodes,
            "random",
            [self._info(name, True) for name in inputs],
            [self._info(name, self.declared) for name in outputs],
            [tensor(self.values[name], name) for name in constants],
        )
        imports = [helper.make_opsetid("", self.opset)] + [helper.make_opsetid(*i) for i in IMPORTS.items()]
        return helper.make_model(graph, opset_imports=imports, ir_version=IR_VERSION)

    def _info(self, name: str, with_shape: bool) -> onnx.ValueInfoProto:
        value = self.values[name]
        shape = None
        if isinstance(value, np.ndarray) and with_shape and name in self.inputs:
            shape = [self.symbols.get(size, size) for size in value.shape]
        elif isinstance(value, np.ndarray) and with_shape and not self.symbols:
            shape = list(value.shape)
        return helper.make_value_info(name, type_of(value, shape))

    def without(self, index: int) -> Graph | None:
        """The graph without a node, whose results become inputs; None where one of them cannot be an input."""
        gone = self.nodes[index]
        nodes = self.nodes[:index] + self.nodes[index + 1 :]
        read = {name for node in nodes for name in reads(node)}
        outputs = [name for name in self.outputs if name not in gone.output]
        given = [name for name in gone.output if name in read]
        if any(name in self.hidden or not isinstance(self.values[name], np.ndarray) for name in given):
            return None
        return dataclasses.replace(self, nodes=nodes, inputs=self.inputs + given, outputs=outputs).tidied()

    def tidied(self) -> Graph:
        """Without inputs and constants that nothing reads; what nothing reads of other nodes is an output."""
        read = {name for node in self.nodes for name in reads(node)}
        wanted = read.union(self.outputs)
        nodes = [n for n in self.nodes if n.op_type != "Constant" or n.output[0] in wanted]
        ends = [o for n in nodes for o in n.output if o and o not in wanted and o not in self.hidden]
        return dataclasses.replace(
            self,
            nodes=nodes,
            inputs=[name for name in self.inputs if name in read],
            constants=[name for name in self.constants if name in read],
            outputs=self.outputs + ends,
        )


def tensor(array: np.ndarray, name: str) -> TensorProto:
    if array.dtype == object:
        return helper.make_tensor(name, TensorProto.STRING, array.shape, [str(t).encode() for t in array.ravel()])
    return numpy_helper.from_array(array, name)
