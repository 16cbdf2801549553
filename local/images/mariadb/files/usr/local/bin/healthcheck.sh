#!/usr/bin/env bash
# Is the server healthy? The tests are options, as in the official mariadb image; all of them must pass.
#
#   --connect                    it takes connections over TCP, which a start in progress never does
#   --innodb_initialized         InnoDB is up and its recovery is over
#   --innodb_buffer_pool_loaded  the buffer pool of the last shutdown is loaded again
#   --mariadbupgrade             no upgrade of the system tables is going on
#   --datadir=FOLDER             where the data is, for the tests after it
set -euo pipefail

data=/var/lib/mysql

query() {
	local defaults=$data/.my-healthcheck.cnf
	if [ ! -r "$defaults" ]; then
		defaults=/dev/null
	fi
	mariadb --defaults-extra-file="$defaults" --host=127.0.0.1 --protocol=tcp --connect-timeout=5 \
		--batch --skip-column-names --execute "$1" 2>&1
}

connect() {
	local answer
	answer=$(query 'SELECT @@skip_networking') || true
	# Refused by name or password is connected all the same (error class 28000).
	[[ $answer == 0 || $answer == *"(28000)"* ]] || { echo "$answer" >&2 && return 1; }
}

innodb_initialized() {
	[ "$(query "SELECT 1 FROM information_schema.ENGINES WHERE engine = 'InnoDB' AND support IN ('YES', 'DEFAULT')")" = 1 ]
}

innodb_buffer_pool_loaded() {
	[[ $(query "SHOW GLOBAL STATUS LIKE 'Innodb_buffer_pool_load_status'") == *"load completed"* ]]
}

mariadbupgrade() {
	[ ! -r "$data/mysql_upgrade_info" ] || flock --exclusive --nonblock "$data/mysql_upgrade_info" true
}

[ $# -gt 0 ] || { echo "say what to test, for instance --connect --innodb_initialized" >&2 && exit 1; }
for option; do
	case $option in
		--datadir=*) data=${option#*=} ;;
		--connect | --innodb_initialized | --innodb_buffer_pool_loaded | --mariadbupgrade)
			"${option#--}" || { echo "healthcheck ${option#--} failed" >&2 && exit 1; }
			;;
		*) echo "there is no test $option" >&2 && exit 1 ;;
	esac
done
