#!/bin/sh
# The official mariadb image's ids for the user that the packages would otherwise number. $1: the root folder.
set -eu
echo "mysql:x:999:" >>"$1/etc/group"
echo "mysql:x:999:999:MariaDB:/var/lib/mysql:/usr/sbin/nologin" >>"$1/etc/passwd"
