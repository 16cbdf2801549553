from pathlib import Path

import pytest

from siteforge.errors import ClusterError
from siteforge.fleet import suspended
from siteforge.fleet.cluster import Cluster
from siteforge.fleet.election import Timing
from tests.support import servers
from tests.support.blueprints import make


def test_a_lease_that_can_not_be_had_is_no_other_backup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suspended, "Timing", lambda: Timing(lease=0.1, renewal=0.1, retry=0.05))
    forbidden = '{"message": "leases is forbidden"}'

    def answer(asked: str) -> tuple[int, str]:
        return (403, forbidden) if "/leases/" in asked else (200, '{"items": []}')

    with servers.serving(answer) as address:
        monkeypatch.setenv("KUBECONFIG", str(servers.kubeconfig(tmp_path, address)))
        with (
            Cluster() as cluster,
            pytest.raises(ClusterError, match="leases is forbidden - ask for the right"),
            suspended.woken(cluster, make(suspended=True)),
        ):
            pytest.fail("it was begun without its lease")
