# SPDX-License-Identifier: Apache-2.0
"""magika: a program with a model in its package, written against the Python interface."""

import pytest
from magika import Magika

SAMPLES = {
    "python": (b"import os\n\ndef main(argv):\n    for name in argv:\n        print(os.path.abspath(name))\n", 0.99),
    "c": (b'#include <stdio.h>\nint main(int argc, char **argv) {\n  printf("%s\\n", argv[0]);\n  return 0;\n}\n', 0.9),
    "html": (b"<!DOCTYPE html><html><head><title>x</title></head><body><p>Hello</p></body></html>\n", 0.7),
    "elf": (open("/bin/true", "rb").read(), 0.99),
    "markdown": (
        b"# Title\n\nSome *text* and a [link](page.html).\n\n- item 1\n- item 2\n\n```sh\nls -la\n```\n",
        0.99,
    ),
}


@pytest.fixture(scope="module")
def magika():
    return Magika()


@pytest.mark.parametrize("label", SAMPLES)
def test_it_names_the_type_of_small_files(magika, label):
    content, least_score = SAMPLES[label]
    answer = magika.identify_bytes(content)
    assert answer.output.label == label
    assert answer.score >= least_score


def test_one_at_a_time_or_many(magika, tmp_path):
    paths = []
    for label, (content, _) in SAMPLES.items():
        path = tmp_path / label
        path.write_bytes(content)
        paths.append(path)
    together = [answer.score for answer in magika.identify_paths(paths)]
    alone = [magika.identify_path(path).score for path in paths]
    assert together == pytest.approx(alone, abs=1e-6)
