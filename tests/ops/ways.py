# SPDX-License-Identifier: Apache-2.0
"""One model, met in every way that a user can meet it.

    levels   no optimisation; all of it, with the shapes that the model declares; all of it, with every size left open
    forms    Run and IOBinding, each with outputs that the runtime makes and with outputs that the caller gives
    runs     the first, the second and the third of a session, with a run at another shape before the third

A session is made for each level; its runs take the forms in turn, beginning at another one for another model, so that
over the suite each form comes first. Runs of one session must agree to the bit. Sessions do other arithmetic: they
agree within some units in the last place, and `Runner.results` has what each of them gave, for the test to compare
with what is right. A failure names the level, the run and the form.

ORTRUN_OPS_LEVELS chooses levels by name ("off", "all", "all at open shapes", separated by commas), ORTRUN_OPS_FORMS
forms ("run", "run into", "bound", "bound into").
"""

from __future__ import annotations

import dataclasses
import os
import zlib
from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np
import onnx
import onnxruntime as ort
from onnx_cases import RANDOM, assert_same, is_extra, is_sub_byte
from onnxruntime.capi import onnxruntime_pybind11_state
from onnxruntime.capi.onnxruntime_pybind11_state import OrtValueVector

LEVELS = ort.GraphOptimizationLevel
# Another host infers shapes by its own means, which may refuse a model of open sizes or an output of the right shape:
# what it does not support is left out there.
OURS = hasattr(onnxruntime_pybind11_state, "ortrun_tools")
GARBAGE = 0xA5  # given outputs are full of it before a run
# How a runtime says that its Python lacks a type: it cannot hand the result out, or the value in.
NOT_IN_PYTHON = ("No corresponding Numpy type", "only supported from non-string numpy arrays")
ELEMENT_TYPES = {f"tensor({name.lower()})": number for name, number in onnx.TensorProto.DataType.items()}


@dataclasses.dataclass(frozen=True)
class Level:
    name: str
    level: Any
    open_shapes: bool


ALL_LEVELS = (
    Level("off", LEVELS.ORT_DISABLE_ALL, True),
    Level("all", LEVELS.ORT_ENABLE_ALL, False),
    Level("all at open shapes", LEVELS.ORT_ENABLE_ALL, True),
)


def chosen_levels() -> list[Level]:
    named = os.environ.get("ORTRUN_OPS_LEVELS")
    return [level for level in ALL_LEVELS if not named or level.name in named.split(",")]


def form_is_chosen(name: str) -> bool:
    named = os.environ.get("ORTRUN_OPS_FORMS")
    return not named or name in named.split(",")


def with_open_shapes(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model with names for the sizes of its inputs and outputs of any shape; itself where there are no sizes."""
    fixed = [i for i in model.graph.input if any(d.HasField("dim_value") for d in i.type.tensor_type.shape.dim)]
    weights = {w.name for w in model.graph.initializer}
    if all(i.name in weights for i in fixed):
        return model
    opened = onnx.ModelProto()
    opened.CopyFrom(model)
    for entry in opened.graph.input:
        if entry.name in weights:
            continue
        for axis, dim in enumerate(entry.type.tensor_type.shape.dim):
            if dim.HasField("dim_value"):
                dim.dim_param = f"{entry.name}_{axis}"
    for entry in opened.graph.output:
        if entry.type.HasField("tensor_type"):
            entry.type.tensor_type.ClearField("shape")
    return opened


def other_shapes(feeds: dict[str, Any], at_most: int = 3) -> list[dict[str, Any]]:
    """Feeds in which the sizes of one number have grown by one, the largest number first: some suit the model."""
    arrays = {name: v for name, v in feeds.items() if isinstance(v, np.ndarray)}
    sizes = sorted({size for v in arrays.values() for size in v.shape if size}, reverse=True)
    return [feeds | {name: grown(v, size) for name, v in arrays.items()} for size in sizes[:at_most]]


def grown(array: np.ndarray, size: int) -> np.ndarray:
    """The array with one element more along each axis of that size, the first one again."""
    for axis, count in enumerate(array.shape):
        if count == size:
            array = np.take(array, [*range(size), 0], axis)
    return np.ascontiguousarray(array)


def value_of(array: np.ndarray, element_type: int) -> ort.OrtValue:
    array = np.asarray(array)  # numpy makes numbers of arrays without dimensions
    if not is_extra(array) or is_sub_byte(array):  # those are packed by the binding
        return ort.OrtValue.ortvalue_from_numpy(array)
    return ort.OrtValue.ortvalue_from_numpy_with_onnx_type(array, element_type)


def is_not_in_python(error: Exception) -> bool:
    return any(text in str(error) for text in NOT_IN_PYTHON)


def garbage_value(like: np.ndarray, element_type: int) -> ort.OrtValue:
    array = np.full(like.nbytes, GARBAGE if like.dtype != bool else 1, np.uint8).view(like.dtype).reshape(like.shape)
    if array.dtype == np.uint8 and element_type != onnx.TensorProto.UINT8:  # what this Python shows such a type as
        return ort.OrtValue.ortvalue_from_numpy_with_onnx_type(array, element_type)
    return value_of(array, element_type)


def same_bits(want: Any, got: Any) -> bool:
    """The same value; one NaN is like another."""
    if isinstance(want, list):
        return isinstance(got, list) and len(got) == len(want) and all(map(same_bits, want, got))
    if want is None or isinstance(want, dict):
        return type(want) is type(got) and repr(want) == repr(got)
    want, got = np.asarray(want), np.asarray(got)
    if (want.dtype, want.shape) != (got.dtype, got.shape):
        return False
    if want.dtype.kind in "OUS":
        return want.tolist() == got.tolist()
    if want.tobytes() == got.tobytes():
        return True
    if want.dtype.kind not in "fc" and not is_extra(want):
        return False
    return bool(
        np.array_equal(np.isnan(want), np.isnan(got))
        and np.all(
            np.isnan(want)
            | (
                np.ascontiguousarray(want).view(f"V{want.itemsize}")
                == np.ascontiguousarray(got).view(f"V{want.itemsize}")
            )
        )
    )


def described(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"{value.dtype}{list(value.shape)} {str(value)[:300]}"
    return repr(value)[:300]


def resolution(value: Any) -> float:
    """The distance of neighbouring numbers at the largest element of a float array."""
    if (
        not isinstance(value, np.ndarray)
        or value.size == 0
        or value.dtype.name not in ("float64", "float32", "float16", "bfloat16")
    ):
        return 0.0
    wide = value.astype(np.float64)
    largest = float(np.abs(wide[np.isfinite(wide)]).max(initial=0))
    return float(ml_dtypes.finfo(value.dtype).eps) * 2.0 ** np.ceil(np.log2(largest)) if largest else 0.0


def assert_near(want: Any, got: Any, units: float) -> None:
    """Equal but for the rounding of other arithmetic: `units` in the last place of the largest element."""
    if isinstance(want, list) and isinstance(got, list) and len(want) == len(got):
        for w, g in zip(want, got):
            assert_near(w, g, units)
    else:
        assert_same(want, got, 0, units * resolution(want))


class Runner:
    """What `session()` of provider_under_test gives. `run` answers with what the first run at the first level gave."""

    def __init__(
        self, model: bytes, open_session: Callable[[bytes, Any], ort.InferenceSession], units: float | None = 16
    ):
        """`units` in the last place is how far levels may differ; None leaves that to the caller."""
        self.proto = onnx.load_from_string(model)
        self.units = units
        self.random = draws_numbers(self.proto.graph)
        self.turn = zlib.crc32(model)
        opened = with_open_shapes(self.proto)
        self.results: list[tuple[str, list]] = []
        self._sessions: list[tuple[Level, ort.InferenceSession | Exception]] = []
        for level in chosen_levels():
            if level.name == ALL_LEVELS[-1].name and opened is self.proto:
                continue  # the level before it is the same
            try:
                made = self._open(level, opened, model, open_session)
            except Exception as error:
                if not self._sessions:
                    raise
                made = error
            self._sessions.append((level, made))

    def _open(self, level: Level, opened: onnx.ModelProto, model: bytes, open_session) -> ort.InferenceSession:
        if level.open_shapes and opened is not self.proto:
            try:
                return open_session(opened.SerializeToString(), level.level)
            except Exception:
                if OURS:
                    raise
        return open_session(model, level.level)

    def run(self, names: list[str] | None, feeds: dict[str, Any]) -> list:
        feeds = {name: value for name, value in feeds.items() if value is not None}
        self.results = []
        first_error = None
        others = other_shapes(feeds)
        for level, made in self._sessions:
            try:
                if isinstance(made, Exception):
                    raise made
                outputs = _Runs(self, level, made, names, feeds).all(others)
            except AssertionError:
                raise
            except Exception as error:
                if self.results:
                    raise AssertionError(f"optimisation {level.name}: refused, taken without: {error}") from error
                first_error = first_error or error
                continue
            if first_error is not None:
                raise AssertionError(f"optimisation {level.name}: taken, refused without: {first_error}")
            self.results.append((level.name, outputs))
        if first_error is not None:
            raise first_error
        if self.units is not None:
            self._compare_levels()
        return self.results[0][1]

    def sessions(self) -> list[tuple[str, ort.InferenceSession]]:
        return [(level.name, made) for level, made in self._sessions if not isinstance(made, Exception)]

    def _compare_levels(self) -> None:
        base, want = self.results[0]
        for name, got in self.results[1:]:
            for place, (w, g) in enumerate(zip(want, got, strict=True)):
                try:
                    if self.random:
                        assert_like(w, g)
                    else:
                        assert_near(w, g, self.units)
                except AssertionError as error:
                    raise AssertionError(
                        f"output {place} differs between optimisation {base} and {name}: {error}"
                    ) from error


def assert_like(want: Any, got: Any) -> None:
    """Alike in type and shape: for numbers that are drawn."""
    if isinstance(want, np.ndarray):
        assert isinstance(got, np.ndarray) and (got.dtype, got.shape) == (want.dtype, want.shape), described(got)


def draws_numbers(graph: onnx.GraphProto) -> bool:
    """Whether a node takes other random numbers at each run (Dropout does in training)."""
    for node in graph.node:
        if node.op_type in RANDOM or (node.op_type == "Dropout" and len(node.input) > 2):
            return True
        for attribute in node.attribute:
            if any(draws_numbers(body) for body in (attribute.g, *attribute.graphs)):
                return True
    return False


class _Runs:
    """The runs of one session."""

    def __init__(self, runner: Runner, level: Level, session: ort.InferenceSession, names, feeds: dict[str, Any]):
        self.runner, self.level, self.session, self.feeds = runner, level, session, feeds
        self.names = list(names or [o.name for o in session.get_outputs()])
        self.types = {i.name: i.type.tensor_type.elem_type for i in runner.proto.graph.input}
        self.steps: list[str] = []

    def all(self, others: list[dict[str, Any]]) -> list:
        kept = {name: v.tobytes() for name, v in self.feeds.items() if isinstance(v, np.ndarray) and v.dtype != object}
        forms = [self._run, self._run_into, self._bound, self._bound_into]
        start = self.runner.turn % 2 * 2  # outputs can be given once their shapes are known
        forms = forms[start:] + forms[:start]
        values = None
        if all(isinstance(v, np.ndarray) and v.dtype.kind not in "OUS" for v in self.feeds.values()):
            values = {name: value_of(v, self.types[name]) for name, v in self.feeds.items()}
        elif start:
            forms = forms[2:] + forms[:2]
        forms = [form for form in forms if form_is_chosen(_name(form))] or [self._run]
        want = None
        for turn, form in enumerate(forms):
            if turn == 2 and self.level.open_shapes:
                self._at_another_shape(others)
            self.steps.append(_name(form))
            try:
                got = form(values, want)
            except Exception as error:
                if OURS or want is None or "Got invalid dimensions for output" not in str(error):
                    raise
                got = None
            if got is None:
                self.steps.pop()  # not a way of this model
                continue
            if want is None:
                want = got
            self._compare(want, got)
        for name, before in kept.items():
            assert self.feeds[name].tobytes() == before, f"{self._where()}: input {name} was written to"
        return [want[name] for name in self.names]

    def _where(self) -> str:
        return f"optimisation {self.level.name}, run {len(self.steps)} ({', '.join(self.steps)})"

    def _compare(self, want: dict[str, Any], got: dict[str, Any]) -> None:
        for name, value in got.items():
            if self.runner.random:
                assert_like(want[name], value)
            elif not same_bits(want[name], value):
                raise AssertionError(
                    f"{self._where()}: output {name} differs from the first run's:\n{described(value)}\n"
                    f"first {described(want[name])}"
                )

    def _at_another_shape(self, others: list[dict[str, Any]]) -> None:
        for feeds in others:
            try:
                self._of_feeds(feeds)
            except Exception:  # the model does not take this one
                continue
            self.steps.append("another shape")
            return

    def _of_feeds(self, feeds: dict[str, Any]) -> dict[str, Any]:
        if not any(is_extra(v) for v in feeds.values()):
            return dict(zip(self.names, self.session.run(self.names, feeds)))
        values = {name: value_of(v, self.types[name]) for name, v in feeds.items()}
        if any(ELEMENT_TYPES.get(o.type) is None for o in self.session.get_outputs()):
            return dict(zip(self.names, self.session.run(self.names, values)))
        return dict(zip(self.names, [v.numpy() for v in self.session.run_with_ort_values(self.names, values)]))

    def _run(self, values, want) -> dict[str, Any] | None:
        return self._of_feeds(self.feeds)

    def _givable(self, values, want) -> dict[str, ort.OrtValue]:
        """Memory for the outputs that a caller can give, by name."""
        if values is None or want is None:
            return {}
        types = {o.name: ELEMENT_TYPES.get(o.type) for o in self.session.get_outputs()}
        return {
            name: garbage_value(v, types[name])
            for name, v in want.items()
            if isinstance(v, np.ndarray) and v.dtype.kind not in "OUS" and types[name] is not None
        }

    def _run_into(self, values, want) -> dict[str, Any] | None:
        given = self._givable(values, want)
        if not given:
            return None
        inputs, outputs = OrtValueVector(), OrtValueVector()
        for value in values.values():
            inputs.push_back(value._ortvalue)
        for value in given.values():
            outputs.push_back(value._ortvalue)
        device = ort.OrtDevice.make("cpu", 0)._get_c_device()
        self.session.run_with_ortvaluevector(
            ort.RunOptions(), list(values), inputs, list(given), outputs, [device] * len(given)
        )
        return {name: value.numpy().copy() for name, value in given.items()}  # the memory goes

    def _bound(self, values, want) -> dict[str, Any] | None:
        return None if values is None else self._with_binding(values, {})

    def _bound_into(self, values, want) -> dict[str, Any] | None:
        given = self._givable(values, want)
        return self._with_binding(values, given) if given else None

    def _with_binding(self, values, given) -> dict[str, Any]:
        binding = self.session.io_binding()
        for name, value in values.items():
            binding.bind_ortvalue_input(name, value)
        for name in self.names:
            if name in given:
                binding.bind_ortvalue_output(name, given[name])
            else:
                binding.bind_output(name)
        self.session.run_with_iobinding(binding)
        made = dict(zip(self.names, binding.copy_outputs_to_cpu()))
        return {name: given[name].numpy().copy() if name in given else made[name] for name in self.names}


def _name(form: Callable) -> str:
    return form.__name__.lstrip("_").replace("_", " ")
