# SPDX-License-Identifier: Apache-2.0
"""A prepared model in ONNX's backend interface."""

from __future__ import annotations

from collections.abc import Set
from typing import Any

import numpy as np
from onnx.backend.base import BackendRep

from onnxruntime import InferenceSession, RunOptions

PERMITTED_RUN_OPTIONS = frozenset(
    {"log_severity_level", "log_verbosity_level", "logid", "only_execute_path_to_fetches"}
)


def set_permitted(options: Any, settings: dict[str, Any], permitted: Set[str]) -> None:
    """Sets what is permitted, ignores what is unknown, raises RuntimeError for the rest."""
    for name, value in settings.items():
        if name in permitted:
            setattr(options, name, value)
        elif hasattr(options, name):
            raise RuntimeError(
                f"{type(options).__name__}.{name} is not permitted here; permitted are {', '.join(sorted(permitted))}"
            )


def _as_input(value: Any) -> Any:
    return np.asarray(value) if isinstance(value, np.generic) else value


class OnnxRuntimeBackendRep(BackendRep):
    """A session that is run with a list of inputs."""

    def __init__(self, session: InferenceSession) -> None:
        self._session = session

    def run(self, inputs: Any, **kwargs: Any) -> list[Any]:
        """Runs the model.

        :param inputs: a list with a value for each input, or the value of the only one.
        :param kwargs: settings of RunOptions.
        """
        options = RunOptions()
        set_permitted(options, kwargs, PERMITTED_RUN_OPTIONS)
        names = [arg.name for arg in self._session.get_inputs()]
        if not isinstance(inputs, list):
            if len(names) != 1:
                raise RuntimeError(f"Model expect {len(names)} inputs")
            inputs = [inputs]
        feed = {name: _as_input(value) for name, value in zip(names, inputs, strict=False)}
        return self._session.run(None, feed, options)
