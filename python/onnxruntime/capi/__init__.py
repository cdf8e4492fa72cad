# SPDX-License-Identifier: Apache-2.0
"""The binding to the runtime's C interface."""
