# SPDX-License-Identifier: Apache-2.0
"""What each operator takes, one function an operator, in the table OPERATORS; and in PATTERNS what passes look for."""

from . import contrib, control, elementwise, image, ml, nn, patterns, reduction, sequence, signal, tensor
from .table import OPERATORS, PATTERNS

ROOMS = (contrib, control, elementwise, image, ml, nn, patterns, reduction, sequence, signal, tensor)

__all__ = ["OPERATORS", "PATTERNS"]
