# SPDX-License-Identifier: Apache-2.0
"""Reports the operator suite per operator: passed, failed, not selected."""

import collections
import os
import sys

sys.path.insert(0, os.path.dirname(__file__))

_by_operator: dict = collections.defaultdict(collections.Counter)


def pytest_addoption(parser):
    parser.addoption("--per-operator", action="store_true", help="print one line per operator at the end")


def pytest_runtest_logreport(report):
    if report.when != "call" and not (report.when == "setup" and report.skipped):
        return
    for name, value in report.user_properties:
        if name == "operators":
            for operator in value:
                _by_operator[operator][report.outcome] += 1


def pytest_terminal_summary(terminalreporter, config):
    served = [op for op, counts in _by_operator.items() if counts["passed"] or counts["failed"]]
    if not _by_operator:
        return
    terminalreporter.write_line(
        f"operators served by the provider: {len(served)} of {len(_by_operator)} in the cases run"
    )
    if config.getoption("--per-operator"):
        for operator in sorted(_by_operator):
            counts = _by_operator[operator]
            terminalreporter.write_line(
                f"{operator}: {counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} not selected"
            )
