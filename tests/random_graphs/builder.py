# SPDX-License-Identifier: Apache-2.0
"""Grows a graph node by node. The value of every name is known, so that operators find inputs that suit them."""

from __future__ import annotations

import collections
from collections.abc import Callable, Iterable
from typing import Any

import ml_dtypes
import numpy as np
import onnx
from onnx import defs, helper, shape_inference

from .graph import IMPORTS, Graph, bodies, element_type, reads, tensor
from .reference import evaluate, single

WORDS = ["", "a", "bc", "Abc", "b", "10", "-2.5", "word", "ä"]
SPECIAL = [0, 1, -1, 2, 0.5, -0.0]
LARGEST = {"float16": 200.0, "bfloat16": 1e4}  # of values that are worth building on
OPSETS = [9, 11, 13, 15, 17, 18, 19, 20, 21, 21, 22, 22, 23, 23, 24, 25, 26, 27, 28]


class Rejected(Exception):
    """The node cannot be made here."""


class Builder:
    """One graph, or the body of a node: a body sees the values of `outer`."""

    def __init__(self, seed: int | np.random.Generator, opset: int | None = None, outer: Builder | None = None):
        self.random = np.random.default_rng(seed)
        self.opset = int(self.choose(OPSETS)) if opset is None else opset
        self.outer = outer
        self.nodes: list[onnx.NodeProto] = []
        self.values: dict[str, Any] = {}
        self.inputs: list[str] = []
        self.constants: list[str] = []
        self.unknown: set[str] = set()
        self.hidden: set[str] = set()
        self.counter = outer.counter if outer else collections.Counter()
        self.cannot: collections.Counter = outer.cannot if outer else collections.Counter()

    # Chance.

    def chance(self, share: float) -> bool:
        return bool(self.random.random() < share)

    def choose(self, options: Iterable) -> Any:
        options = list(options)
        if not options:
            raise Rejected("nothing to choose from")
        return options[self.random.integers(len(options))]

    def integer(self, low: int, high: int) -> int:
        """From low to high, both included."""
        return int(self.random.integers(low, high + 1))

    def shape(self, rank: int | None = None, largest: int = 5) -> tuple[int, ...]:
        rank = int(self.choose([0, 1, 1, 2, 2, 2, 3, 3, 4])) if rank is None else rank
        sizes = [self.integer(1, largest) for _ in range(rank)]
        if rank and self.chance(0.12):
            sizes[-1] = int(self.choose([8, 16, 17, 33]))
        if rank and self.chance(0.03):
            sizes[self.integer(0, rank - 1)] = 0
        return tuple(sizes)

    def array(self, dtype, shape, low: float = -3, high: float = 3) -> np.ndarray:
        """Numbers of modest size; `low` and `high` bound them."""
        dtype = np.dtype(dtype)
        if dtype.kind == "O":
            return np.array([self.choose(WORDS) for _ in range(int(np.prod(shape)))], object).reshape(shape)
        if dtype.kind == "b":
            return np.asarray(self.random.random(shape) < 0.5)
        if dtype.kind in "iu" or dtype.name.startswith(("int", "uint")):
            limits = np.iinfo(dtype) if dtype.kind in "iu" else ml_dtypes.iinfo(dtype)
            low, high = max(int(np.ceil(low)), int(limits.min)), min(int(high), int(limits.max))
            return np.asarray(self.random.integers(low, high + 1, shape)).astype(dtype)
        if dtype.kind == "c":
            drawn = self.random.uniform(low, high, shape) + 1j * self.random.uniform(low, high, shape)
            return np.asarray(drawn, dtype)
        values = self.random.uniform(low, high, shape)
        if self.chance(0.15):
            values = np.clip(np.rint(values), low, high)
        return np.asarray(values).astype(dtype)

    # Values.

    def name(self, stem: str) -> str:
        self.counter[stem] += 1
        return f"{stem}{self.counter[stem]}"

    def visible(self) -> dict[str, Any]:
        return (self.outer.visible() if self.outer else {}) | self.values

    def is_unknown(self, name: str) -> bool:
        return name in self.unknown or bool(self.outer and self.outer.is_unknown(name))

    def value(self, name: str) -> Any:
        return self.values[name] if name in self.values or not self.outer else self.outer.value(name)

    def input(self, array: np.ndarray) -> str:
        """A new input of the model; a body gets it from the outermost graph."""
        if self.outer:
            return self.outer.input(array)
        name = self.name("x")
        self.values[name] = array
        self.inputs.append(name)
        return name

    def constant(self, array) -> str:
        """An initializer or a Constant node."""
        array = np.asarray(array)
        if array.dtype.kind in "US":
            array = array.astype(object)
        name = self.name("c")
        self.values[name] = array
        if self.chance(0.5):
            self.constants.append(name)
        else:
            self.nodes.append(helper.make_node("Constant", [], [name], value=tensor(array, name)))
        return name

    def new(self, array: np.ndarray, constant: float = 0.3) -> str:
        return self.constant(array) if self.chance(constant) else self.input(array)

    def pick(
        self,
        dtypes: Iterable,
        rank: int | tuple | None = None,
        where: Callable[[np.ndarray], bool] | None = None,
        make: Callable[[Any], np.ndarray] | None = None,
        low: float = -3,
        high: float = 3,
        fresh: float = 0.2,
        constant: float = 0.3,
    ) -> str:
        """A value of one of the types: one that is there, or a new one that `make(dtype)` gives."""
        dtypes = {np.dtype(d) for d in dtypes}
        ranks = (rank,) if isinstance(rank, int) else rank
        if not self.chance(fresh):
            fits = [
                name
                for name, v in self.visible().items()
                if isinstance(v, np.ndarray)
                and v.dtype in dtypes
                and (ranks is None or v.ndim in ranks)
                and (where is None or where(v))
            ]
            if fits:
                return self.choose(fits[-4:] if self.chance(0.6) else fits)
        dtype = self.favourite(dtypes)
        if make:
            return self.new(make(dtype), constant)
        return self.new(
            self.array(dtype, self.shape(None if ranks is None else self.choose(ranks)), low, high), constant
        )

    def favourite(self, dtypes: Iterable) -> np.dtype:
        """float32 more often than another."""
        dtypes = sorted({np.dtype(d) for d in dtypes}, key=lambda d: d.name)
        if np.dtype(np.float32) in dtypes and self.chance(0.35):
            return np.dtype(np.float32)
        return self.choose(dtypes)

    def partner(self, array: np.ndarray, low: float = -3, high: float = 3, where=None) -> str:
        """A value of the array's type whose shape broadcasts with it."""

        def fits(v):
            try:
                return np.prod(np.broadcast_shapes(v.shape, array.shape)) < 5000 and (where is None or where(v))
            except ValueError:
                return False

        def make(dtype):
            if self.chance(0.25) and dtype.kind in "fiu":
                number = self.choose([s for s in SPECIAL if low <= s <= high] or [high])
                return np.full((), number if dtype.kind == "f" else abs(int(number)), dtype)
            shape = tuple(1 if self.chance(0.25) else s for s in array.shape)[
                self.integer(0, array.ndim) if self.chance(0.4) else 0 :
            ]
            if self.chance(0.1):
                shape = (self.integer(1, 3), *[1] * (array.ndim - len(shape)), *shape)
            return self.array(dtype, shape, low, high)

        return self.pick([array.dtype], where=fits, make=make, fresh=0.4, constant=0.6)

    # Nodes.

    def schema(self, op: str, domain: str = "") -> defs.OpSchema:
        try:
            return defs.get_schema(op, IMPORTS.get(domain, self.opset), domain)
        except defs.SchemaError:
            raise Rejected(f"{op} is not in opset {self.opset}") from None

    def types(self, op: str, place: int = 0, domain: str = "") -> list[np.dtype]:
        """The tensor types that an input takes, as numpy has them."""
        found = []
        for text in self.schema(op, domain).inputs[place].types:
            if not text.startswith("tensor("):
                continue
            number = element_number(text)
            found.append(
                np.dtype(object) if number == onnx.TensorProto.STRING else helper.tensor_dtype_to_np_dtype(number)
            )
        return found

    def add(
        self, op: str, inputs: list[str], outputs: int = 1, domain: str = "", keep=None, hidden=False, **attributes
    ):
        """Adds a node and gives the names of its outputs. `keep` says which outputs the node has names for; `hidden`
        that they are of a type that only nodes can read."""
        attributes = {k: v for k, v in attributes.items() if v is not None}
        if not domain:
            schema = self.schema(op)
            if schema.deprecated:
                raise Rejected(f"{op} is deprecated in opset {self.opset}")
            attributes = {k: v for k, v in attributes.items() if k in schema.attributes}
            if not schema.min_input <= len(inputs) <= schema.max_input:
                raise Rejected(f"{op} of opset {self.opset} takes {schema.min_input} to {schema.max_input} inputs")
            self._check_formals(op, schema.inputs, [self.value(name) if name else None for name in inputs])
        names = [self.name("v") if keep is None or keep[i] else "" for i in range(outputs)]
        node = helper.make_node(op, inputs, names, domain=domain, **attributes)
        results = self._results(node)
        if not domain:
            self._check_formals(schema.name, schema.outputs, results)
        self.values.update((name, result) for name, result in zip(names, results) if name)
        self.nodes.append(node)
        if hidden:
            self.hidden.update(names)
        return names

    def _check_formals(self, op: str, formals: list, values: list[Any]) -> None:
        """The evaluator takes and makes types that the standard does not."""
        for place, value in enumerate(values):
            formal = formals[min(place, len(formals) - 1)]
            if value is None and formal.option == defs.OpSchema.FormalParameterOption.Single:
                raise Rejected(f"{op} needs {formal.name}")
            if isinstance(value, np.ndarray):
                if not any(t.endswith(f"tensor({type_name(value)})") or "(" not in t for t in formal.types):
                    raise Rejected(f"{op} has no {value.dtype} there")

    def _results(self, node: onnx.NodeProto) -> list[Any]:
        known = self.visible()
        try:
            results = evaluate(node, known, self.opset)
            self._check_types(node, known, results)
        except Exception as error:
            results = self._guessed(node, known, error)
        else:
            self._check(node, results)
            # A value that hangs on one that is not known is not known either, but for its type and shape.
            if any(self.is_unknown(name) for name in reads(node)):
                self.unknown.update(name for name in node.output if name)
        return results

    def _guessed(self, node: onnx.NodeProto, known: dict[str, Any], error: Exception) -> list[Any]:
        """Arrays of the type and shape that inference gives, where the evaluator cannot run the node."""
        self.cannot[f"{node.op_type}: {type(error).__name__} {str(error)[:80]}"] += 1
        if self.outer or node.domain:
            raise Rejected(str(error))
        model = single(node, known, self.opset, [n for n in node.output if n])
        fixed = [i for i in model.graph.input if isinstance(known[i.name], np.ndarray) and known[i.name].size < 20]
        model.graph.initializer.extend(tensor(known[i.name], i.name) for i in fixed)
        try:
            inferred = shape_inference.infer_shapes(model, strict_mode=True, data_prop=True)
        except Exception as reason:
            raise Rejected(str(reason)) from error
        types = {o.name: o.type.tensor_type for o in inferred.graph.output}
        results = []
        for name in node.output:
            if not name:
                results.append(None)
                continue
            if not types[name].elem_type or not types[name].HasField("shape"):
                raise Rejected(str(error))
            if not all(d.HasField("dim_value") for d in types[name].shape.dim):
                raise Rejected(str(error))
            dtype = (
                np.dtype(object)
                if types[name].elem_type == 8
                else helper.tensor_dtype_to_np_dtype(types[name].elem_type)
            )
            results.append(self.array(dtype, [d.dim_value for d in types[name].shape.dim]))
            self.unknown.add(name)
        return results

    def _check_types(self, node: onnx.NodeProto, known: dict[str, Any], results: list[Any]) -> None:
        """An output that has the type of an input must have it: the evaluator has faults there."""
        if node.domain or bodies(node):
            return
        schema = self.schema(node.op_type)
        types = {}
        for formal, name in zip(schema.inputs, node.input):
            if name and isinstance(known[name], np.ndarray):
                types[formal.type_str] = known[name].dtype
        for formal, result in zip(schema.outputs, results):
            wanted = types.get(formal.type_str)
            if wanted is not None and isinstance(result, np.ndarray) and result.dtype != wanted:
                raise TypeError(f"the evaluator makes {result.dtype} of {wanted}")

    def _check(self, node: onnx.NodeProto, results: list[Any]) -> None:
        for result in results:
            if not isinstance(result, np.ndarray):
                continue
            if result.size > 20_000 or result.ndim > 7:
                raise Rejected("too large")
            element_type(result)
            if result.dtype.kind == "f" or result.dtype.name == "bfloat16":
                wide = result.astype(np.float64)
                if not np.isfinite(wide).all() and not self.chance(0.05):
                    raise Rejected("not finite")
                largest = np.abs(wide[np.isfinite(wide)]).max(initial=0)
                if largest > LARGEST.get(result.dtype.name, 1e6) and not self.chance(0.05):
                    raise Rejected("too large numbers")

    def body(self, opset: int | None = None) -> Builder:
        return Builder(self.random, self.opset, self)

    # The graph.

    def graph(self) -> Graph:
        """What was built: ends are outputs, and so are some values that others read."""
        outputs = [
            name
            for node in self.nodes
            for name in node.output
            if self.chance(0.12) and name and name not in self.hidden
        ]
        symbols = {}
        if self.chance(0.5):
            sizes = sorted({s for name in self.inputs for s in getattr(self.values[name], "shape", ()) if s > 1})
            for size in sizes:
                if self.chance(0.5):
                    symbols[size] = "NMKLHW"[len(symbols) % 6] + (str(len(symbols)) if len(symbols) > 5 else "")
        return Graph(
            self.opset,
            self.nodes,
            self.values,
            self.inputs,
            self.constants,
            outputs,
            self.unknown,
            self.hidden,
            symbols,
            self.chance(0.5),
        ).tidied()


def element_number(text: str) -> int:
    name = text[len("tensor(") : -1].upper()
    return onnx.TensorProto.DataType.Value(name)


def type_name(array: np.ndarray) -> str:
    """As schemas have it."""
    return onnx.TensorProto.DataType.Name(element_type(array)).lower()
