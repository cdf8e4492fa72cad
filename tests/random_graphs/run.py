# SPDX-License-Identifier: Apache-2.0
"""Judges many seeds with several workers."""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Callable, Iterable
from multiprocessing.connection import wait

from .judge import Verdict
from .workers import PATIENCE, Worker


@dataclasses.dataclass
class Find:
    seed: int
    verdict: Verdict


@dataclasses.dataclass
class Totals:
    notes: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    cannot: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    finds: list[Find] = dataclasses.field(default_factory=list)


def search(seeds: Iterable[int], jobs: int, show: Callable[[Find, Worker], None] | None = None) -> Totals:
    """Each disagreement is handed to `show` as it is found, with a worker that is free."""
    totals = Totals()
    waiting = iter(seeds)
    workers = [Worker() for _ in range(jobs)]
    busy: dict[Worker, int] = {}

    def feed(worker: Worker) -> None:
        seed = next(waiting, None)
        if seed is not None:
            worker.begin(seed)
            busy[worker] = seed

    for worker in workers:
        feed(worker)
    while busy:
        ready = wait([w.pipe for w in busy], PATIENCE)
        done = [w for w in busy if w.pipe in ready] or list(busy)[:1]  # after a while, the first is asked and gives up
        for worker in done:
            seed = busy.pop(worker)
            verdict = worker.answer()
            totals.notes.update(set(verdict.notes))
            totals.cannot.update(getattr(verdict, "cannot", {}))
            if verdict.kind:
                totals.finds.append(Find(seed, verdict))
                if show:
                    show(totals.finds[-1], worker)
            feed(worker)
    for worker in workers:
        worker.close()
    return totals
