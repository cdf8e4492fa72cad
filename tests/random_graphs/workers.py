# SPDX-License-Identifier: Apache-2.0
"""Judges in child processes: a graph that crashes or hangs one is a find, and the next one gets a new judge."""

from __future__ import annotations

import collections
import multiprocessing
import traceback
from typing import Any

from .graph import Graph

PATIENCE = 20  # seconds for a graph


class Worker:
    def __init__(self) -> None:
        # A new judge is needed after each crash: its process is forked from one that has the large imports done.
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["random_graphs.generate"])
        self._start()

    def _start(self) -> None:
        self.pipe, theirs = self._context.Pipe()
        self.process = self._context.Process(target=serve, args=(theirs,), daemon=True)
        self.process.start()
        theirs.close()
        self.pipe.recv()  # it is there

    def ask(self, task: Graph | int) -> Any:
        """A Verdict for a graph or the graph of a seed."""
        self.begin(task)
        return self.answer()

    def begin(self, task: Graph | int) -> None:
        self.task = task
        self.pipe.send(task)

    def answer(self) -> Any:
        from .judge import Verdict

        try:
            if self.pipe.poll(PATIENCE):
                return self.pipe.recv()
            kind = "hang"
        except (EOFError, ConnectionResetError):
            kind = "crash"
        self.process.kill()
        self.process.join()
        code = self.process.exitcode
        self._start()
        graph = self.task if isinstance(self.task, Graph) else graph_of(self.task)
        return Verdict(kind, f"{kind}, the process ended with {code}", (), graph)

    def close(self) -> None:
        self.pipe.close()
        self.process.join(5)
        if self.process.is_alive():
            self.process.kill()


def graph_of(seed: int) -> Graph:
    from .generate import random_graph

    return random_graph(seed)


def serve(pipe) -> None:
    import os

    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from .builder import Builder
    from .generate import random_graph
    from .host import Host
    from .judge import Judge, Verdict

    host = Host()
    judge = Judge(host if host.available else None)
    pipe.send("ready")
    while True:
        try:
            task = pipe.recv()
        except EOFError:
            host.close()
            return
        cannot: collections.Counter = collections.Counter()
        try:
            graph = task if isinstance(task, Graph) else random_graph(task, cannot)
            verdict = judge.judge(graph)
        except Exception as error:  # a fault of this package
            graph = task if isinstance(task, Graph) else Builder(0).graph()
            verdict = Verdict(f"harness: {type(error).__name__}", traceback.format_exc(), (), graph)
        if not verdict.kind:
            verdict.graph = None
            verdict.operators = sorted({n.op_type for n in graph.nodes}) if not isinstance(task, Graph) else []
        verdict.cannot = cannot
        pipe.send(verdict)
