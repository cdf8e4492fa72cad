# SPDX-License-Identifier: Apache-2.0
"""The `providers` argument: what users may give and what becomes of it."""

from __future__ import annotations

import collections.abc
import warnings
from collections.abc import Iterable, Sequence
from typing import Any

from onnxruntime.capi import onnxruntime_pybind11_state as C

ProviderArgument = Sequence["str | tuple[str, dict[Any, Any]]"]


def _pairs(
    providers: ProviderArgument, provider_options: Sequence[dict[Any, Any]] | None
) -> Iterable[tuple[str, dict[Any, Any]]]:
    if not isinstance(providers, collections.abc.Sequence):
        raise ValueError("'providers' should be a sequence.")
    if provider_options is not None:
        if not isinstance(provider_options, collections.abc.Sequence):
            raise ValueError("'provider_options' should be a sequence.")
        if len(providers) != len(provider_options):
            raise ValueError("'providers' and 'provider_options' should be the same length if both are given.")
        if not all(isinstance(name, str) for name in providers):
            raise ValueError("Only string values for 'providers' are supported if 'provider_options' is given.")
        if not all(isinstance(options, dict) for options in provider_options):
            raise ValueError("'provider_options' values must be dicts.")
        yield from zip(providers, provider_options, strict=True)  # type: ignore[arg-type]
        return
    for entry in providers:
        if isinstance(entry, str):
            yield entry, {}
        elif isinstance(entry, tuple) and len(entry) == 2 and isinstance(entry[0], str) and isinstance(entry[1], dict):
            yield entry
        else:
            raise ValueError("'providers' values must be either strings or (string, dict) tuples.")


def _not_available(name: str, available: Sequence[str]) -> str:
    # A name that is right, of a provider that is not here, needs no other name.
    nearest = "" if name in C.get_all_providers() else C.nearest_name(name, list(available))
    return (
        f"Specified provider '{name}' is not in available provider names."
        + (f" Did you mean '{nearest}'?" if nearest else "")
        + f" Available providers: '{', '.join(available)}'"
    )


def check_and_normalize_provider_args(
    providers: ProviderArgument | None,
    provider_options: Sequence[dict[Any, Any]] | None,
    available_provider_names: Sequence[str],
) -> tuple[list[str], list[dict[str, str]]]:
    """Checks both arguments and gives names and options (keys and values as str) of the same length.

    ValueError for wrong types; a warning for names that are not available and for names given twice.
    """
    chosen: dict[str, dict[str, str]] = {}
    for name, options in _pairs(providers, provider_options) if providers is not None else ():
        if name not in available_provider_names:
            warnings.warn(_not_available(name, available_provider_names), stacklevel=2)
        if name in chosen:
            warnings.warn(f"Duplicate provider '{name}' encountered, ignoring.", stacklevel=2)
            continue
        chosen[name] = {str(key): str(value) for key, value in options.items()}
    return list(chosen), list(chosen.values())


def select_providers(
    providers: ProviderArgument | None, provider_options: Sequence[dict[Any, Any]] | None, *, strict: bool
) -> tuple[list[str], list[dict[str, str]]]:
    """The providers that a session is made with: those of the arguments that are available.

    A name that no runtime knows is an error when `strict`; one that is known but not here is passed over, with the
    warning of check_and_normalize_provider_args.
    """
    if providers is None:
        return [], []
    if isinstance(providers, str):
        providers = [providers]
    available = C.get_available_providers()
    names, options = check_and_normalize_provider_args(providers, provider_options, available)
    if strict:
        known = set(C.get_all_providers())
        for name in names:
            if name not in known:
                raise RuntimeError(f"Unknown Provider Type: {name}. {_not_available(name, available)}")
    kept = [(name, options[i]) for i, name in enumerate(names) if name in available]
    return [name for name, _ in kept], [options for _, options in kept]
