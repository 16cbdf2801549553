"""`python3 -m local COMMAND`: what the Makefile calls. Results go to standard output, progress to standard error."""

import argparse
import os
import shutil
import sys
from collections.abc import Callable

from local import cluster, images, rendering, sites, toolchain, virtualenv, workspace
from local.paths import STATE, cache
from local.steps import Failure, say


def environment() -> None:
    """Make the Python environment."""
    virtualenv.ensure()


def prepare() -> None:
    """Make all that takes long the first time: Python environment, toolchain, images."""
    virtualenv.ensure()
    cluster.prepare()
    toolchain.ensure()


def render() -> None:
    """Write the objects of the catalogue to build/manifests."""
    virtualenv.ensure()
    rendering.render()


def up() -> None:
    """Start the cluster, run `pulumi up` on the stack dev, wait until each site answers, print where."""
    prepare()
    cluster.start()
    workspace.ensure()
    workspace.up()
    if (known := cluster.current()) is not None and known.simulated:
        say("Pods are simulated on this cluster: tenants are Ready, and no site answers.")
        return
    sites.show(sites.wait())


def image() -> None:
    """Make the image of Siteforge itself and bring it into the running cluster; prints its name."""
    virtualenv.ensure()
    made = images.siteforge()
    cluster.add_images([made])
    print(*made.references)


def stop() -> None:
    """Stop the cluster; its data stay."""
    cluster.stop()


def status() -> None:
    """Say what runs."""
    print(cluster.status())


def env() -> None:
    """Print shell exports: eval "$(make -s env)"."""
    print(workspace.shell_exports(os.environ))


def clean() -> None:
    """Stop the cluster and remove what this clone made: cluster, sites and their data, state, environment."""
    cluster.delete()
    for folder in (STATE, virtualenv.FOLDER):
        shutil.rmtree(folder, ignore_errors=True)
    say(f"The cache that all clones share stays: {cache()}")


_COMMANDS: dict[str, Callable[[], None]] = {
    function.__name__: function for function in (environment, prepare, render, up, image, stop, status, env, clean)
}


def main() -> int:
    """Run one command; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python3 -m local", description="The local platform.")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, function in _COMMANDS.items():
        commands.add_parser(name, help=function.__doc__)
    try:
        _COMMANDS[parser.parse_args().command]()
    except Failure as failure:
        say(f"error: {failure.message}" + (f"\nfix: {failure.fix}" if failure.fix else ""))
        return 1
    except KeyboardInterrupt:
        say("stopped; run the same command again to go on")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
