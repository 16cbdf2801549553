import json
from pathlib import Path
from typing import Any

import pytest

from siteforge.errors import ClusterError
from siteforge.fleet import kubeconfig
from siteforge.fleet.cluster import Cluster
from siteforge.fleet.kinds import POD
from tests.support import servers


def write(folder: Path, monkeypatch: pytest.MonkeyPatch, server: str = "https://here", **fields: Any) -> None:
    path = servers.kubeconfig(folder, server)
    told = json.loads(path.read_text())
    told["clusters"][0]["cluster"] |= fields
    told["clusters"].append({"name": "other", "cluster": {"server": "https://other", "disable-compression": True}})
    path.write_text(json.dumps(told))
    monkeypatch.setenv("KUBECONFIG", str(path))


@pytest.mark.parametrize(("fields", "compressed"), [({}, True), ({"disable-compression": True}, False)])
def test_answers_are_compressed_unless_the_kubeconfig_says_otherwise_of_this_cluster(
    fields: dict[str, Any], compressed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, monkeypatch, **fields)
    assert kubeconfig.find().compressed == compressed
    with Cluster() as cluster:
        assert ("gzip" in cluster._connection.http.headers["Accept-Encoding"]) == compressed


def test_what_answers_uncompressed_is_read_as_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with servers.serving(lambda _: (200, '{"items": [{"a": 1}]}')) as address:
        write(tmp_path, monkeypatch, address, **{"disable-compression": True})
        with Cluster() as cluster:
            assert cluster.objects(POD) == [{"a": 1}]


def test_a_missing_kubeconfig_and_an_unknown_context_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, monkeypatch)
    with pytest.raises(ClusterError, match="nowhere"):
        kubeconfig.find("nowhere")
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    with pytest.raises(ClusterError, match=r"none.* - name a kubeconfig with KUBECONFIG"):
        kubeconfig.find()
