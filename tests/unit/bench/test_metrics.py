import os
import time
from collections import Counter

import pytest

from bench import metrics
from bench.metrics import Requests

TEXT = """\
# TYPE apiserver_request_total counter
apiserver_request_total{code="200",component="apiserver",group="",resource="pods",scope="cluster",verb="LIST"} 7
apiserver_request_total{code="201",component="apiserver",group="",resource="pods",scope="namespace",verb="LIST"} 2
apiserver_request_total{code="200",group="apps",resource="deployments",scope="resource",verb="APPLY"} 1.2e+01
apiserver_flowcontrol_dispatched_requests_total{flow_schema="bench",priority_level="exempt"} 5
apiserver_flowcontrol_dispatched_requests_total{flow_schema="exempt",priority_level="exempt"} 99
"""


def test_requests_are_added_up_by_verb_and_the_tools_are_told_apart() -> None:
    assert metrics.parse(TEXT) == Requests(Counter(LIST=9, APPLY=12), 5)


def test_a_difference_has_only_what_was_added() -> None:
    before, after = Requests(Counter(GET=3, LIST=1), 2), Requests(Counter(GET=5, LIST=1), 6)
    assert after.since(before) == Requests(Counter(GET=2), 4)


def test_cpu_seconds_are_those_of_the_process() -> None:
    spent = metrics.cpu_seconds({"own": os.getpid()})["own"]
    assert spent == pytest.approx(time.process_time(), abs=0.5)
