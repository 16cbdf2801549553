"""The local platform: toolchain, images and a Kubernetes cluster, made from package registries alone.

It serves machines that have no Pulumi or no cluster. Nothing under `siteforge/` imports it.
Standard library only, because it runs before anything is installed.
"""

import sys

_OLDEST_PYTHON = (3, 11)

if sys.version_info < _OLDEST_PYTHON:
    # Here, because an older Python fails on the next import.
    sys.exit(
        f"error: Python {sys.version.split()[0]} is too old\n"
        f"fix: install Python {'.'.join(map(str, _OLDEST_PYTHON))} or newer and name it: make PYTHON=..."
    )
