# SPDX-License-Identifier: Apache-2.0
"""Nothing has to be loaded before the binding: the runtime's library lies beside it."""
