#!/bin/sh
# Turns what the Debian packages installed into the layout of the official wordpress image. $1: the root folder.
set -eu
cd "$1"

# The core, with its links to other packages' files followed, and without Debian's own configuration scheme.
mkdir -p usr/src
chroot . cp --archive --dereference /usr/share/wordpress /usr/src/wordpress
rm -f usr/src/wordpress/wp-config.php usr/src/wordpress/.htaccess
cp var/lib/wordpress/wp-content/index.php usr/src/wordpress/wp-content/
chown -R 0:0 usr/src/wordpress

# The packages themselves are done with, and so is the database client that came with them.
# (mmdebstrap gives its hooks the apt configuration of the root, which has no apt of its own.)
APT_CONFIG=$MMDEBSTRAP_APT_CONFIG apt-get --quiet --yes --option DPkg::Chroot-Directory="$1" \
	purge --autoremove wordpress wordpress-theme-twentytwentythree >&2
rm -rf var/lib/wordpress usr/share/wordpress etc/wordpress

chroot . a2enmod --quiet rewrite expires headers remoteip
# mod_status answers "local" requests, and who is local is hard to say behind proxies.
chroot . a2dismod --quiet --force status
chroot . a2disconf --quiet other-vhosts-access-log serve-cgi-bin

rm -rf var/www/html
mkdir -m 1777 var/www/html
chown 33:33 var/www/html
