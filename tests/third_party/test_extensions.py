# SPDX-License-Identifier: Apache-2.0
"""onnxruntime-extensions: a library of custom operators, most of them on strings."""

import numpy as np
import onnxruntime as ort
import onnxruntime_extensions
import pytest
from onnx import TensorProto, helper

DOMAIN = "ai.onnx.contrib"
LINES = ["Hello World", "Größe ß", "onnx runtime 测试"]


def session_of(node, inputs, outputs, constants=(), options=None) -> ort.InferenceSession:
    """A session of one custom operator. inputs and outputs: {name: (element type, shape)}."""

    def infos(values):
        return [helper.make_tensor_value_info(name, *declared) for name, declared in values.items()]

    graph = helper.make_graph([node], "g", infos(inputs), infos(outputs), list(constants))
    imports = [helper.make_opsetid("", 17), helper.make_opsetid(DOMAIN, 1)]
    model = helper.make_model(graph, opset_imports=imports, ir_version=8)
    options = options or ort.SessionOptions()
    options.register_custom_ops_library(onnxruntime_extensions.get_library_path())
    return ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def run_on_lines(operator, output_types, constants=(), **attributes) -> list[list]:
    """The operator's outputs on LINES; constants are further inputs (name, element type, values)."""
    outputs = [f"y{i}" for i in range(len(output_types))]
    names = [name for name, _, _ in constants]
    node = helper.make_node(operator, ["x", *names], outputs, domain=DOMAIN, **attributes)
    tensors = [helper.make_tensor(name, kind, [len(values)], values) for name, kind, values in constants]
    declared = {name: (kind, None) for name, kind in zip(outputs, output_types)}
    session = session_of(node, {"x": (TensorProto.STRING, ["N"])}, declared, tensors)
    return [array.tolist() for array in session.run(None, {"x": np.array(LINES, dtype=object)})]


STRING, INT64 = TensorProto.STRING, TensorProto.INT64


@pytest.mark.parametrize(
    ("operator", "output_types", "constants", "attributes", "expected"),
    [
        ("StringUpper", [STRING], [], {}, [["HELLO WORLD", "GRößE ß", "ONNX RUNTIME 测试"]]),
        ("StringLower", [STRING], [], {}, [["hello world", "größe ß", "onnx runtime 测试"]]),
        ("StringLength", [INT64], [], {}, [[11, 7, 15]]),
        (
            "StringRegexReplace",
            [STRING],
            [("pattern", STRING, [b"[aeiou]"]), ("rewrite", STRING, [b"*"])],
            {"global_replace": 1},
            [["H*ll* W*rld", "Größ* ß", "*nnx r*nt*m* 测试"]],
        ),
        ("StringToHashBucketFast", [INT64], [("buckets", INT64, [1000])], {}, [[346, 378, 63]]),
        ("StringJoin", [STRING], [("separator", STRING, [b"|"]), ("axis", INT64, [0])], {}, [["|".join(LINES)]]),
        (
            "StringSplit",
            [INT64, STRING, INT64],
            [("separator", STRING, [b" "]), ("skip_empty", TensorProto.BOOL, [True])],
            {},
            [
                [[0, 0], [0, 1], [1, 0], [1, 1], [2, 0], [2, 1], [2, 2]],
                ["Hello", "World", "Größe", "ß", "onnx", "runtime", "测试"],
                [3, 3],
            ],
        ),
    ],
)
def test_string_operators(operator, output_types, constants, attributes, expected):
    assert run_on_lines(operator, output_types, constants, **attributes) == expected


VOCABULARY = "[PAD] [UNK] [CLS] [SEP] [MASK] the quick brown fox jump ##s ##ed over lazy dog . , ! un ##aff ##able"
SENTENCE = "The quick brown fox jumps, jumped over the lazy UNAFFABLE dog! zzz"
TOKENS = [2, 5, 6, 7, 8, 9, 10, 16, 9, 11, 12, 5, 13, 18, 19, 20, 14, 17, 1, 3]


def test_bert_tokenizer():
    node = helper.make_node(
        "BertTokenizer",
        ["text"],
        ["ids", "segments", "mask"],
        domain=DOMAIN,
        vocab_file="\n".join(VOCABULARY.split()),
        do_lower_case=1,
        strip_accents=1,
    )
    session = session_of(node, {"text": (STRING, [1])}, dict.fromkeys(("ids", "segments", "mask"), (INT64, None)))
    ids, segments, mask = session.run(None, {"text": np.array([SENTENCE], dtype=object)})
    assert ids.tolist() == TOKENS
    assert segments.tolist() == [0] * len(TOKENS)
    assert mask.tolist() == [1] * len(TOKENS)


def test_bert_decoder():
    special = {f"{name}_token": f"[{name.upper()}]" for name in ("unk", "sep", "pad", "cls", "mask")}
    node = helper.make_node(
        "BertTokenizerDecoder",
        ["ids", "positions"],
        ["text"],
        domain=DOMAIN,
        vocab_file="\n".join(VOCABULARY.split()),
        suffix_indicator="##",
        skip_special_tokens=1,
        **special,
    )
    positions = helper.make_tensor("positions", INT64, [0, 2], [])
    session = session_of(node, {"ids": (INT64, ["N"])}, {"text": (STRING, None)}, [positions])
    (text,) = session.run(None, {"ids": np.array(TOKENS, np.int64)})
    assert text.tolist() == ["the quick brown fox jumps, jumped over the lazy unaffable dog! [UNK]"]


def test_what_an_operator_refuses_is_told():
    constants = [("separator", STRING, [b"|"]), ("axis", INT64, [5])]
    with pytest.raises(Exception, match="StringJoin"):
        run_on_lines("StringJoin", [STRING], constants)


def test_one_library_serves_two_sessions():
    options = ort.SessionOptions()
    node = helper.make_node("StringUpper", ["x"], ["y"], domain=DOMAIN)
    declared = ({"x": (STRING, ["N"])}, {"y": (STRING, ["N"])})
    sessions = [session_of(node, *declared, options=options), session_of(node, *declared)]
    for session in sessions:
        assert session.run(None, {"x": np.array(["a"], dtype=object)})[0].tolist() == ["A"]
