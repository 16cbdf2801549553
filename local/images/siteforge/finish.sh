#!/bin/sh
# Makes the empty Python environment that later layers fill, where the project is. $1: the root folder.
set -eu
mkdir -p "$1/srv/siteforge"
chroot "$1" python3 -m venv /srv/siteforge/.venv
find "$1/srv/siteforge" "$1/usr/lib/python3" "$1/usr/lib/python3.11" -name __pycache__ -prune -exec rm -rf {} +
