#!/bin/sh
# The folders that the official mariadb image has. $1: the root folder.
set -eu
cd "$1"
mkdir -p docker-entrypoint-initdb.d run/mysqld
rm -rf var/lib/mysql
mkdir -m 0777 var/lib/mysql
chown 999:999 var/lib/mysql run/mysqld
chmod 1777 run/mysqld
