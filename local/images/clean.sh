#!/bin/sh
# Takes out of a root folder what would make two machines' images differ, or tell something about the machine
# that made it. Empty folders of logs stay, as programs expect theirs. $1: the root folder.
set -eu
cd "$1"
: >etc/resolv.conf
echo localhost >etc/hostname
rm -rf etc/machine-id etc/apt/sources.list etc/apt/sources.list.d etc/apt/apt.conf.d/99mmdebstrap
rm -rf var/cache/ldconfig/aux-cache var/cache/debconf/*-old var/lib/dpkg/*-old etc/*-
find var/log -type f -delete
