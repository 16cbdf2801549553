"""What is built from what: one table of programs, and the key under which the cache keeps each."""

import dataclasses
import hashlib
import json
import platform
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from local.toolchain import versions

PINS = Path(__file__).parent / "pins"
"""One Go module a folder: go.mod and go.sum decide every source that is built, by its hash."""

GO_FLAGS = ("-mod=readonly", "-modcacherw", "-trimpath", "-buildvcs=false")
"""For every build: nothing may change the pins, and no path of this machine gets into a program."""


@dataclass(frozen=True)
class ModuleFile:
    """A file that is taken as it is from the source of a Go module.

    Args:
        module: the module's path, one that the pins require.
        source: the path inside the module.
        target: where it goes, relative to the folder that is being filled.
        executable: give it the run bit, which a Go module doesn't keep.
    """

    module: str
    source: str
    target: str
    executable: bool = False


@dataclass(frozen=True)
class Build:
    """One run of `go build` with the pins of one folder.

    Args:
        pins: the folder's name in `PINS`.
        packages: Go package by the name of the program that it becomes.
        stamps: values of Go string variables, set by the linker (`-X`): mostly version texts.
        embedded: what the pins' own main.go embeds, copied beside it before the build.
        shipped: what is taken from the modules into the program's folder.
    """

    pins: str
    packages: tuple[tuple[str, str], ...]
    stamps: tuple[tuple[str, str], ...] = ()
    embedded: tuple[ModuleFile, ...] = ()
    shipped: tuple[ModuleFile, ...] = ()


@dataclass(frozen=True)
class Program:
    """Something to have in the cache: programs of one release, built together.

    Args:
        name: its name in the cache and in messages.
        version: the release, as its users know it.
        release: the Go module and module version that are this release, checked by the tests.
        builds: what fills its folder.
        on_path: whether its programs belong on PATH.
    """

    name: str
    version: str
    release: tuple[str, str]
    builds: tuple[Build, ...]
    on_path: bool = True

    @property
    def outputs(self) -> tuple[str, ...]:
        """The files of a finished folder, relative to it."""
        built = (f"bin/{name}" for build in self.builds for name, _ in build.packages)
        shipped = (file.target for build in self.builds for file in build.shipped)
        return (*built, *shipped)


_KUBERNETES_COMMANDS = (
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kubectl",
    "kubelet",
    "kube-proxy",
)

_KWOK_STAGES = (
    "node/fast/node-initialize",
    "node/heartbeat/node-heartbeat",
    "pod/fast/pod-ready",
    "pod/fast/pod-complete",
    "pod/fast/pod-delete",
)

_PROVIDER_MODULE = "github.com/pulumi/pulumi-kubernetes/provider/v4"

PROGRAMS = (
    Program(
        name="etcd",
        version=versions.ETCD,
        release=("go.etcd.io/etcd/server/v3", f"v{versions.ETCD}"),
        builds=(Build("etcd", packages=(("etcd", "go.etcd.io/etcd/server/v3"),)),),
    ),
    Program(
        name="kubernetes",
        version=versions.KUBERNETES,
        release=("k8s.io/kubernetes", f"v{versions.KUBERNETES}"),
        builds=(
            Build(
                "kubernetes",
                packages=tuple((name, f"k8s.io/kubernetes/cmd/{name}") for name in _KUBERNETES_COMMANDS),
                # The variables that the Kubernetes release itself stamps (hack/lib/version.sh); a kubelet
                # without them reports v0.0.0, which version skew checks refuse.
                stamps=(
                    ("k8s.io/component-base/version.gitVersion", f"v{versions.KUBERNETES}"),
                    ("k8s.io/component-base/version.gitMajor", versions.KUBERNETES.split(".")[0]),
                    ("k8s.io/component-base/version.gitMinor", versions.KUBERNETES.split(".")[1]),
                    ("k8s.io/client-go/pkg/version.gitVersion", f"v{versions.KUBERNETES}"),
                ),
            ),
        ),
    ),
    Program(
        name="coredns",
        version=versions.COREDNS,
        release=("github.com/coredns/coredns", f"v{versions.COREDNS}"),
        builds=(Build("coredns", packages=(("coredns", "."),)),),
    ),
    Program(
        name="local-path-provisioner",
        version=versions.LOCAL_PATH_PROVISIONER,
        release=("github.com/rancher/local-path-provisioner", f"v{versions.LOCAL_PATH_PROVISIONER}"),
        builds=(
            Build(
                "local-path-provisioner",
                packages=(("local-path-provisioner", "github.com/rancher/local-path-provisioner"),),
                stamps=(("main.VERSION", f"v{versions.LOCAL_PATH_PROVISIONER}"),),
            ),
        ),
    ),
    Program(
        name="kwok",
        version=versions.KWOK,
        release=("sigs.k8s.io/kwok", f"v{versions.KWOK}"),
        builds=(
            Build(
                "kwok",
                packages=(("kwok", "sigs.k8s.io/kwok/cmd/kwok"),),
                # What simulated nodes and pods do, stage by stage: configuration, not code.
                shipped=tuple(
                    ModuleFile("sigs.k8s.io/kwok", f"kustomize/stage/{stage}.yaml", f"share/{Path(stage).name}.yaml")
                    for stage in _KWOK_STAGES
                ),
            ),
        ),
    ),
    Program(
        name="pulumi",
        version=versions.PULUMI,
        release=("github.com/pulumi/pulumi/pkg/v3", f"v{versions.PULUMI}"),
        # In one folder: the engine warns about a language host that is not beside it, and the host
        # takes its -exec program only from its own folder.
        builds=(
            Build(
                "pulumi",
                packages=(("pulumi", "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"),),
                stamps=(("github.com/pulumi/pulumi/sdk/v3/go/common/version.Version", versions.PULUMI),),
                shipped=(
                    ModuleFile(
                        "github.com/pulumi/pulumi/sdk/v3",
                        "python/cmd/pulumi-language-python-exec",
                        "bin/pulumi-language-python-exec",
                        executable=True,
                    ),
                ),
            ),
            Build(
                "pulumi-language-python",
                packages=(
                    (
                        "pulumi-language-python",
                        "github.com/pulumi/pulumi/sdk/python/cmd/pulumi-language-python/v3",
                    ),
                ),
            ),
        ),
    ),
    Program(
        name="pulumi-resource-kubernetes",
        version=versions.KUBERNETES_PROVIDER,
        # No release is tagged as a Go module; this is the commit of release v4.25.0.
        release=(_PROVIDER_MODULE, "v4.0.0-20260115033456-f47bc2d6f199"),
        builds=(
            Build(
                "pulumi-resource-kubernetes",
                packages=(("pulumi-resource-kubernetes", "."),),
                stamps=(("main.version", versions.KUBERNETES_PROVIDER),),
                embedded=tuple(
                    ModuleFile(_PROVIDER_MODULE, f"cmd/pulumi-resource-kubernetes/{name}", name)
                    for name in ("schema.json", "terraform-mapping.json")
                ),
            ),
        ),
        # The engine takes it from its plugin folder, and warns about one on PATH.
        on_path=False,
    ),
    Program(
        name="cyclonus",
        version=versions.CYCLONUS,
        release=("github.com/mattfenwick/cyclonus", f"v{versions.CYCLONUS}"),
        # Of its packages, the one that evaluates network policies: the pins' main.go asks it.
        builds=(Build("cyclonus", packages=(("cyclonus", "."),)),),
        on_path=False,
    ),
    Program(
        name="kube-score",
        version=versions.KUBE_SCORE,
        release=("github.com/zegl/kube-score", f"v{versions.KUBE_SCORE}"),
        builds=(Build("kube-score", packages=(("kube-score", "github.com/zegl/kube-score/cmd/kube-score"),)),),
        on_path=False,
    ),
    Program(
        name="actionlint",
        version=versions.ACTIONLINT,
        release=("github.com/rhysd/actionlint", f"v{versions.ACTIONLINT}"),
        builds=(Build("actionlint", packages=(("actionlint", "github.com/rhysd/actionlint/cmd/actionlint"),)),),
        on_path=False,
    ),
    Program(
        name="versitygw",
        version=versions.VERSITYGW,
        release=("github.com/versity/versitygw", f"v{versions.VERSITYGW}"),
        builds=(Build("versitygw", packages=(("versitygw", "github.com/versity/versitygw/cmd/versitygw"),)),),
        on_path=False,
    ),
    Program(
        name="helm",
        version=versions.HELM,
        release=("helm.sh/helm/v3", f"v{versions.HELM}"),
        builds=(
            Build(
                "helm",
                packages=(("helm", "helm.sh/helm/v3/cmd/helm"),),
                stamps=(("helm.sh/helm/v3/internal/version.version", f"v{versions.HELM}"),),
            ),
        ),
        on_path=False,
    ),
)
"""In the order in which they are built: what a cluster needs, Pulumi, what only tests and benchmarks use."""


def named(names: Iterable[str]) -> tuple[Program, ...]:
    """The programs of these names, in the table's order.

    Raises:
        ValueError: there is no program of that name.
    """
    wanted = set(names)
    if unknown := wanted - {program.name for program in PROGRAMS}:
        known = ", ".join(program.name for program in PROGRAMS)
        raise ValueError(f"no such program: {', '.join(sorted(unknown))} (there are: {known})")
    return tuple(program for program in PROGRAMS if program.name in wanted)


def key(program: Program, pins: Path = PINS) -> str:
    """A name for exactly this program: the hash of its recipe, its pins and the processor it is for."""
    recipe = [dataclasses.asdict(program), GO_FLAGS, platform.system(), platform.machine()]
    digest = hashlib.sha256(json.dumps(recipe, sort_keys=True).encode())
    for build in program.builds:
        for path in sorted((pins / build.pins).iterdir()):
            content = path.read_bytes()
            digest.update(f"\n{build.pins}/{path.name} {len(content)}\n".encode())
            digest.update(content)
    return digest.hexdigest()[:16]
