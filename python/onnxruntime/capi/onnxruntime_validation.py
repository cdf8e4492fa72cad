# SPDX-License-Identifier: Apache-2.0
"""What the package knows about itself and the system."""

from __future__ import annotations

from onnxruntime.capi import build_and_package_info


def check_distro_info() -> None:
    """Every Linux with the C library of this build is served; there is nothing to check."""


def get_package_name_and_version_info() -> tuple[str, str, str]:
    """(package name, version, CUDA version); the last is "" since providers carry their own."""
    return build_and_package_info.package_name, build_and_package_info.__version__, ""


def check_training_module() -> tuple[bool, None, str, str, str]:
    """(whether there is a training module, its error, package name, version, CUDA version)."""
    return (False, None, *get_package_name_and_version_info())
