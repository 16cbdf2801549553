#!/usr/bin/env bash
# Makes the database on the first start, then runs the server: the contract of the official mariadb image.
# Further than that, an initialisation that was killed half way is undone and done again at the next start.
set -Eeuo pipefail
shopt -s nullglob

# The first process of a container ignores signals that it does not handle. The server's own handlers follow.
trap 'exit 143' TERM INT

log() {
	printf '%s [%s] [Entrypoint]: %s\n' "$(date --rfc-3339=seconds)" "$1" "$2" >&2
}
note() { log Note "$1"; }
fail() {
	log ERROR "$1"
	exit 1
}

# from_file NAME: let NAME_FILE, the path of a file, give the value of NAME.
from_file() {
	local name=$1 file=$1_FILE
	[ -n "${!file:-}" ] || return 0
	[ -z "${!name:-}" ] || fail "both $name and $file are set; give one of them"
	[ -r "${!file}" ] || fail "$file is ${!file}, which cannot be read"
	export "$name"="$(<"${!file}")"
	unset "$file"
}

# settings NAME...: each MARIADB_NAME from its file or its synonym MYSQL_NAME; both then have the same value.
settings() {
	local name new old
	for name; do
		new=MARIADB_$name old=MYSQL_$name
		from_file "$new"
		from_file "$old"
		if [ -n "${!new:-${!old:-}}" ]; then
			export "$new"="${!new:-${!old}}"
			export "$old"="${!new}"
		fi
	done
}

# server_option NAME: what the server would use, by its own account (`help`), which counts its defaults too.
server_option() {
	awk -v name="$1" '/^[^ \t]/ && $1 == name { print $2; exit }' <<<"$help"
}

# literal TEXT: as a string literal of SQL.
literal() {
	local text=${1//\\/\\\\}
	text=${text//$'\n'/\\n}
	printf "'%s'" "${text//\'/\\\'}"
}

# identifier TEXT: as a quoted name of SQL.
identifier() {
	printf '`%s`' "${1//\`/\`\`}"
}

random_password() {
	head -c 36 /dev/urandom | base64 --wrap=0 | tr '+/' '-_'
}

# sql [CLIENT OPTION...]: run standard input on the temporary server. The password is never an argument.
sql() {
	MYSQL_PWD=${root_password:-} mariadb --no-defaults --protocol=socket --socket="$socket" --user=root \
		--binary-mode --default-character-set=utf8mb4 "$@"
}

docker_process_sql() { # the name that scripts in /docker-entrypoint-initdb.d know
	sql ${MARIADB_DATABASE:+--database="$MARIADB_DATABASE"} "$@"
}

# The temporary server listens on its socket only, so nobody can take it for the finished one.
start_temporary_server() {
	note "starting the temporary server"
	"$@" --skip-networking --socket="$socket" --default-time-zone=SYSTEM --wsrep-on=OFF \
		--expire-logs-days=0 --skip-slave-start --loose-innodb-buffer-pool-load-at-startup=0 \
		--loose-innodb-buffer-pool-dump-at-shutdown=0 &
	server=$!
	local deadline=$((SECONDS + 120))
	until sql <<<'SELECT 1' >/dev/null 2>&1; do
		kill -0 "$server" 2>/dev/null || fail "the temporary server ended by itself; its messages are above"
		[ "$SECONDS" -lt "$deadline" ] || fail "the temporary server did not answer within 120 s"
		sleep 0.1
	done
}

stop_temporary_server() {
	kill "$server"
	wait "$server" || fail "the temporary server did not stop cleanly"
	note "stopped the temporary server"
}

# healthcheck_user PASSWORD: the user of healthcheck.sh, as SQL.
healthcheck_user() {
	local host
	for host in 127.0.0.1 ::1 localhost; do
		echo "CREATE USER IF NOT EXISTS healthcheck@'$host';"
		echo "ALTER USER healthcheck@'$host' IDENTIFIED BY $(literal "$1");"
		echo "GRANT ${MARIADB_HEALTHCHECK_GRANTS:-USAGE} ON *.* TO healthcheck@'$host';"
	done
}

# healthcheck_file PASSWORD: how healthcheck.sh finds that user; written when the user exists.
healthcheck_file() {
	(umask 077 && printf '[mariadb-client]\nport=%s\nsocket=%s\nuser=healthcheck\npassword=%s\nprotocol=tcp\n' \
		"$port" "$socket" "$1" >"$data/.my-healthcheck.cnf.partial")
	mv "$data/.my-healthcheck.cnf.partial" "$data/.my-healthcheck.cnf"
}

# users_and_database HEALTHCHECK_PASSWORD: what the settings ask for, as SQL.
users_and_database() {
	local host=${MARIADB_ROOT_HOST:-%} identified
	echo "SET @@SESSION.SQL_LOG_BIN = 0;"
	echo "SET @@SESSION.SQL_MODE = REPLACE(@@SESSION.SQL_MODE, 'NO_BACKSLASH_ESCAPES', '');"
	if [ -n "${MARIADB_ROOT_PASSWORD_HASH:-}" ]; then
		identified="IDENTIFIED BY PASSWORD $(literal "$MARIADB_ROOT_PASSWORD_HASH")"
	else
		identified="IDENTIFIED BY $(literal "${MARIADB_ROOT_PASSWORD:-}")"
		echo "ALTER USER root@localhost $identified;"
	fi
	# mariadb-install-db gives root these names too, all without a password.
	echo "DROP USER IF EXISTS root@'127.0.0.1', root@'::1';"
	echo "EXECUTE IMMEDIATE CONCAT('DROP USER IF EXISTS root@', QUOTE(@@hostname));"
	if [ "$host" != localhost ]; then
		echo "CREATE USER root@$(literal "$host") $identified;"
		echo "GRANT ALL ON *.* TO root@$(literal "$host") WITH GRANT OPTION;"
		echo "GRANT PROXY ON ''@'%' TO root@$(literal "$host") WITH GRANT OPTION;"
	fi
	healthcheck_user "$1"
	echo "SET @@SESSION.SQL_LOG_BIN = 1;"
	if [ -n "${MARIADB_DATABASE:-}" ]; then
		echo "CREATE DATABASE IF NOT EXISTS $(identifier "$MARIADB_DATABASE");"
	fi
	if [ -n "${MARIADB_USER:-}" ] && [ -n "${MARIADB_PASSWORD:-}${MARIADB_PASSWORD_HASH:-}" ]; then
		if [ -n "${MARIADB_PASSWORD_HASH:-}" ]; then
			identified="IDENTIFIED BY PASSWORD $(literal "$MARIADB_PASSWORD_HASH")"
		else
			identified="IDENTIFIED BY $(literal "$MARIADB_PASSWORD")"
		fi
		echo "CREATE USER $(literal "$MARIADB_USER")@'%' $identified;"
		if [ -n "${MARIADB_DATABASE:-}" ]; then
			# In a grant, unlike elsewhere, _ and % in a database's name are wildcards.
			local pattern=${MARIADB_DATABASE//_/\\_}
			echo "GRANT ALL ON $(identifier "${pattern//%/\\%}").* TO $(literal "$MARIADB_USER")@'%';"
		fi
	fi
}

initdb_scripts() {
	local file
	for file in /docker-entrypoint-initdb.d/*; do
		note "running $file"
		case $file in
			*.sh) if [ -x "$file" ]; then "$file"; else . "$file"; fi ;;
			*.sql) docker_process_sql <"$file" ;;
			*.sql.gz) gunzip --stdout "$file" | docker_process_sql ;;
			*.sql.xz) xz --decompress --stdout "$file" | docker_process_sql ;;
			*.sql.zst) zstd --decompress --stdout "$file" | docker_process_sql ;;
			*) log Warn "ignoring $file: neither .sh nor .sql" ;;
		esac
	done
}

check_settings() {
	local unsupported
	for unsupported in MARIADB_MASTER_HOST MARIADB_REPLICATION_USER MARIADB_MYSQL_LOCALHOST_USER; do
		[ -z "${!unsupported:-}" ] || fail "$unsupported is the official image's, and this one does not have it"
	done
	if [ -n "${MARIADB_ROOT_PASSWORD_HASH:-}" ]; then
		[ -z "${MARIADB_ROOT_PASSWORD:-}${MARIADB_RANDOM_ROOT_PASSWORD:-}${MARIADB_ALLOW_EMPTY_ROOT_PASSWORD:-}" ] ||
			fail "MARIADB_ROOT_PASSWORD_HASH excludes every other setting of root's password"
	elif [ -z "${MARIADB_ROOT_PASSWORD:-}${MARIADB_RANDOM_ROOT_PASSWORD:-}${MARIADB_ALLOW_EMPTY_ROOT_PASSWORD:-}" ]; then
		fail "$data has no database yet, and how to protect it is not said: set MARIADB_ROOT_PASSWORD,
	MARIADB_ROOT_PASSWORD_HASH, MARIADB_RANDOM_ROOT_PASSWORD or MARIADB_ALLOW_EMPTY_ROOT_PASSWORD"
	fi
	[ -z "${MARIADB_PASSWORD:-}" ] || [ -z "${MARIADB_PASSWORD_HASH:-}" ] ||
		fail "MARIADB_PASSWORD and MARIADB_PASSWORD_HASH are both set; give one of them"
}

version() {
	"$1" --version | sed 's/.*Ver \([0-9.]*\).*/\1-MariaDB/'
}

initialise() {
	check_settings
	# Everything below the marker is ours until the marker is gone, and nobody was served from it.
	: >"$data/$unfinished"
	note "making the system tables in $data"
	local output
	output=$(mariadb-install-db --datadir="$data" --rpm --auth-root-authentication-method=normal --skip-test-db \
		"${@:2}" --default-time-zone=SYSTEM --skip-log-bin --expire-logs-days=0 \
		--loose-innodb-buffer-pool-load-at-startup=0 --loose-innodb-buffer-pool-dump-at-shutdown=0 2>&1) ||
		fail "mariadb-install-db failed: $output"
	root_password=
	start_temporary_server "$@"
	if [ -z "${MARIADB_INITDB_SKIP_TZINFO:-}" ]; then
		mariadb-tzinfo-to-sql --skip-write-binlog /usr/share/zoneinfo 2>/dev/null | sql --database=mysql
	fi
	if [ -n "${MARIADB_RANDOM_ROOT_PASSWORD:-}" ]; then
		MARIADB_ROOT_PASSWORD=$(random_password)
		export MARIADB_ROOT_PASSWORD MYSQL_ROOT_PASSWORD=$MARIADB_ROOT_PASSWORD
		note "GENERATED ROOT PASSWORD: $MARIADB_ROOT_PASSWORD"
	fi
	local healthcheck_password
	healthcheck_password=$(random_password)
	users_and_database "$healthcheck_password" | sql --database=mysql
	healthcheck_file "$healthcheck_password"
	root_password=${MARIADB_ROOT_PASSWORD:-}
	initdb_scripts
	if [ -n "${MARIADB_ROOT_PASSWORD_HASH:-}" ]; then
		sql <<<"SET SQL_LOG_BIN = 0; ALTER USER root@localhost IDENTIFIED BY PASSWORD $(literal "$MARIADB_ROOT_PASSWORD_HASH");"
	fi
	stop_temporary_server
	version "$1" >"$data/mysql_upgrade_info"
	sync --file-system "$data"
	rm "$data/$unfinished"
	note "the database is complete"
}

upgrade_if_needed() {
	local old new old_parts new_parts
	new=$(version "$1")
	old=$(cat "$data/mysql_upgrade_info" 2>/dev/null || true)
	IFS=.- read -ra old_parts <<<"$old"
	IFS=.- read -ra new_parts <<<"$new"
	if [ -f "$data/.my-healthcheck.cnf" ] && [ "${#old_parts[@]}" -ge 2 ] &&
		((old_parts[0] * 1000 + old_parts[1] >= new_parts[0] * 1000 + new_parts[1])); then
		return
	fi
	if [ "${MARIADB_AUTO_UPGRADE:-0}" = 0 ]; then
		note "the data folder is of ${old:-an unknown version} and MARIADB_AUTO_UPGRADE is not set: leaving it so"
		return
	fi
	start_temporary_server "$@" --skip-grant-tables
	if [ "${MARIADB_DISABLE_UPGRADE_BACKUP:-0}" != 1 ]; then
		local backup=$data/system_mysql_backup_${old:-unknown_version}.sql.gz
		note "keeping the system tables as they are in $backup"
		mariadb-dump --no-defaults --socket="$socket" --user=root --skip-lock-tables --replace --databases mysql |
			gzip >"$backup.partial"
		mv "$backup.partial" "$backup"
	fi
	note "upgrading the system tables from ${old:-an unknown version} to $new"
	mariadb-upgrade --no-defaults --socket="$socket" --user=root --upgrade-system-tables >&2
	stop_temporary_server
	if [ ! -f "$data/.my-healthcheck.cnf" ]; then
		note "making the user of healthcheck.sh"
		local healthcheck_password
		healthcheck_password=$(random_password)
		# A start of its own: the upgrade ended with privileges in force, and root's password may be unknown.
		start_temporary_server "$@" --skip-grant-tables
		{ echo "SET SQL_LOG_BIN = 0; FLUSH PRIVILEGES;" && healthcheck_user "$healthcheck_password"; } | sql
		healthcheck_file "$healthcheck_password"
		stop_temporary_server
	fi
	version "$1" >"$data/mysql_upgrade_info"
}

wants_help() {
	local argument
	for argument; do
		case $argument in
			'-?' | --help | --print-defaults | -V | --version) return 0 ;;
		esac
	done
	return 1
}

prepare() {
	local help
	help=$("$@" --verbose --help 2>/dev/null) ||
		fail "the server refuses its options: $* : $("$@" --verbose --help 2>&1 >/dev/null | tail -n 3)"
	data=$(server_option datadir)
	data=${data%/}
	socket=$(server_option socket)
	port=$(server_option port)
	unfinished=.initialisation-unfinished
	if [ "$(id -u)" = 0 ]; then
		mkdir -p "$data" "${socket%/*}"
		find "$data" ! -user mysql -exec chown mysql: {} +
		chown mysql: "${socket%/*}"
		note "changing to the user mysql"
		exec setpriv --reuid=mysql --regid=mysql --init-groups "${BASH_SOURCE[0]}" "$@"
	fi
	settings ROOT_HOST ROOT_PASSWORD DATABASE USER PASSWORD RANDOM_ROOT_PASSWORD INITDB_SKIP_TZINFO
	: "${MARIADB_ALLOW_EMPTY_ROOT_PASSWORD:=${MYSQL_ALLOW_EMPTY_PASSWORD:-}}"
	from_file MARIADB_ROOT_PASSWORD_HASH
	from_file MARIADB_PASSWORD_HASH
	if [ -e "$data/$unfinished" ]; then
		note "an earlier start was killed while it made the database: making it again from nothing"
		# The marker goes last, else a kill in here would make the rest look finished.
		find "$data" -mindepth 1 -maxdepth 1 ! -name "$unfinished" ! -name lost+found -exec rm -rf {} +
		initialise "$@"
	elif [ ! -d "$data/mysql" ]; then
		[ -z "$(find "$data" -mindepth 1 -maxdepth 1 ! -name lost+found -print -quit)" ] ||
			fail "$data has no database but is not empty: empty it, or mount another folder there"
		initialise "$@"
	else
		upgrade_if_needed "$@"
	fi
	# The server has no use for the passwords, and its environment can be read for as long as it runs.
	local name
	for name in "${!MARIADB_@}" "${!MYSQL_@}"; do
		case $name in *PASSWORD*) unset "$name" ;; esac
	done
}

if [[ ${1-} == -* ]]; then
	set -- mariadbd "$@"
fi
if [[ ${1-} == mariadbd || ${1-} == mysqld ]] && ! wants_help "$@"; then
	prepare "$@"
fi
exec "$@"
