"""The tools that are compared, one file each with the same protocol (`bench.peers.peer.Peer`)."""

from bench.peers.empty import Empty
from bench.peers.floor import Floor
from bench.peers.helm import Helm1, Helm8
from bench.peers.interpreter import Interpreter
from bench.peers.knobs import KNOBS
from bench.peers.kubectl import Kubectl
from bench.peers.naive import Naive
from bench.peers.peer import Peer
from bench.peers.plain import Plain
from bench.peers.refresh import Refresh
from bench.peers.siteforge import Siteforge

PEERS: dict[str, type[Peer]] = {
    peer.name: peer for peer in (Interpreter, Empty, Floor, Siteforge, Refresh, Plain, Kubectl, Helm8, Helm1, Naive)
}
"""By name, in the order in which they run: what others are compared with comes first."""

KNOWN: dict[str, type[Peer]] = PEERS | KNOBS
"""The same, and what runs only if it is named."""
