# SPDX-License-Identifier: Apache-2.0
"""Help, options, exit codes and streams."""

import pytest

COMMANDS = ("run", "info", "providers", "explain")


def test_help(ortrun):
    for words in (("--help",), ("-h",), ("help",)):
        done = ortrun(*words)
        assert done.code == 0 and done.err == "" and all(command in done.out for command in COMMANDS)
    done = ortrun()
    assert done.code == 2 and done.out == "" and done.err.startswith("usage: ortrun COMMAND")
    assert ortrun("--version").out.startswith("ortrun 1.30")


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_a_command(ortrun, command):
    done = ortrun(command, "--help")
    assert done.code == 0 and done.err == "" and done.out.startswith(f"usage: ortrun {command}")
    assert "--json" in done.out and "--model" not in done.out
    assert ortrun("help", command).out == done.out


def test_help_names_every_option(ortrun):
    text = ortrun("run", "--help").out
    options = "providers dim threads optimization config input seed repeat profile save json verbose help"
    assert all(f"--{option}" in text for option in options.split())


def test_wrong_words(ortrun, model):
    ortrun("rnu").failed(2, "no command 'rnu'", "Did you mean 'run'?")
    ortrun("run").failed(2, "the file of the model is missing", "ortrun run MODEL")
    ortrun("run", model, "another").failed(2, "too many words", "ortrun run MODEL")
    ortrun("run", model, "--provders", "x").failed(2, "no option '--provders'", "Did you mean '--providers'?")
    ortrun("run", model, "--repeat", "many").failed(2, "repeat", "many")
    ortrun("run", model, "--repeat", "0").failed(2, "--repeat takes a whole number from 1, got 0")
    ortrun("run", model, "--repeat=-1").failed(2, "--repeat takes a whole number from 1, got -1")
    ortrun("run", model, "--threads=-2").failed(2, "--threads takes a whole number from 0")
    ortrun("run", model, "--optimization", "7").failed(2, "--optimization takes", "got 7")
    ortrun("run", model, "--dim", "batch").failed(2, "--dim takes NAME=VALUE")
    ortrun("run", model, "--dim", "batch=two").failed(2, "--dim takes a size", "batch=two")
    ortrun("run", model, "--config", "key").failed(2, "--config takes NAME=VALUE")
    ortrun("info", model, "--repeat", "2").failed(2, "no option '--repeat'")


@pytest.mark.parametrize("command", ["run", "info", "explain"])
def test_models_that_are_none(ortrun, tmp_path, command):
    ortrun(command, "missing.onnx").failed(3, "missing.onnx")
    (tmp_path / "text.onnx").write_text("this is no model")
    ortrun(command, "text.onnx", "--json").failed(3, "text.onnx")
    (tmp_path / "empty.onnx").touch()
    ortrun(command, "empty.onnx").failed(3, "empty.onnx")
    (tmp_path / "folder.onnx").mkdir()
    ortrun(command, "folder.onnx").failed(3, "folder.onnx")


@pytest.mark.parametrize("words", [("run",), ("explain",), ("info",)])
def test_verbose_goes_to_standard_error(ortrun, model, words):
    done = ortrun(*words, model, "--json", "--verbose")
    assert done.code == 0 and isinstance(done.json, dict)


def test_mistyped_provider(ortrun, model):
    for command in ("run", "explain"):
        ortrun(command, model, "--providers", "CPUExecutionProvidr").failed(
            4, "'CPUExecutionProvidr'", "Did you mean 'CPUExecutionProvider'?", "ortrun providers"
        )
    assert ortrun("run", model, "--providers", "cpu").code == 0
    assert ortrun("run", model, "-p", "CPUExecutionProvider").code == 0
