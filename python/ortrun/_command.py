# SPDX-License-Identifier: Apache-2.0
"""The `ortrun` command of the wheel: hands over to the program that the wheel carries."""

from __future__ import annotations

import os
import sys


def main() -> int:
    """Replaces this process by the program, so that signals and the exit code are its own."""
    program = os.path.join(os.path.dirname(os.path.abspath(__file__)), "bin", "ortrun")
    try:
        os.execv(program, [program, *sys.argv[1:]])
    except OSError as error:
        print(f"ortrun: cannot run {program}: {error.strerror}; install the package ortrun again", file=sys.stderr)
    return 127


if __name__ == "__main__":
    sys.exit(main())
