"""Siteforge: `siteforge up` and `siteforge drift`."""

from bench.peers.peer import Command
from bench.peers.plain import Plain


class Siteforge(Plain):
    """Until its command line has `up` and `drift`, what they will amount to for one stack: Pulumi without preview."""

    name = "siteforge"
    title = "Siteforge (stand-in: `pulumi up --skip-preview`, one stack)"
    largest = 5000

    def drift_check(self) -> Command:
        """`siteforge drift`; 3 says that something differs."""
        return self._pulumi("refresh", "--preview-only")

    def _up(self, *tenants: str) -> Command:
        """`siteforge up [--tenant NAME...]`, the one place that knows how."""
        return self._pulumi("up", "--yes", "--skip-preview")
