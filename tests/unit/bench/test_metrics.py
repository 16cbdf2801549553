from collections import Counter

from bench import metrics
from bench.metrics import Activity

TEXT = """\
# TYPE apiserver_request_total counter
apiserver_request_total{code="200",component="apiserver",group="",resource="pods",scope="cluster",verb="LIST"} 7
apiserver_request_total{code="201",component="apiserver",group="",resource="pods",scope="namespace",verb="LIST"} 2
apiserver_request_total{code="200",group="apps",resource="deployments",scope="resource",verb="APPLY"} 1.2e+01
apiserver_flowcontrol_dispatched_requests_total{flow_schema="bench",priority_level="exempt"} 5
apiserver_flowcontrol_dispatched_requests_total{flow_schema="exempt",priority_level="exempt"} 99
"""


def test_requests_are_added_up_by_verb_and_the_tools_are_told_apart() -> None:
    assert metrics.parse(TEXT) == ({"LIST": 9, "APPLY": 12}, 5)


def test_a_difference_has_only_what_was_added() -> None:
    before = Activity(Counter(GET=3, LIST=1), 2, {"etcd": 1.0})
    after = Activity(Counter(GET=5, LIST=1), 6, {"etcd": 1.5, "kwok": 0.25})
    assert after.since(before) == Activity(Counter(GET=2), 4, {"etcd": 0.5, "kwok": 0.25})
