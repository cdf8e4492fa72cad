# SPDX-License-Identifier: Apache-2.0
"""What each operator takes, one function an operator, in the table OPERATORS; and in PATTERNS what passes look for."""

from . import contrib, control, elementwise, ml, nn, patterns, reduction, tensor
from .table import OPERATORS, PATTERNS

__all__ = ["OPERATORS", "PATTERNS", "contrib", "control", "elementwise", "ml", "nn", "patterns", "reduction", "tensor"]
