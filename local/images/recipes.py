"""The table of images: what each is made of, what it is called and what it runs."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from local.images import program
from local.images.debian import DebianRoot
from local.images.oci import Settings
from local.images.source import Source
from local.images.static import Busybox, Pause

HERE = Path(__file__).resolve().parent

PAUSE = "siteforge.local/pause:1"
BUSYBOX = "siteforge.local/busybox:1"
WORDPRESS = "siteforge.local/wordpress:6.1.9"
WORDPRESS_NEXT = "siteforge.local/wordpress:6.1.9-next"
"""The same files under another tag, which the header X-Siteforge-Build tells apart: for tests of rollouts."""
MARIADB = "siteforge.local/mariadb:10.11"
MARIADB_NEXT = "siteforge.local/mariadb:10.11-next"
"""The same files under another tag, for tests of rollouts."""
SITEFORGE = "siteforge.local/siteforge:dev"

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True)
class Recipe:
    """One archive: the references in it share all layers."""

    name: str
    source: Source
    """What the first layer is made of."""
    images: Mapping[str, Settings]
    over: tuple[Source, ...] = field(default=(), repr=False)
    """The layers over the first, the lowest first."""
    files: Path | None = field(default=None, repr=False)
    """A folder that is laid over all layers; its contents enter the cache key, its place does not."""
    kept_days: int = field(default=14, repr=False)
    """So long, what an earlier recipe made stays in the cache."""

    @property
    def sources(self) -> tuple[Source, ...]:
        """What all layers are made of, the lowest first."""
        return (self.source, *self.over)


def _builds(first: str, following: str, settings: Settings) -> dict[str, Settings]:
    """Two tags that differ in the variable SITEFORGE_BUILD alone."""

    def build(name: str) -> Settings:
        return replace(settings, environment={**settings.environment, "SITEFORGE_BUILD": name})

    return {first: build("first"), following: build("next")}


RECIPES: tuple[Recipe, ...] = (
    Recipe(
        name="pause",
        source=Pause(HERE / "pause.c"),
        images={PAUSE: Settings(entrypoint=("/pause",))},
    ),
    Recipe(
        name="busybox",
        source=Busybox(),
        images={BUSYBOX: Settings(command=("sh",), environment={"PATH": "/bin"})},
    ),
    Recipe(
        name="mariadb",
        source=DebianRoot(
            packages=("mariadb-server-core", "mariadb-client", "tzdata", "xz-utils", "zstd"),
            promise=("mariadb-server-core", "10.11"),
            prepare=HERE / "mariadb" / "prepare.sh",
            finish=HERE / "mariadb" / "finish.sh",
        ),
        files=HERE / "mariadb" / "files",
        images=_builds(
            MARIADB,
            MARIADB_NEXT,
            Settings(
                entrypoint=("docker-entrypoint.sh",),
                command=("mariadbd",),
                environment={"PATH": _PATH, "LANG": "C.UTF-8"},
                ports=("3306/tcp",),
                volumes=("/var/lib/mysql",),
            ),
        ),
    ),
    Recipe(
        name="wordpress",
        source=DebianRoot(
            packages=(
                *("apache2", "ca-certificates", "libapache2-mod-php", "php-cli"),
                *(
                    "php-bcmath",
                    "php-curl",
                    "php-gd",
                    "php-intl",
                    "php-mbstring",
                    "php-mysql",
                    "php-xml",
                    "php-zip",
                ),
                *("wordpress", "wordpress-theme-twentytwentythree"),
            ),
            promise=("wordpress", "6.1.9"),
            finish=HERE / "wordpress" / "finish.sh",
        ),
        files=HERE / "wordpress" / "files",
        images=_builds(
            WORDPRESS,
            WORDPRESS_NEXT,
            Settings(
                entrypoint=("docker-entrypoint.sh",),
                command=("apache2-foreground",),
                # The leading colon keeps Debian's own folder of PHP settings before the official image's.
                environment={"PATH": _PATH, "PHP_INI_SCAN_DIR": ":/usr/local/etc/php/conf.d"},
                working_directory="/var/www/html",
                ports=("80/tcp",),
                volumes=("/var/www/html",),
                stop_signal="SIGWINCH",
            ),
        ),
    ),
)
"""What every cluster of the local platform gets."""


def siteforge() -> Recipe:
    """Siteforge of this clone, with Pulumi: whatever of it changes, only the layers from there on are made again."""
    return Recipe(
        name="siteforge",
        source=DebianRoot(
            # grpcio's wheel is linked against libstdc++.
            packages=("ca-certificates", "libstdc++6", "python3", "python3-venv", "tini"),
            promise=("python3", program.PYTHON),
            finish=HERE / "siteforge" / "finish.sh",
        ),
        over=program.layers(),
        files=HERE / "siteforge" / "files",
        images={
            SITEFORGE: Settings(
                entrypoint=("tini", "--", "docker-entrypoint.sh"),
                command=("siteforge", "--help"),
                environment={
                    "PATH": f"/opt/pulumi/bin:{_PATH}",
                    "LANG": "C.UTF-8",
                    "HOME": "/var/lib/siteforge",
                    "PULUMI_HOME": "/var/lib/siteforge/pulumi",
                    "PULUMI_SKIP_UPDATE_CHECK": "true",
                    # Whom Pulumi notes as the holder of a lock: the image knows no users by name.
                    "USER": "siteforge",
                    # The image's own folders can't be written to: what Python compiles is kept here.
                    "PYTHONPYCACHEPREFIX": "/var/lib/siteforge/pycache",
                },
                ports=("9464/tcp",),
            )
        },
        # Each commit of a developer's makes another, of half a gigabyte.
        kept_days=1,
    )
