#!/usr/bin/env bash
# Prepares the working folder for the web server, then runs the command: the contract of the official
# wordpress image. Further than that, a copy that was killed half way is done again at the next start.
set -Eeuo pipefail
shopt -s dotglob nullglob

# The first process of a container ignores signals that it does not handle. Apache's own handlers follow.
trap 'exit 143' TERM INT WINCH

core=/usr/src/wordpress
unfinished=.wordpress-copy-unfinished

say() {
	echo "$*" >&2
}

# own PATH: give a new file or folder to the user of the web server, if we may.
own() {
	[ "$(id -u)" != 0 ] || chown -R "${APACHE_RUN_USER:-www-data}:${APACHE_RUN_GROUP:-www-data}" "$1"
}

# copy FROM TO: replace a file or folder.
copy() {
	cp --recursive --preserve=mode,timestamps --remove-destination --no-target-directory "$1" "$2"
	own "$2"
}

# copy_if_absent FROM TO: whole or not at all, and never over what is there. Replicas may share the volume.
copy_if_absent() {
	local from=$1 to=$2 partial
	if [ -e "$to" ]; then
		say "keeping $PWD/$to, which is there already"
		return
	fi
	partial=$(dirname "$to")/.$(basename "$to").$HOSTNAME.partial
	rm -rf "$partial"
	copy "$from" "$partial"
	mv --no-target-directory "$partial" "$to" 2>/dev/null || rm -rf "$partial"
	[ -e "$to" ]
}

copy_core() {
	local entry child
	say "WordPress is not in $PWD: copying it there"
	: >"$unfinished"
	for entry in "$core"/*; do
		case ${entry##*/} in
			wp-content) ;;
			.htaccess) copy_if_absent "$entry" .htaccess ;;
			*) copy "$entry" "${entry##*/}" ;;
		esac
	done
	[ -d wp-content ] || { mkdir wp-content && own wp-content; }
	for entry in "$core"/wp-content/*; do
		if [ -d "$entry" ]; then
			[ -d "wp-content/${entry##*/}" ] || { mkdir -p "wp-content/${entry##*/}" && own "wp-content/${entry##*/}"; }
			for child in "$entry"/*; do
				copy_if_absent "$child" "wp-content/${entry##*/}/${child##*/}"
			done
		else
			copy_if_absent "$entry" "wp-content/${entry##*/}"
		fi
	done
	rm "$unfinished"
	say "WordPress is complete in $PWD"
}

write_configuration() {
	local source=$core/wp-config-docker.php partial=.wp-config.php.$HOSTNAME.partial
	[ ! -s wp-config-docker.php ] || source=wp-config-docker.php
	say "there is no wp-config.php in $PWD but there are WORDPRESS_ variables: writing it from $source"
	# Keys and salts that no variable gives are random, each another one.
	(umask 027 && php -r '
		echo preg_replace_callback(
			"/put your unique phrase here/",
			fn() => bin2hex(random_bytes(32)),
			file_get_contents($argv[1])
		);' "$source" >"$partial")
	own "$partial"
	mv "$partial" wp-config.php
}

if [[ ${1-} == apache2* ]]; then
	if [ "$(id -u)" = 0 ] && [ "$(stat -c %u:%g .)" = 0:0 ]; then
		own .
	fi
	if [ -e "$unfinished" ] || { [ ! -e index.php ] && [ ! -e wp-includes/version.php ]; }; then
		copy_core
	fi
	variables=("${!WORDPRESS_@}")
	if [ ! -s wp-config.php ] && [ "${#variables[@]}" -gt 0 ]; then
		write_configuration
	fi
fi

exec "$@"
