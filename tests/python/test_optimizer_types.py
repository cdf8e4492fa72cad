# SPDX-License-Identifier: Apache-2.0
"""Each pass in each element type that its patterns allow.

It rewrites where the provider has a kernel for the result, not where it has none or where somebody else reads what
would go, and the values are those of the formula.
"""

import re

import numpy as np
import onnxruntime as ort
import pytest
from fused_patterns import FUSED
from pass_patterns import FLOATS, made
from portable_patterns import PLAIN

CPU = ["CPUExecutionProvider"]
LEVELS = ort.GraphOptimizationLevel
PATTERNS = FUSED | PLAIN
TOLERANCE = {"float": 2e-5, "double": 1e-12, "float16": 1e-2, "bfloat16": 6e-2}
pytestmark = pytest.mark.ours


def rewritten(model, only, capfd):
    """A session with one pass alone, and how often that rewrote."""
    every = ort.SessionOptions()
    every.log_severity_level = 0
    capfd.readouterr()
    ort.InferenceSession(model, every, providers=CPU)
    names = passes(capfd)
    alone = ort.SessionOptions()
    alone.log_severity_level = 0
    session = ort.InferenceSession(model, alone, providers=CPU, disabled_optimizers=list(names - {only}))
    return session, counts(capfd).get(only, 0)


def counts(capfd):
    found = {}
    for name, count in re.findall(r"pass (\w+): (\d+) rewrites", capfd.readouterr().err):
        found[name] = found.get(name, 0) + int(count)
    return found


def passes(capfd):
    return set(counts(capfd))


def check(got, want, kind, what):
    if kind in FLOATS:
        np.testing.assert_allclose(
            got.astype(np.float64), want, rtol=TOLERANCE[kind], atol=TOLERANCE[kind], err_msg=what
        )
    else:
        np.testing.assert_array_equal(got, want, err_msg=what)


CASES = [(name, kind, True) for name, one in PATTERNS.items() for kind in one.fires]
CASES += [(name, kind, False) for name, one in PATTERNS.items() for kind in one.not_in]


@pytest.mark.parametrize(("name", "kind", "fires"), CASES)
def test_fires_where_there_is_a_kernel(name, kind, fires, capfd):
    pattern = PATTERNS[name]
    model, feed, arguments = made(pattern, kind)
    alone, count = rewritten(model, pattern.optimizer, capfd)
    assert (count > 0) == fires, f"{count} rewrites"
    options = ort.SessionOptions()
    options.graph_optimization_level = LEVELS.ORT_DISABLE_ALL
    want = pattern.want(**arguments)
    for session, what in (
        (ort.InferenceSession(model, options, providers=CPU), "not optimised"),
        (alone, f"{pattern.optimizer} alone"),
        (ort.InferenceSession(model, providers=CPU), "all passes"),
    ):
        for _ in range(2):
            check(session.run(None, feed)[0], want, kind, what)


@pytest.mark.parametrize("name", [name for name, one in PATTERNS.items() if one.inner])
def test_what_somebody_reads_stays(name, capfd):
    pattern = PATTERNS[name]
    kind = (pattern.fires or pattern.not_in)[0]
    model, feed, arguments = made(pattern, kind, also_output=pattern.inner)
    session, count = rewritten(model, pattern.optimizer, capfd)
    assert count == 0 or name in ("identity", "folding", "reshapes"), "the value is an output of the graph"
    y, inner = session.run(None, feed)
    check(y, pattern.want(**arguments), kind, "y")
    options = ort.SessionOptions()
    options.graph_optimization_level = LEVELS.ORT_DISABLE_ALL
    plain = ort.InferenceSession(model, options, providers=CPU).run(None, feed)[1]
    check(inner, plain.astype(np.float64) if kind in FLOATS else plain, kind, "the inner value")
