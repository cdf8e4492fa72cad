# SPDX-License-Identifier: Apache-2.0
"""The package's name and version."""

package_name = "onnxruntime"
__version__ = "1.30.0"
