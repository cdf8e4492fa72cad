# SPDX-License-Identifier: Apache-2.0
"""The session: a model made ready to run."""

from __future__ import annotations

import _thread  # threading would make the import slower
import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from onnxruntime.capi import onnxruntime_pybind11_state as C
from onnxruntime.capi._binding import IOBinding
from onnxruntime.capi._devices import OrtDevice, OrtDeviceVendorId
from onnxruntime.capi._providers import ProviderArgument, select_providers
from onnxruntime.capi._values import OrtValue, model_source

if TYPE_CHECKING:
    import numpy.typing as npt

_EXPLAIN_SESSION = "ortrun.ExplainSession"
_DEFAULT_PROVIDER = "CPUExecutionProvider"
# What belongs to this process and is made again from the rest after pickling.
_NOT_PICKLED = ("_sess", "_inputs_meta", "_outputs_meta", "_overridable_initializers", "_model_meta")
# Held while a session falls back to its next providers: threads that fail at once do it once.
_falling_back = _thread.allocate_lock()


def _named_in(error: Exception, providers: Sequence[str]) -> str:
    """The provider that an error is about: the one that its message names, else the preferred one."""
    text = str(error)
    return next((name for name in providers if f"provider '{name}'" in text), providers[0])


class Session:
    """What all sessions share; programs make an InferenceSession."""

    # Set by the derived class.
    _sess: C.InferenceSession
    _sess_options: C.SessionOptions
    _inputs_meta: list[C.NodeArg]
    _outputs_meta: list[C.NodeArg]
    _overridable_initializers: list[C.NodeArg]
    _model_meta: C.ModelMetadata | None

    def __init__(self, enable_fallback: bool = True) -> None:
        self._enable_fallback = enable_fallback

    def _recreate(self, providers: Sequence[str], provider_options: Sequence[dict[str, str]]) -> None:
        raise NotImplementedError

    def get_session_options(self) -> C.SessionOptions:
        """The options that the session was made with."""
        return self._sess_options

    def get_inputs(self) -> Sequence[C.NodeArg]:
        """Names, types and shapes of the inputs."""
        return self._inputs_meta

    def get_outputs(self) -> Sequence[C.NodeArg]:
        """Names, types and shapes of the outputs."""
        return self._outputs_meta

    def get_overridable_initializers(self) -> Sequence[C.NodeArg]:
        """Initializers that may be given as inputs too."""
        return self._overridable_initializers

    def get_modelmeta(self) -> C.ModelMetadata:
        """What the model says about itself."""
        if self._model_meta is None:
            self._model_meta = self._sess.model_meta
        return self._model_meta

    def get_input_memory_infos(self) -> Sequence[C.OrtMemoryInfo]:
        """The memory in which each input is wanted."""
        return self._sess.input_meminfos

    def get_output_memory_infos(self) -> Sequence[C.OrtMemoryInfo]:
        """The memory in which each output is made."""
        return self._sess.output_meminfos

    def get_input_epdevices(self) -> Sequence[C.OrtEpDevice]:
        """The device that takes each input."""
        return self._sess.input_epdevices

    def get_providers(self) -> Sequence[str]:
        """Names of the session's providers, the preferred one first."""
        if C.ortrun_tools.has(_EXPLAIN_SESSION):
            import json  # needed only here

            return json.loads(C.ortrun_tools.explain_session(self._sess))["providers"]
        names = self._sess.get_providers()
        return names if _DEFAULT_PROVIDER in names else [*names, _DEFAULT_PROVIDER]

    def get_provider_options(self) -> dict[str, dict[str, str]]:
        """The options of each of the session's providers."""
        given = self._sess.get_provider_options()
        return {name: given.get(name, {}) for name in self.get_providers()}

    def get_provider_graph_assignment_info(self) -> Sequence[C.OrtEpAssignedSubgraph]:
        """Which nodes each provider runs.

        The session option "session.record_ep_graph_assignment_info" must be "1".
        """
        return self._sess.get_provider_graph_assignment_info()

    def set_providers(
        self, providers: ProviderArgument | None = None, provider_options: Sequence[dict[Any, Any]] | None = None
    ) -> None:
        """Makes the session again with these providers; on an error it stays as it was.

        :param providers: names or (name, options), the preferred one first; None for the default.
        :param provider_options: options for each name in `providers`.
        """
        self._recreate(*select_providers(providers, provider_options, strict=True))

    def disable_fallback(self) -> None:
        """A provider that fails while running is an error."""
        self._enable_fallback = False

    def enable_fallback(self) -> None:
        """When a provider fails while running, the session goes on with the next ones and warns once."""
        self._enable_fallback = True

    def _attempt(self, action: Callable[[C.InferenceSession], Any]) -> Any:
        """What `action` gives; when a provider fails in it, the next ones answer."""
        while True:
            used = self._sess
            try:
                return action(used)
            except C.EPFail as error:
                if not (self._enable_fallback and self._fall_back(used, error)):
                    raise

    def _fall_back(self, used: C.InferenceSession, error: C.EPFail) -> bool:
        with _falling_back:
            if self._sess is not used:  # another thread did it meanwhile
                return True
            names = self.get_providers()
            failed = _named_in(error, names)
            remaining = [name for name in names if name != failed]
            if not remaining:
                return False
            warnings.warn(
                f"Provider {failed} failed: {error}. Falling back to {remaining} and running again. "
                "Call disable_fallback() on the session to get the error instead.",
                stacklevel=5,
            )
            options = self.get_provider_options()
            self._recreate(remaining, [options[name] for name in remaining])
            return True

    def run(
        self,
        output_names: Sequence[str] | None,
        input_feed: Mapping[str, Any],
        run_options: C.RunOptions | None = None,
    ) -> list[Any]:
        """Computes outputs.

        :param output_names: names of the wanted outputs; None for all.
        :param input_feed: values by input name: arrays, OrtValues, objects with __dlpack__, lists, dicts.
        :param run_options: settings of this run.
        :return: an array, list or dict for each output.
        """
        return self._attempt(lambda sess: sess.run(output_names, input_feed, run_options))

    def run_async(
        self,
        output_names: Sequence[str] | None,
        input_feed: Mapping[str, Any],
        callback: Callable[[list[Any], Any, str], None],
        user_data: Any,
        run_options: C.RunOptions | None = None,
    ) -> None:
        """Computes outputs on a thread of the session, then calls callback(results, user_data, error) there.

        `error` is "" when all went well. The session needs at least two threads within operators.
        """
        self._sess.run_async(output_names, input_feed, callback, user_data, run_options)

    def run_with_ort_values(
        self,
        output_names: Sequence[str] | None,
        input_dict_ort_values: Mapping[str, OrtValue],
        run_options: C.RunOptions | None = None,
    ) -> list[OrtValue]:
        """Computes outputs from OrtValues and gives OrtValues, without conversions."""
        feed = {name: value._get_c_value() for name, value in input_dict_ort_values.items()}
        values = self._attempt(lambda sess: sess.run_with_ort_values(feed, output_names, run_options))
        return [OrtValue(value) for value in values]

    def run_with_iobinding(self, iobinding: IOBinding, run_options: C.RunOptions | None = None) -> None:
        """Runs on the inputs and outputs that are bound."""
        self._attempt(lambda sess: sess.run_with_iobinding(iobinding._iobinding, run_options))

    def run_with_ortvaluevector(
        self,
        run_options: C.RunOptions,
        feed_names: Sequence[str],
        feeds: C.OrtValueVector,
        fetch_names: Sequence[str],
        fetches: C.OrtValueVector,
        fetch_devices: Sequence[C.OrtDevice],
    ) -> None:
        """Runs on vectors of values; an empty `fetches` receives the outputs."""
        self._attempt(
            lambda sess: sess.run_with_ortvaluevector(
                run_options, feed_names, feeds, fetch_names, fetches, fetch_devices
            )
        )

    def io_binding(self) -> IOBinding:
        """A new binding of this session's inputs and outputs."""
        return IOBinding(self)

    def create_ortvalue_from_shape_and_type(
        self,
        shape: Sequence[int],
        element_type: npt.DTypeLike | int,
        device_type: str,
        device_id: int = 0,
        vendor_id: int | OrtDeviceVendorId = -1,
    ) -> OrtValue:
        """A tensor in memory of this session's allocator for the device; its content is undefined."""
        device = OrtDevice.make(device_type, device_id, vendor_id)._get_c_device()
        value = self._sess.create_ortvalue_from_shape_and_type(shape, element_type, device)
        return OrtValue(value, session=self._sess)

    def release_captured_graph(self, graph_annotation_id: int = 0) -> None:
        """Lets go of a graph that a provider captured."""
        self._sess.release_captured_graph(graph_annotation_id)

    def set_ep_dynamic_options(self, options: dict[str, str]) -> None:
        """Changes options of the providers between runs."""
        self._sess.set_ep_dynamic_options(options)

    def get_tuning_results(self) -> list[Any]:
        """Results of tuning kernels; there are none, since no provider of this runtime tunes."""
        return []

    def set_tuning_results(self, results: Sequence[Any], *, error_on_invalid: bool = False) -> None:
        """Takes what get_tuning_results gave."""
        if results and error_on_invalid:
            raise C.NotImplemented("[ONNXRuntimeError] : 9 : NOT_IMPLEMENTED : no provider here takes tuning results")

    def end_profiling(self) -> str:
        """Ends profiling and gives the path of the profile; "" when it was not on."""
        return self._sess.end_profiling()

    def get_profiling_start_time_ns(self) -> int:
        """When profiling began, comparable to time.monotonic_ns(); 0 when it is not on."""
        return self._sess.get_profiling_start_time_ns


class InferenceSession(Session):
    """A model made ready to run. Any number of threads may run one session at once."""

    def __init__(
        self,
        path_or_bytes: str | bytes | os.PathLike,
        sess_options: C.SessionOptions | None = None,
        providers: ProviderArgument | None = None,
        provider_options: Sequence[dict[Any, Any]] | None = None,
        **kwargs: Any,
    ) -> None:
        """Reads and prepares a model.

        :param path_or_bytes: path of a model file, or the bytes of one. A file that ends in `.ort` is in ORT format;
            the session option "session.load_model_format" says so for others.
        :param sess_options: settings of the session.
        :param providers: names or (name, options), the preferred one first; None for the default.
        :param provider_options: options for each name in `providers`, which then holds only names.
        :param kwargs: `disabled_optimizers`, names of passes that are left out; `enable_fallback`, 0 to get an error
            for an unknown or failing provider instead of going on with the next one.
        """
        super().__init__(enable_fallback=bool(int(kwargs.get("enable_fallback", 1))))
        self._model_path, self._model_bytes = model_source(path_or_bytes)
        self._sess_options = C.SessionOptions() if sess_options is None else sess_options
        self._disabled_optimizers = list(kwargs.get("disabled_optimizers") or ())
        if providers and self._sess_options.has_providers():
            warnings.warn(
                "Both the session options and 'providers' choose providers; the session uses only those given here.",
                stacklevel=2,
            )
        names, options = select_providers(providers, provider_options, strict=not self._enable_fallback)
        while True:
            try:
                self._recreate(names, options)
                break
            except (C.EPFail, RuntimeError) as error:
                if not (self._enable_fallback and names):
                    raise
                failed = names.index(_named_in(error, names))
                remaining = names[:failed] + names[failed + 1 :]
                warnings.warn(f"Provider {names[failed]} failed: {error}. Falling back to {remaining}", stacklevel=2)
                names, options = remaining, options[:failed] + options[failed + 1 :]

    def _recreate(self, providers: Sequence[str], provider_options: Sequence[dict[str, str]]) -> None:
        is_path = self._model_path is not None
        model = self._model_path if is_path else self._model_bytes
        sess = C.InferenceSession(self._sess_options, model, is_path, False)
        sess.initialize_session(providers, provider_options, self._disabled_optimizers)
        self._sess = sess
        self._chosen = list(providers), list(provider_options)
        self._sess_options = sess.session_options
        self._inputs_meta = sess.inputs_meta
        self._outputs_meta = sess.outputs_meta
        self._overridable_initializers = sess.overridable_initializers
        self._model_meta = None

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name not in _NOT_PICKLED}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._recreate(*self._chosen)
