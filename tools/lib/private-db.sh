# A private MariaDB under a folder, for sites and tests: unix socket only, durable settings, nothing
# system-wide. Sourced by POSIX shells:
#
#	db_start DIR	makes the data on first use, starts the server, waits until it answers; on first
#			use checks the system tables, too. Sets DB_SOCKET and DB_ADMIN (database login of
#			the calling user: no password, proven by the socket). Starting what runs already
#			is no error, and waits until it answers.
#	db_stop DIR	stops it in order and waits; no error when it does not run.
#	db_kill DIR	ends it with SIGKILL, as a crash would.
#	db_running DIR	true while it runs.
#	db_sql DIR [mariadb options...]
#			the command-line client as administrator, statements on standard input.
#	db_signal DIR SIGNAL
#			sends a signal, and waits for nothing; fails when it does not run.
#
# Started by root the server runs as DB_USER (default mysql, else nobody), who must be able to reach
# DIR; tools/lib/user.sh must be sourced too. DB_OPTIONS adds server options, DB_WAIT is the deadline in seconds (60).
# DB_JOIN says that the server gets its data from others (galera.sh): its folder is empty at first.
# Everything is written below DIR: data/, tmp/, run/db.sock, run/db.pid, db.log, install.log.
#
# Whoever changes the state of the server holds the lock DIR/lock, so that two callers do not start two
# servers. The server, or what makes its data, holds DIR/alive by a descriptor that it inherits: the kernel
# lets go of it when the last thread is gone and nothing can be written any more, which is later than
# the process looks dead. Nobody starts anything in DIR, renames or deletes before that.

db_say() {
	echo "private-db: $*" >&2
}

# mariadbd lives in sbin, which is not in everybody's PATH.
db_find() { # db_find PROGRAM...
	for db_name; do
		for db_dir in $(echo "$PATH" | tr ':' ' ') /usr/sbin /usr/local/sbin /usr/libexec; do
			if [ -x "$db_dir/$db_name" ]; then
				echo "$db_dir/$db_name"
				return 0
			fi
		done
	done
	db_say "$1 not found (Debian: mariadb-server)"
	return 1
}

db_paths() { # db_paths DIR
	db_home=$(cd -- "$1" 2>/dev/null && pwd -P) || { db_say "no folder $1"; return 1; }
	DB_SOCKET=$db_home/run/db.sock
	DB_ADMIN=$(id -un)
	if [ "$(printf %s "$DB_SOCKET" | wc -c)" -gt 100 ]; then
		db_say "$DB_SOCKET is too long for a socket, take a shorter folder"
		return 1
	fi
}

# The number may have been given away again, also to the server of another site: the folder tells. What
# is dead has no command line, even while nobody has asked for its status yet.
db_pid() { # db_pid: of the server of db_home
	db_number=$(cat "$db_home/run/db.pid" 2>/dev/null) || return 1
	tr '\0' '\n' 2>/dev/null <"/proc/$db_number/cmdline" | grep -qxF -e "--datadir=$db_home/data" || return 1
	echo "$db_number"
}

db_running() {
	db_paths "$1" 2>/dev/null && db_pid >/dev/null
}

db_runs_as() { # who owns the data: the caller, or a user without rights when the caller is root
	if [ "$(id -u)" -ne 0 ]; then
		id -un
	elif [ -n "${DB_USER:-}" ]; then
		echo "$DB_USER"
	elif id mysql >/dev/null 2>&1; then
		echo mysql
	else
		echo nobody
	fi
}

# ARIA: the server asks with access(2) whether the control file of its system tables is there, and
# makes a new one where the answer is no. access(2) leaves capabilities out, so in a folder that its user
# reaches by a capability only (user.sh) each start made a new one; all tables were then "from another
# system", and now and then a statement met an index that was corrupt. The data folder is the server's
# working directory: a relative path needs no rights above it.
db_aria=--aria-log-dir-path=.

db_alone() { # waits until nothing works on the data
	flock -w "${DB_WAIT:-60}" "$db_home/alive" true && return 0
	db_say "a server or an installer still works in $db_home"
	return 1
}

db_install() { # db_install OWNER: system tables, once; a broken attempt leaves no data folder
	[ ! -d "$db_home/data" ] || return 0
	db_tool=$(db_find mariadb-install-db mysql_install_db) || return 1
	rm -rf "$db_home/data.new" "$db_home/checked"
	mkdir -m 700 "$db_home/data.new" && chown "$1" "$db_home/data.new" || return 1
	# shellcheck disable=SC2086
	if [ -z "${DB_JOIN:-}" ] && ! flock -n -F "$db_home/alive" $db_as \
		"$db_tool" --no-defaults --datadir="$db_home/data.new" $db_aria --tmpdir="$db_home/tmp" --user="$1" --skip-test-db \
		--auth-root-authentication-method=socket --auth-root-socket-user="$DB_ADMIN" \
		>"$db_home/install.log" 2>&1 </dev/null 9>&-; then
		db_say "cannot make the system tables, see $db_home/install.log:"
		# behind this line comes advice, which says nothing of the reason
		sed '/^Installation of system tables failed/,$d' "$db_home/install.log" | tail -n 12 >&2
		return 1
	fi
	db_alone && mv "$db_home/data.new" "$db_home/data"
}

# The first look at the system tables: what is wrong with them is said here, and not by the first
# statement that needs one. Tables that a server takes for those of another system are wrong, too:
# Aria lost its control file, see ARIA below.
db_check() {
	[ ! -e "$db_home/checked" ] || return 0
	if ! mariadb-check --no-defaults --socket="$DB_SOCKET" --user="$DB_ADMIN" --extended mysql \
		>"$db_home/check.log" 2>&1 || grep -qiE '^(error|warning) *:|corrupt' "$db_home/check.log" ||
		grep -q 'Zerofilling moved table' "$db_home/db.log"; then
		db_say "the system tables are damaged, see check.log, install.log and db.log in $db_home:"
		grep -v 'OK$' "$db_home/check.log" >&2
		return 1
	fi
	touch "$db_home/checked"
}

db_launch() { # db_launch OWNER
	db_server=$(db_find mariadbd mysqld) || return 1
	touch "$db_home/db.log" && chown "$1" "$db_home/db.log" || return 1
	db_become "$1" --log-error="$db_home/db.log" </dev/null >>"$db_home/db.log" 2>&1 9>&- &
	db_child=$!
}

db_become() { # db_become OWNER OPTION...: this shell becomes db_server
	db_user=$1
	shift
	# shellcheck disable=SC2086
	exec flock -n -F "$db_home/alive" setsid $db_as "$db_server" --no-defaults --user="$db_user" \
		--datadir="$db_home/data" $db_aria --tmpdir="$db_home/tmp" \
		--socket="$DB_SOCKET" --pid-file="$db_home/run/db.pid" \
		--skip-networking --skip-name-resolve --character-set-server=utf8mb4 \
		--innodb-flush-log-at-trx-commit=1 --innodb-doublewrite=1 \
		--innodb-buffer-pool-size=128M --innodb-log-file-size=96M --max-connections=200 \
		${DB_OPTIONS:-} "$@"
}

db_answers() {
	mariadb --no-defaults --socket="$DB_SOCKET" --user="$DB_ADMIN" --connect-timeout=2 \
		-e 'DO 1' >/dev/null 2>&1
}

db_start() {
	mkdir -p "$1" && db_paths "$1" && db_locked db_bring_up
}

db_locked() { # db_locked COMMAND...: one at a time in the folder
	(
		flock -w 120 9 || { db_say "$db_home is busy"; exit 1; }
		"$@"
	) 9>"$db_home/lock"
}

db_dead() { # what was started here, or ran before
	if [ -n "$db_child" ]; then ! kill -0 "$db_child" 2>/dev/null; else ! db_pid >/dev/null; fi
}

db_bring_up() {
	db_child=
	db_pid >/dev/null || db_begin || return 1
	db_until=$(($(date +%s) + ${DB_WAIT:-60}))
	until db_answers; do
		if db_dead || [ "$(date +%s)" -gt "$db_until" ]; then
			db_say "the server does not answer, see $db_home/db.log"
			tail -n 5 "$db_home/db.log" >&2
			[ -z "$db_child" ] || kill -KILL "$db_child" 2>/dev/null
			return 1
		fi
		sleep 0.1
	done
	db_check
}

db_begin() {
	db_owner=$(db_runs_as)
	db_as=$(run_as "$db_owner") || return 1
	# a server that starts deletes the temporary tables of all others that share its folder for them
	mkdir -p "$db_home/run" "$db_home/tmp" && chown "$db_owner" "$db_home/run" "$db_home/tmp" &&
		chmod 755 "$db_home/run" && chmod 700 "$db_home/tmp" || return 1
	db_alone && db_install "$db_owner" || return 1
	rm -f "$db_home/run/db.pid"
	db_launch "$db_owner"
}

db_stop() {
	db_paths "$1" && db_locked db_end TERM
}

db_kill() { # without a chance to write anything more; what COMMIT answered must be there afterwards
	db_paths "$1" && db_locked db_end KILL
}

db_end() { # db_end SIGNAL
	if db_number=$(db_pid); then
		kill "-$1" "$db_number" 2>/dev/null
		if ! db_alone; then
			db_say "killing process $db_number"
			kill -KILL "$db_number" 2>/dev/null
		fi
	fi
	db_alone && rm -f "$db_home/run/db.pid"
}

db_signal() {
	db_paths "$1" && db_number=$(db_pid) && kill "-$2" "$db_number"
}

db_sql() {
	db_paths "$1" || return 1
	shift
	mariadb --no-defaults --socket="$DB_SOCKET" --user="$DB_ADMIN" --batch --skip-column-names "$@"
}
