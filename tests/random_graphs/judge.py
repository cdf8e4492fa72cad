# SPDX-License-Identifier: Apache-2.0
"""The oracles. A graph must give the same in every way that it can be run, what onnx's reference evaluator says, and
where that cannot run it, what ONNX Runtime says.

Where outputs differ, each node is asked by itself, with what the runtime itself computed before it: so a value on an
edge (an argmax of equals, a rounding at one half) is not taken for a fault of what comes after.
"""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx

sys.path.insert(0, str(Path(__file__).parents[1] / "ops"))
import onnx_cases
import provider_under_test
import ways

from . import noise
from .compare import difference, tolerance
from .graph import Graph, bodies, element_type, reads
from .host import Host
from .reference import evaluate

ONE_LEVEL = (ways.LEVELS.ORT_DISABLE_ALL, ways.LEVELS.ORT_ENABLE_ALL)


@dataclasses.dataclass
class Verdict:
    """`kind` is empty where all is well, else what failed: the oracle and, where it is known, the operator."""

    kind: str = ""
    detail: str = ""
    notes: tuple[str, ...] = ()  # what the graph was compared with, to be counted
    graph: Graph | None = None


class Judge:
    def __init__(self, host: Host | None = None):
        self.host = host
        self._served: dict[Any, bool] = {}

    def judge(self, graph: Graph) -> Verdict:
        graph = self._with_kernels(graph)
        if graph is None or not graph.nodes or not graph.outputs:
            return Verdict(notes=("nothing that has kernels",))
        notes = [
            "compared with the reference evaluator" if not graph.unknown else "not all known to the reference evaluator"
        ]
        runner = None
        try:
            runner = ways.Runner(graph.model().SerializeToString(), provider_under_test.open_session, None)
            runner.run(None, graph.feeds())
        except AssertionError as error:
            return Verdict(_way_of(str(error)), str(error), tuple(notes), graph)
        except Exception as error:
            return self._refused(graph, error, notes)
        verdict = (
            self._values(graph, runner, notes)
            or self._host(graph, runner, notes)
            or self._another_shape(graph, runner, notes)
        )
        return verdict or Verdict(notes=tuple(notes), graph=graph)

    # Kernels.

    def _with_kernels(self, graph: Graph) -> Graph | None:
        """The graph without the nodes that the provider has no kernel for; their results become inputs."""
        index = 0
        while index < len(graph.nodes):
            if self._is_served(graph, graph.nodes[index]):
                index += 1
                continue
            cut = graph.without(index)
            if cut is None:
                return None
            graph = cut
        return graph

    def _is_served(self, graph: Graph, node: onnx.NodeProto) -> bool:
        if graph.hidden.intersection((*reads(node), *node.output)):
            return True
        types = tuple(str(getattr(graph.values[name], "dtype", "")) for name in (*reads(node), *node.output) if name)
        key = (graph.opset, node.domain, node.op_type, types, tuple(a.i for a in node.attribute if a.name == "to"))
        key += (len(node.output),) if not bodies(node) else (node.SerializeToString(),)
        if key not in self._served:
            try:
                provider_under_test.open_session(
                    graph.node_model(node).SerializeToString(), ways.LEVELS.ORT_DISABLE_ALL
                )
                self._served[key] = True
            except provider_under_test.NotRegistered:
                self._served[key] = False
            except Exception:
                self._served[key] = True  # refused for another reason: the graph shows it
        return self._served[key]

    # Values.

    def _values(self, graph: Graph, runner: ways.Runner, notes: list[str]) -> Verdict | None:
        if runner.random:
            return None
        spread = None
        base = dict(zip(graph.outputs, runner.results[0][1]))
        for level, outputs in runner.results:
            for name, got in zip(graph.outputs, outputs):
                known = name not in graph.unknown
                want = graph.values[name] if known and level == runner.results[0][0] else base[name]
                if not difference(want, got):
                    continue
                spread = noise.spread(graph) if spread is None else spread
                allowed = spread.get(name)
                if allowed is None and name in spread:
                    continue
                said = difference(want, got, allowed)
                if not said:
                    notes.append("rounding explains a difference")
                    continue
                if level != runner.results[0][0]:
                    return Verdict(f"optimised: {level}", f"{name}: {said}", tuple(notes), graph)
                node = self._node_that_differs(graph, notes)
                if node:
                    return Verdict(f"reference: {node[0]}", node[1], tuple(notes), graph)
                notes.append("each node is right by itself")
        return None

    def _node_that_differs(self, graph: Graph, notes: list[str], ask_host: bool = False) -> tuple[str, str] | None:
        """The first node whose outputs are not the evaluator's, given the same inputs; where ONNX Runtime sides with us
        against the evaluator, it is the evaluator's fault, and noted. With `ask_host` what the evaluator cannot run is
        compared with ONNX Runtime's."""
        names = [o for n in graph.nodes for o in n.output if o and isinstance(graph.values[o], np.ndarray)]
        session = provider_under_test.open_session(graph.model(names).SerializeToString(), ways.LEVELS.ORT_DISABLE_ALL)
        ours = graph.values | dict(zip(names, _outputs(session, graph, names)))
        for node in graph.nodes:
            if graph.unknown.intersection(node.output) and not ask_host:
                continue
            try:
                results = evaluate(node, ours, graph.opset)
            except Exception:
                results = self._host_results(graph, node, ours) if ask_host else None
            if results is None and ask_host:
                return f"{node.op_type}", "nobody can be asked about the node alone"
            if results is None:
                continue
            here = dataclasses.replace(graph, values=ours | {n: r for n, r in zip(node.output, results) if n})
            spread = None
            for name, want in zip(node.output, results):
                if name and name not in names:
                    ours[name] = want  # sequences and their like are looked at where they are read
                if not name or not difference(want, ours[name]):
                    continue
                spread = noise.spread(here, [node]) if spread is None else spread
                if name in spread and spread[name] is None:
                    continue
                said = difference(want, ours[name], spread.get(name))
                if not said:
                    continue
                dtype = getattr(ours[next(iter(reads(node)), name)], "dtype", "")
                in_float32 = dtype == np.float64 and not difference(want, ours[name], as_float32(want))
                if in_float32 and not self._narrows(here, node):
                    notes.append(f"the evaluator is no nearer than float32: {node.op_type}")
                    continue
                if self._host_agrees(here, node, name, ours[name]):
                    notes.append(f"the evaluator is alone: {node.op_type} {dtype}")
                    continue
                return f"{node.op_type} {dtype}", f"{node.op_type} -> {name}: {said}"
        return None

    def _narrows(self, graph: Graph, node: onnx.NodeProto) -> bool:
        """Whether our kernel gives the same for what differs by less than float32 can tell."""
        alone = dataclasses.replace(graph, inputs=reads(node), symbols={}, declared=False)
        model = alone.node_model(node)
        session = provider_under_test.open_session(model.SerializeToString(), ways.LEVELS.ORT_DISABLE_ALL)
        random = np.random.default_rng(0)
        feeds = alone.feeds()
        turns = {n: random.uniform(0.5, 1, v.shape) for n, v in feeds.items() if getattr(v, "dtype", "") == np.float64}

        def results(step: float) -> list:
            values = {n: np.asarray(v * (1 + step * turns[n])) if n in turns else v for n, v in feeds.items()}
            moved = dataclasses.replace(alone, values=graph.values | values)
            return _outputs(session, moved, [o.name for o in model.graph.output])

        near, far, here = results(1e-11), results(1e-3), results(0)
        changed = [any(not np.array_equal(a, b, equal_nan=True) for a, b in zip(here, there)) for there in (near, far)]
        return changed == [False, True]

    def _host_agrees(self, graph: Graph, node: onnx.NodeProto, name: str, ours: Any) -> bool:
        if self.host is None:
            return False
        off = noise.allowed(graph, node, name)
        for values in (graph.values, {n: narrowed(v) for n, v in graph.values.items()}):  # it may lack the type
            alone = dataclasses.replace(graph, values=values, inputs=reads(node), symbols={}, declared=False)
            model = alone.node_model(node)
            answer = self.host.run(model, {n: values[n] for n in reads(node)})
            if isinstance(answer, str):
                continue
            got = dict(zip([o.name for o in model.graph.output], answer))[name]
            if isinstance(got, np.ndarray) and got.dtype != np.asarray(ours).dtype:
                ours = narrowed(ours)
            return not difference(got, ours, off if np.shape(off) == np.shape(got) else None)
        return False

    def _host_results(self, graph: Graph, node: onnx.NodeProto, values: dict[str, Any]) -> list[Any] | None:
        alone = dataclasses.replace(graph, values=values, inputs=reads(node), symbols={}, declared=False)
        answer = self.host.run(alone.node_model(node), {n: values[n] for n in reads(node)})
        if isinstance(answer, str):
            return None
        results = iter(answer)
        return [next(results) if name else None for name in node.output]

    # The other oracles.

    def _host(self, graph: Graph, runner: ways.Runner, notes: list[str]) -> Verdict | None:
        names = [name for name in graph.outputs if name in graph.unknown]
        if not names or self.host is None or runner.random:
            return None
        answer = self.host.run(graph.model(names), graph.feeds())
        if isinstance(answer, str):
            notes.append("refused by ONNX Runtime, taken here")
            return None
        notes.append("compared with ONNX Runtime")
        base = dict(zip(graph.outputs, runner.results[0][1]))
        for name, want in zip(names, answer):
            said = difference(want, base[name])
            if said and self._node_that_differs(graph, notes, ask_host=True):
                return Verdict("host", f"{name}: {said}", tuple(notes), graph)
            if said:
                # It counts on in a Loop's number of the round that is handed out, and rounds less often over several
                # nodes where it has no kernel for float16.
                notes.append("ONNX Runtime is alone: each node is right by itself")
                break
        return None

    def _refused(self, graph: Graph, error: Exception, notes: list[str]) -> Verdict:
        if graph.unknown:
            answer = self.host.run(graph.model(), graph.feeds()) if self.host else ""
            if isinstance(answer, str):
                return Verdict(notes=(*notes, "refused by all"), graph=graph)
        return Verdict(f"refused: {type(error).__name__}", str(error)[:600], tuple(notes), graph)

    def _another_shape(self, graph: Graph, runner: ways.Runner, notes: list[str]) -> Verdict | None:
        """The last session at sizes that the evaluator takes too."""
        other = at_other_sizes(graph) if graph.symbols and not graph.unknown and not runner.random else None
        if other is None:
            return None
        notes.append("compared at another shape")
        for level, session in runner.sessions():
            try:
                outputs = _outputs(session, other, graph.outputs)
            except Exception as error:
                if self.host and isinstance(self.host.run(graph.model(), other.feeds()), str):
                    notes.append("refused by ONNX Runtime too, at another shape")
                    return None
                return Verdict("refused at another shape", f"{level}: {error}", tuple(notes), graph)
            spread = None
            for name, got in zip(graph.outputs, outputs):
                if not difference(other.values[name], got):
                    continue
                spread = noise.spread(other) if spread is None else spread
                if name in spread and spread[name] is None:
                    continue
                said = difference(other.values[name], got, spread.get(name))
                if said and not self._node_that_differs(other, notes):
                    fresh = provider_under_test.open_session(graph.model().SerializeToString(), ONE_LEVEL[0])
                    at = graph.outputs.index(name)
                    if difference(_outputs(fresh, other, graph.outputs)[at], got):
                        return Verdict(f"another shape: {level}", f"{name}: {said}", tuple(notes), graph)
        return None


def narrowed(value: Any) -> Any:
    """float32 for every other type of float."""
    if isinstance(value, np.ndarray) and value.dtype.name in ("float64", "float16", "bfloat16"):
        return value.astype(np.float32)
    return value


def as_float32(want: np.ndarray) -> np.ndarray:
    with np.errstate(all="ignore"):
        return tolerance(want.astype(np.float32))


def at_other_sizes(graph: Graph) -> Graph | None:
    """The graph's values where each size with a name has grown by one; None where a node does not take them."""
    values = dict(graph.values)
    if any(isinstance(v, np.ndarray) and not v.size for v in values.values()):
        return None  # where there is nothing, what does not fit is not always noticed
    for name in graph.inputs:
        if isinstance(values[name], np.ndarray):
            for size in sorted((s for s in graph.symbols if s in values[name].shape), reverse=True):
                values[name] = ways.grown(values[name], size)
    for node in graph.nodes:
        try:
            results = evaluate(node, values, graph.opset)
        except Exception:
            return None
        for name, result in zip(node.output, results):
            if not name:
                continue
            if isinstance(result, np.ndarray) and result.ndim != getattr(graph.values[name], "ndim", None):
                return None  # the declared ranks no longer hold
            values[name] = result
    return dataclasses.replace(graph, values=values)


def _outputs(session, graph: Graph, names: list[str]) -> list:
    feeds = graph.feeds()
    if not any(onnx_cases.is_extra(v) for v in feeds.values()):
        return session.run(names, feeds)
    return session.run(
        names, {n: ways.value_of(v, element_type(v)) if v.dtype != object else v for n, v in feeds.items()}
    )


def _way_of(message: str) -> str:
    """The kind of a failure of ways.py: without its names and numbers."""
    head = message.split(":")[0]
    for part in ("run into", "bound into", "another shape", "bound", "run"):
        if head.rstrip(")").endswith(part):
            return f"ways: {part}"
    return f"ways: {head[:60]}"
