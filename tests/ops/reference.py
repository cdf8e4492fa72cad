# SPDX-License-Identifier: Apache-2.0
"""One-node models checked against onnx's reference evaluator."""

import onnx
import pytest
from onnx import helper, numpy_helper
from onnx.reference import ReferenceEvaluator
from onnx_cases import assert_same
from provider_under_test import NotRegistered, session


def model_of(
    op, inputs, *, outputs=1, opset=21, domain="", domain_opset=1, constants=(), types=None, **attributes
) -> onnx.ModelProto:
    """A model of one node. `inputs` are arrays or None (omitted); those in `constants` become initialisers."""
    names = ["" if x is None else f"x{i}" for i, x in enumerate(inputs)]
    results = [f"y{i}" for i in range(outputs)]
    node = helper.make_node(op, names, results, domain=domain, **attributes)
    given = [
        helper.make_tensor_value_info(
            name, helper.np_dtype_to_tensor_dtype(x.dtype) if x.dtype != object else onnx.TensorProto.STRING, x.shape
        )
        for i, (name, x) in enumerate(zip(names, inputs))
        if x is not None and i not in constants
    ]
    weights = [numpy_helper.from_array(inputs[i], names[i]) for i in constants]
    graph = helper.make_graph([node], "one_node", given, [onnx.ValueInfoProto(name=r) for r in results], weights)
    imports = [helper.make_opsetid("", opset)] + ([helper.make_opsetid(domain, domain_opset)] if domain else [])
    model = helper.make_model(graph, opset_imports=imports, ir_version=10)
    for i, element_type in enumerate(types or []):
        model.graph.output[i].CopyFrom(helper.make_tensor_value_info(results[i], element_type, None))
    return model


def feeds_of(inputs, constants=()):
    return {f"x{i}": x for i, x in enumerate(inputs) if x is not None and i not in constants}


def run_in_every_way(op, inputs, **kwargs):
    """The provider's outputs at each level of optimisation, as (level, outputs); skips where it has no kernel."""
    model = model_of(op, inputs, **kwargs)
    try:
        runner = session(model.SerializeToString())
    except NotRegistered as reason:
        pytest.skip(f"not selected: {reason}")
    runner.run(None, feeds_of(inputs, kwargs.get("constants", ())))
    return runner.results


def run(op, inputs, **kwargs):
    """The provider's outputs, the same in every way; skips where it has no kernel."""
    return run_in_every_way(op, inputs, **kwargs)[0][1]


def check(op, inputs, *, rtol=1e-5, atol=1e-6, expected=None, **kwargs):
    """Runs the node and compares with `expected`, or with onnx's reference evaluator."""
    results = run_in_every_way(op, inputs, **kwargs)
    if expected is None:
        reference = ReferenceEvaluator(model_of(op, inputs, **kwargs))
        expected = reference.run(None, feeds_of(inputs, kwargs.get("constants", ())))
    assert_each(results, expected, rtol, atol)


def assert_each(results, expected, rtol, atol):
    """Each level's outputs are the expected ones."""
    for level, got in results:
        for place, (want, have) in enumerate(zip(expected, got)):
            try:
                assert_same(want, have, rtol, atol)
            except AssertionError as error:
                raise AssertionError(f"optimisation {level}, output {place}: {error}") from error


def refused(op, inputs, match, **kwargs):
    """The node must fail, when it is made or when it runs, with a message that says why."""
    with pytest.raises(Exception, match=match):
        run(op, inputs, **kwargs)
