# SPDX-License-Identifier: Apache-2.0
"""python -m random_graphs --seed N --count M --jobs 2 [--save FOLDER]: judges the graphs of M seeds from N on.

Prints each disagreement with its seed, as a minimised graph, and at the end how many graphs each oracle judged.
Ends with 1 where there was one. With --save a program that shows it is written for each kind.
"""

from __future__ import annotations

import argparse
import collections
import re
import sys
import time
from pathlib import Path

import onnx

from .minimise import minimised, program
from .run import Find, search


def main() -> int:
    parser = argparse.ArgumentParser(prog="random_graphs", description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=0, help="the first seed")
    parser.add_argument("--count", type=int, default=500, help="how many seeds")
    parser.add_argument("--jobs", type=int, default=2, help="child processes")
    parser.add_argument("--save", type=Path, help="a folder for programs that show the finds")
    parser.add_argument("--each", type=int, default=2, help="how many finds of a kind are minimised")
    parser.add_argument("--verbose", action="store_true", help="also what the reference evaluator could not run")
    arguments = parser.parse_args()

    kinds: collections.Counter = collections.Counter()

    def show(find: Find, worker) -> None:
        kind = find.verdict.kind
        kinds[kind] += 1
        if kinds[kind] > arguments.each:
            return
        small = minimised(find.verdict.graph, lambda g: worker.ask(g).kind.split(":")[0] == kind.split(":")[0])
        detail = worker.ask(small).detail or find.verdict.detail
        operators = "+".join(n.op_type for n in small.nodes if n.op_type != "Constant")
        print(f"seed {find.seed}: {kind} [{operators}]\n{detail}\n{onnx.printer.to_text(small.model())}\n", flush=True)
        if arguments.save:
            arguments.save.mkdir(parents=True, exist_ok=True)
            name = re.sub(r"[^A-Za-z0-9]+", "_", f"{kind} {operators}").strip("_")[:90]
            path = arguments.save / f"{name}_{find.seed}.py"
            path.write_text(program(small, f"seed {find.seed}: {kind} [{operators}]", detail))

    start = time.monotonic()
    totals = search(range(arguments.seed, arguments.seed + arguments.count), arguments.jobs, show)
    seconds = time.monotonic() - start
    last, speed = arguments.seed + arguments.count - 1, arguments.count / seconds
    print(f"seeds {arguments.seed} to {last}: {seconds:.0f} s, {speed:.1f} graphs a second")
    for note, count in sorted(totals.notes.items()):
        print(f"  {count:6} {note}")
    if arguments.verbose:
        for text, count in totals.cannot.most_common(40):
            print(f"  the evaluator cannot, {count} times: {text}")
    for kind, count in kinds.most_common():
        print(f"  {count:6} DISAGREE {kind}")
    return 1 if kinds else 0


if __name__ == "__main__":
    sys.exit(main())
