"""Plans: the sizes a tenant gets unless its line in the catalogue says otherwise.

Requests follow the presets of the most used WordPress chart (Bitnami's nano to large). CPU limits are
wider than its 1.5 times the request: PHP needs short bursts, and a throttled page is a slow page.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class ContainerSize:
    """Requests and limits of one container, as canonical Kubernetes quantities."""

    cpu_request: str
    memory_request: str
    cpu_limit: str
    memory_limit: str


@dataclass(frozen=True)
class Plan:
    """What a plan gives: sizes of the site's and the database's container, and of their volumes."""

    replicas: int
    wordpress: ContainerSize
    wordpress_volume: str
    database: ContainerSize
    database_volume: str


PLANS: Final[dict[str, Plan]] = {
    "nano": Plan(
        replicas=1,
        wordpress=ContainerSize("100m", "128Mi", "500m", "256Mi"),
        wordpress_volume="1Gi",
        database=ContainerSize("50m", "128Mi", "500m", "256Mi"),
        database_volume="1Gi",
    ),
    "micro": Plan(
        replicas=1,
        wordpress=ContainerSize("250m", "256Mi", "1", "512Mi"),
        wordpress_volume="5Gi",
        database=ContainerSize("100m", "256Mi", "1", "512Mi"),
        database_volume="2Gi",
    ),
    "small": Plan(
        replicas=1,
        wordpress=ContainerSize("500m", "512Mi", "2", "1Gi"),
        wordpress_volume="10Gi",
        database=ContainerSize("250m", "512Mi", "1", "1Gi"),
        database_volume="5Gi",
    ),
    "medium": Plan(
        replicas=1,
        wordpress=ContainerSize("500m", "1Gi", "2", "2Gi"),
        wordpress_volume="20Gi",
        database=ContainerSize("500m", "1Gi", "2", "2Gi"),
        database_volume="10Gi",
    ),
    "large": Plan(
        replicas=1,
        wordpress=ContainerSize("1", "2Gi", "4", "4Gi"),
        wordpress_volume="50Gi",
        database=ContainerSize("1", "2Gi", "4", "4Gi"),
        database_volume="20Gi",
    ),
}
"""By name, smallest first."""

SMALLEST_CPU: Final = "10m"
SMALLEST_MEMORY: Final = "64Mi"
"""The least that a container may ask for: below it, PHP and MariaDB don't start."""

DEFAULT_PLAN: Final = "micro"

LARGEST: Final = PLANS["large"]
