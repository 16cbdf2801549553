"""The versions of everything that the local platform builds; `pins/` holds the hashes that go with them."""

PULUMI = "3.259.0"
"""The Pulumi CLI and engine; also the oldest Pulumi on PATH that is used instead of building one."""

KUBERNETES_PROVIDER = "4.25.0"
"""The provider plugin. The engine loads exactly the version of the Python package pulumi-kubernetes."""

KUBERNETES = "1.36.3"
ETCD = "3.6.13"
COREDNS = "1.12.4"
KWOK = "0.8.0"
LOCAL_PATH_PROVISIONER = "0.0.30"
CYCLONUS = "0.5.6"
KUBE_SCORE = "1.20.0"
HELM = "3.22.0"
ACTIONLINT = "1.7.12"
VERSITYGW = "1.8.0"

GO = "1.26"
"""The oldest Go that builds all of these: the `go` line of their go.mod files."""
