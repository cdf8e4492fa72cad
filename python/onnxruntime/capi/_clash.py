# SPDX-License-Identifier: Apache-2.0
"""Finds the files of another `onnxruntime` distribution in this package's folder and explains what to do.

Wheels named onnxruntime, onnxruntime-gpu and the like install into the same folder. Whichever is installed last
overwrites the common files and leaves the rest; uninstalling either then breaks the other.
"""

import os
import warnings

_FOREIGN_FILES = ("ThirdPartyNotices.txt", "Privacy.md")
_LIBRARY_PREFIX = "libonnxruntime.so."
_OWN_LIBRARIES = ("libonnxruntime.so.1", "libonnxruntime.so.1.30.0")
_EXTENSION = "onnxruntime_pybind11_state."


def foreign_files(package_folder: str, own_extension: str) -> list[str]:
    """Files in the package's folder that this project does not install."""
    found = [name for name in _FOREIGN_FILES if os.path.exists(os.path.join(package_folder, name))]
    capi = os.path.join(package_folder, "capi")
    if os.path.exists(os.path.join(capi, _OWN_LIBRARIES[1])):
        for name in os.listdir(capi):
            other_library = name.startswith(_LIBRARY_PREFIX) and name not in _OWN_LIBRARIES
            other_extension = name.startswith(_EXTENSION) and name.endswith((".so", ".pyd")) and name != own_extension
            if other_library or other_extension:
                found.append(os.path.join("capi", name))
    return found


def installed_distributions() -> list[str]:
    """Distributions of this environment that say they install the module `onnxruntime`."""
    from importlib import metadata  # slow, and needed only where there is a clash

    return sorted(
        {
            f"{distribution.metadata['Name']} {distribution.version}"
            for distribution in metadata.distributions()
            if str(distribution.metadata["Name"]).lower().replace("_", "-").startswith(("onnxruntime", "ort-"))
            and any(str(file).startswith("onnxruntime/") for file in distribution.files or ())
        }
    )


def warn_about_clash(package_folder: str, own_extension: str) -> None:
    """One warning where two distributions share this folder, naming both and the commands that mend it."""
    found = foreign_files(package_folder, own_extension)
    if not found:
        return
    names = installed_distributions()
    others = [name.split()[0] for name in names if not name.startswith("ortrun")]
    warnings.warn(
        f"Another distribution of the module 'onnxruntime' shares {package_folder}: found {', '.join(found)}"
        + (f"; installed are {', '.join(names)}" if names else "")
        + ". They overwrite each other. To mend it: pip uninstall -y "
        + " ".join(others or ["onnxruntime", "onnxruntime-gpu"])
        + " ortrun, then pip install ortrun",
        RuntimeWarning,
        stacklevel=3,
    )
