# SPDX-License-Identifier: Apache-2.0
"""Random graphs, and the oracles that judge what the runtime makes of them.

builder.py      grows a graph node by node, each value known from onnx's reference evaluator
operators/      what each operator takes, one function an operator; bodies and patterns
graph.py        a graph with its values: as a model, without a node
judge.py        the oracles: in every way the same, as the reference evaluator, as ONNX Runtime
noise.py        how far rounding alone can carry a value
workers.py      judges in child processes, which may crash or hang
minimise.py     drops nodes while a graph still shows its fault
__main__.py     the command: python -m random_graphs --seed N --count M --jobs 2 (with tests/ on PYTHONPATH)
"""
