"""The configuration files of the cluster's programs, as text. Those of Kubernetes are JSON, which is YAML too."""

import json
from collections.abc import Mapping

from local.cluster.layout import CONTEXT, Layout
from local.cluster.settings import Settings

PAUSE_IMAGE = "siteforge.local/pause:1"
"""Image of the container that holds a pod's namespaces."""

HELPER_IMAGE = "siteforge.local/busybox:1"
"""Image that makes and removes the folders of volumes."""

BRIDGE = "siteforge0"
"""The bridge to which the pods are joined, inside the cluster's network namespace."""


def files(settings: Settings, layout: Layout) -> Mapping[str, str]:
    """All configuration files by name; `layout` is the one that the programs see."""
    users = ["kube-controller-manager", "kube-scheduler", "admin"]
    users += [] if settings.simulated else ["kubelet", "kube-proxy"]
    texts = {f"{user}.kubeconfig": kubeconfig(settings, layout, user) for user in users}
    texts |= {"local-path.json": _volume_folders(layout), "volumes.json": json.dumps(_volumes(layout), indent=1)}
    if not settings.simulated:
        texts |= {
            "kubelet.json": kubelet(settings, layout),
            "kube-proxy.json": kube_proxy(settings, layout),
            "containerd.toml": containerd(layout),
            "cni/10-bridge.conflist": bridge(settings, layout),
            "Corefile": corefile(settings, layout),
            "resolv.conf": f"nameserver {settings.network.node}\n",
        }
    return texts


def kubeconfig(settings: Settings, layout: Layout, user: str) -> str:
    """A kubeconfig for `user`, with its key and certificates by path."""
    folder = layout.certificates
    cluster = {
        "server": settings.server,
        "certificate-authority": str(folder / "authority.crt"),
        # It never leaves the machine, and the API server's time is the machine's own.
        "disable-compression": True,
    }
    credentials = {"client-certificate": str(folder / f"{user}.crt"), "client-key": str(folder / f"{user}.key")}
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": CONTEXT, "cluster": cluster}],
            "users": [{"name": user, "user": credentials}],
            "contexts": [{"name": CONTEXT, "context": {"cluster": CONTEXT, "user": user}}],
            "current-context": CONTEXT,
        },
        indent=1,
    )


def kubelet(settings: Settings, layout: Layout) -> str:
    """https://kubernetes.io/docs/reference/config-api/kubelet-config.v1beta1/."""
    folder = layout.certificates
    return json.dumps(
        {
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "kind": "KubeletConfiguration",
            "address": settings.network.node,
            "authentication": {
                "anonymous": {"enabled": False},
                "webhook": {"enabled": True},
                "x509": {"clientCAFile": str(folder / "authority.crt")},
            },
            "authorization": {"mode": "Webhook"},
            "tlsCertFile": str(folder / "kubelet.crt"),
            "tlsPrivateKeyFile": str(folder / "kubelet.key"),
            "containerRuntimeEndpoint": f"unix://{layout.containerd_socket}",
            "clusterDNS": [settings.network.node],
            "clusterDomain": "cluster.local",
            "resolvConf": str(layout.configuration / "resolv.conf"),
            "volumePluginDir": str(layout.runtime / "volume-plugins"),
            "cgroupDriver": "cgroupfs",
            "cgroupRoot": settings.control_group,
            # Kubernetes 1.36 still serves control groups of version 1, which it refuses unless told.
            "failCgroupV1": False,
            "failSwapOn": False,
            "enforceNodeAllocatable": [],
            "maxPods": 250,
            "podPidsLimit": 4096,
            # A developer's disk may be nearly full; pods are evicted only when it truly ends.
            "evictionHard": {
                "memory.available": "100Mi",
                "nodefs.available": "1%",
                "nodefs.inodesFree": "1%",
                "imagefs.available": "1%",
            },
            # No registry is in reach to fetch an image again: never remove one.
            "imageGCHighThresholdPercent": 100,
            "imageGCLowThresholdPercent": 99,
            "serializeImagePulls": False,
            # A beta feature, on by default since 1.35: a container that fails is tried again after 10, 20, 30, 30...
            # seconds instead of up to 5 minutes, so a tenant comes back soon once the reason is gone.
            "crashLoopBackOff": {"maxContainerRestartPeriod": "30s"},
            "nodeStatusUpdateFrequency": "5s",
            "containerLogMaxSize": "10Mi",
            "containerLogMaxFiles": 3,
        },
        indent=1,
    )


def kube_proxy(settings: Settings, layout: Layout) -> str:
    """https://kubernetes.io/docs/reference/config-api/kube-proxy-config.v1alpha1/."""
    return json.dumps(
        {
            "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
            "kind": "KubeProxyConfiguration",
            "clientConnection": {"kubeconfig": str(layout.configuration / "kube-proxy.kubeconfig")},
            "mode": "iptables",
            "clusterCIDR": settings.network.pods,
            "healthzBindAddress": "127.0.0.1:10256",
            "metricsBindAddress": "127.0.0.1:10249",
            # These kernel settings can't be changed from a network namespace; 0 leaves them alone.
            "conntrack": {
                "maxPerCore": 0,
                "min": 0,
                "tcpEstablishedTimeout": "0s",
                "tcpCloseWaitTimeout": "0s",
            },
            # A Service's change takes effect at once; the default collects changes for a second.
            "iptables": {"minSyncPeriod": "100ms", "syncPeriod": "30s"},
        },
        indent=1,
    )


def containerd(layout: Layout) -> str:
    """Containerd with all its folders in ours. Its state is lost with the namespaces, as in a reboot."""
    state = layout.containerd_socket.parent
    lines = (
        "version = 2",
        f'root = "{layout.home}/containerd"',
        f'state = "{state}"',
        f'[grpc]\naddress = "{layout.containerd_socket}"',
        f'[plugins."io.containerd.internal.v1.opt"]\npath = "{state}/opt"',
        '[plugins."io.containerd.grpc.v1.cri"]',
        f'sandbox_image = "{PAUSE_IMAGE}"',
        # runc fails where it may not lower a process's oom score, as in a sandbox without CAP_SYS_RESOURCE.
        "restrict_oom_score_adj = true",
        '[plugins."io.containerd.grpc.v1.cri".cni]\nbin_dir = "/usr/lib/cni"',
        f'conf_dir = "{layout.configuration}/cni"',
        '[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]\nruntime_type = "io.containerd.runc.v2"',
        '[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]\nSystemdCgroup = false',
    )
    return "\n".join(lines) + "\n"


def bridge(settings: Settings, layout: Layout) -> str:
    """The pods' network. Leases are kept in the runtime folder, so none outlives the pods that held it."""
    leases = {
        "type": "host-local",
        "dataDir": str(layout.runtime / "leases"),
        "ranges": [[{"subnet": settings.network.pods}]],
        "routes": [{"dst": "0.0.0.0/0"}],
    }
    plugins = [
        {"type": "bridge", "bridge": BRIDGE, "isGateway": True, "hairpinMode": True, "ipam": leases},
        {"type": "portmap", "capabilities": {"portMappings": True}},
    ]
    return json.dumps({"cniVersion": "0.4.0", "name": "siteforge", "plugins": plugins}, indent=1)


def corefile(settings: Settings, layout: Layout) -> str:
    """Cluster names only: any other name is refused at once, so that what looks for the internet fails fast."""
    return f"""cluster.local:53 in-addr.arpa:53 ip6.arpa:53 {{
  bind {settings.network.node}
  errors
  kubernetes cluster.local in-addr.arpa ip6.arpa {{
    kubeconfig {layout.configuration}/admin.kubeconfig
    pods insecure
    ttl 5
  }}
  cache 5
}}
"""


def _volume_folders(layout: Layout) -> str:
    """Where local-path-provisioner makes the folders that are volumes."""
    folders = {"node": "DEFAULT_PATH_FOR_NON_LISTED_NODES", "paths": [f"{layout.home}/volumes"]}
    return json.dumps({"nodePathMap": [folders]})


def _volumes(layout: Layout) -> dict[str, object]:
    """The objects of the storage classes, by rancher's local-path-provisioner: the default one, and one that keeps.

    `allowVolumeExpansion` is off because the provisioner can't do it: a volume is a folder without a size.
    """
    namespace, name = "local-path-storage", "local-path-config"
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "helper-pod", "labels": {"siteforge.dev/helper": "volume"}},
        "spec": {"containers": [{"name": "helper", "image": HELPER_IMAGE, "imagePullPolicy": "IfNotPresent"}]},
    }
    items: list[dict[str, object]] = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}},
        {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {"name": "local-path-provisioner-service-account", "namespace": namespace},
        },
        _storage_class("local-path", "Delete", {"storageclass.kubernetes.io/is-default-class": "true"}),
        _storage_class("local-path-retain", "Retain", {}),
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": name, "namespace": namespace},
            "data": {
                "config.json": _volume_folders(layout),
                # 0777: Kubernetes does not apply a pod's fsGroup to volumes of this kind.
                "setup": '#!/bin/sh\nset -eu\nmkdir -m 0777 -p "$VOL_DIR"\n',
                "teardown": '#!/bin/sh\nset -eu\nrm -rf "$VOL_DIR"\n',
                "helperPod.yaml": json.dumps(pod),
            },
        },
    ]
    return {"apiVersion": "v1", "kind": "List", "items": items}


def _storage_class(name: str, policy: str, annotations: dict[str, str]) -> dict[str, object]:
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": name, "annotations": annotations},
        "provisioner": "rancher.io/local-path",
        "volumeBindingMode": "WaitForFirstConsumer",
        "reclaimPolicy": policy,
        "allowVolumeExpansion": False,
    }
