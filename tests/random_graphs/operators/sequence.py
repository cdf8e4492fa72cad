# SPDX-License-Identifier: Apache-2.0
"""Sequences, optionals and texts."""

import numpy as np
from onnx import helper

from ..builder import Rejected
from .table import STRING, normal_axis, operator
from .tensor import ANY, ints, picked


@operator("StringSplit")
def string_split(b):
    b.add("StringSplit", [b.pick([STRING], where=lambda a: a.size > 0)], 2, delimiter=b.choose([None, "a", "."]))


@operator("SequenceConstruct", "SequenceAt", "SequenceInsert", "SequenceErase", "SequenceLength", "ConcatFromSequence")
def sequence(b, op):
    """A sequence of values of one type, and what reads it."""
    first = picked(b, "SequenceConstruct")
    x = b.value(first)
    alike = b.pick([x.dtype], rank=x.ndim, where=lambda a: a.shape == x.shape, make=lambda d: b.array(d, x.shape))
    names = [first, alike][: b.integer(1, 2)]
    (s,) = b.add("SequenceConstruct", names)
    count = len(names)
    if op == "SequenceInsert":
        b.add(op, [s, alike] + ([ints(b, b.integer(-count, count))] if b.chance(0.6) else []))
    elif op == "SequenceAt" or (op == "SequenceErase" and count > 1):  # an empty sequence does not show its type
        b.add(op, [s, ints(b, b.integer(-count, count - 1))])
    elif op == "SequenceLength":
        b.add(op, [s])
    elif op == "ConcatFromSequence":
        b.add(op, [s], axis=b.integer(0, x.ndim - 1), new_axis=b.integer(0, 1))


@operator("SplitToSequence")
def split_to_sequence(b):
    name = b.pick(
        [t for t in ANY if t.name in ("float32", "float64", "int64")], rank=(1, 2, 3), where=lambda a: 0 not in a.shape
    )
    x = b.value(name)
    if 0 in x.shape:
        raise Rejected("nothing to split")
    axis = normal_axis(b, x.ndim)
    inputs = [name] + ([ints(b, b.integer(1, x.shape[axis]))] if b.chance(0.5) else [])
    (s,) = b.add("SplitToSequence", inputs, axis=axis, keepdims=b.integer(0, 1))
    b.add("SequenceAt", [s, ints(b, -1)])


@operator("Optional", "OptionalHasElement", "OptionalGetElement")
def optional(b, op):
    name = b.pick([np.float32, np.int64])
    (o,) = b.add("Optional", [name], hidden=True)
    b.add("OptionalHasElement" if op == "OptionalHasElement" else "OptionalGetElement", [o])


@operator("SequenceMap")
def sequence_map(b):
    name = b.pick([np.float32, np.int64], rank=(1, 2))
    x = b.value(name)
    alike = b.new(b.array(x.dtype, x.shape))
    (s,) = b.add("SequenceConstruct", [name, alike])
    item, made = b.name("item"), b.name("made")
    kind = helper.make_tensor_value_info(item, helper.np_dtype_to_tensor_dtype(x.dtype), None)
    end = helper.make_tensor_value_info(made, helper.np_dtype_to_tensor_dtype(x.dtype), None)
    body = helper.make_graph([helper.make_node("Add", [item, item], [made])], "body", [kind], [end])
    b.add("SequenceMap", [s], body=body)


@operator("StringNormalizer")
def string_normalizer(b):
    # The evaluator takes accents off and leaves empty texts out, which the standard does not say.
    name = b.pick([STRING], rank=1, where=lambda a: all(t and str(t).isascii() for t in a))
    if not b.value(name).size or not all(t and str(t).isascii() for t in b.value(name)):
        raise Rejected("no plain words")
    stop = {"stopwords": ["a", "bc"]} if b.chance(0.5) else {}
    action = b.choose(["LOWER", "UPPER", "NONE"])
    b.add("StringNormalizer", [name], case_change_action=action, is_case_sensitive=b.integer(0, 1), **stop)


@operator("TfIdfVectorizer")
def tf_idf(b):
    name = b.pick([np.int64, np.int32], rank=(1, 2), where=lambda a: a.shape[-1] > 1)
    if b.value(name).shape[-1] < 2:
        raise Rejected("too short")
    pool = {"pool_int64s": [0, 1, 2, 1, 2, 0], "ngram_counts": [0, 2], "ngram_indexes": [0, 1, 2, 3]}
    mode = b.choose(["TF", "IDF", "TFIDF"])
    weights = {"weights": [1.0, 0.5, 2.0, 3.0]} if mode != "TF" else {}
    b.add(
        "TfIdfVectorizer",
        [name],
        mode=mode,
        min_gram_length=1,
        max_gram_length=2,
        max_skip_count=b.integer(0, 1),
        **pool,
        **weights,
    )
