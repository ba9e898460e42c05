# Databases of several nodes that are one: MariaDB Galera (sourced behind private-db.sh).
#
# Wants: $nodes, their number; "enter dbN", which sets $node to N and $db to the folder of its database;
# group_port N, which prints the first of four ports of node N: of the group, of writes and of files for
# who joins, and of SQL. Sets DB_OPTIONS and DB_JOIN for db_start.
#
# A node that joins takes what it lacks from another one: the writes that it missed, if one still keeps
# them (IST), else all files (SST). We let rsync copy these. The giver takes no writes meanwhile, which is
# a second for a private site; mariabackup would not block it, but needs a login and its password.

galera_more=${DB_OPTIONS:-} # what the caller wants beside

galera_find() { # sets galera_provider, or says what is missing
	for galera_provider in /usr/lib/galera /usr/lib64/galera-4 /usr/lib/*/galera; do
		galera_provider=$galera_provider/libgalera_smm.so
		[ ! -r "$galera_provider" ] || break
	done
	if [ ! -r "$galera_provider" ]; then
		db_say 'MariaDB Galera is not installed (Debian: galera-4)'
	elif ! command -v rsync >/dev/null || ! command -v wsrep_sst_rsync >/dev/null; then
		db_say 'rsync or wsrep_sst_rsync is missing (Debian: rsync, mariadb-server)'
	else
		return 0
	fi
	db_say 'tools/install-deps --cluster installs what several nodes need'
	return 1
}

sql_port() { echo $(($(group_port "$1") + 3)); } # besides the socket

galera_running() { # whether a database runs
	for galera_one in $(seq "$nodes"); do
		enter "db$galera_one"
		! db_running "$db" || return 0
	done
	return 1
}

galera_options() { # of the entered node
	galera_find || return 1
	galera_peers=
	for galera_one in $(seq "$nodes"); do
		galera_peers=$galera_peers,127.0.0.1:$(group_port "$galera_one")
	done
	galera_port=$(group_port "$node")
	galera_group="gmcast.listen_addr=tcp://127.0.0.1:$galera_port"
	galera_group="$galera_group;ist.recv_addr=127.0.0.1:$((galera_port + 1));gcache.size=32M"
	DB_OPTIONS="--wsrep-on=ON --wsrep-provider=$galera_provider --wsrep-node-name=db$node
		--wsrep-cluster-name=tsb-$(group_port 1) --wsrep-cluster-address=gcomm://${galera_peers#,}
		--wsrep-node-address=127.0.0.1:$galera_port
		--wsrep-sst-method=rsync --wsrep-sst-receive-address=127.0.0.1:$((galera_port + 2))
		--wsrep-provider-options=$galera_group
		--binlog-format=ROW --innodb-autoinc-lock-mode=2
		--skip-networking=0 --bind-address=127.0.0.1 --port=$(sql_port "$node") $galera_more"
}

# A server that ended in order has noted how far it came. Of one that was killed only its data tells.
galera_position() { # of the entered node, which does not run: UUID:NUMBER; nothing without data
	[ -f "$db/data/grastate.dat" ] || return 0
	galera_noted=$(sed -n 's/^uuid: *//p; s/^seqno: */:/p' "$db/data/grastate.dat" | tr -d '\n')
	case $galera_noted in
	00000000-*) ;; # it was killed while it got the files
	*:-1) galera_options && db_paths "$db" && db_locked galera_recover ;;
	*) echo "$galera_noted" ;;
	esac
}

galera_recover() {
	db_owner=$(db_runs_as) && db_as=$(run_as "$db_owner") && db_server=$(db_find mariadbd mysqld) &&
		db_alone || return 1
	galera_log=$db_home/recover.log
	: >"$galera_log" && chown "$db_owner" "$galera_log" || return 1
	(db_become "$db_owner" --log-error="$galera_log" --wsrep-recover) \
		</dev/null >>"$galera_log" 2>&1 9>&- || :
	galera_found=$(sed -n 's/.*WSREP: Recovered position: *//p' "$galera_log" | tail -n 1)
	if [ -z "$galera_found" ]; then
		db_say "the data does not tell how far it came, see $galera_log"
		return 1
	fi
	echo "$galera_found"
}

galera_newest() { # prints the nodes that lack nothing; none may run
	galera_best=-9 galera_list=
	for galera_one in $(seq "$nodes"); do
		enter "db$galera_one"
		galera_at=$(galera_position) || return 1
		galera_at=${galera_at##*:}
		[ "${galera_at:--2}" -le "$galera_best" ] || galera_list=
		[ "${galera_at:--2}" -lt "$galera_best" ] || {
			galera_best=${galera_at:--2}
			galera_list="$galera_list $galera_one"
		}
	done
	echo "${galera_list# }"
}

# How node N starts. It joins those that run. Where none does, it begins alone, and must not lack what
# another one has written.
galera_prepare() { # galera_prepare N; enters it
	DB_JOIN=yes galera_how=
	if ! galera_running; then
		galera_list=$(galera_newest) || return 1
		case " $galera_list " in
		*" $1 "*) ;;
		*)
			db_say "start db${galera_list%% *} first: it has writes that db$1 lacks"
			return 1
			;;
		esac
		DB_JOIN= galera_how=--wsrep-new-cluster
	fi
	enter "db$1"
	galera_at=$(galera_position) || return 1
	if [ -n "$galera_how" ] && [ -n "$galera_at" ]; then
		# it has everything, so nobody need be asked
		sed -i 's/^safe_to_bootstrap:.*/safe_to_bootstrap: 1/' "$db/data/grastate.dat" || return 1
		rm -f "$db/data/gvwstate.dat"
	fi
	galera_options || return 1
	DB_OPTIONS="$DB_OPTIONS ${galera_at:+--wsrep-start-position=$galera_at} $galera_how"
}

galera_state() { # of the entered node, in words
	echo "SHOW GLOBAL STATUS WHERE variable_name IN
		('wsrep_cluster_size', 'wsrep_cluster_status', 'wsrep_local_state_comment')" |
		db_sql "$db" --connect-timeout=2 2>/dev/null |
		awk '{ value[$1] = $2 }
			END { if (NR == 3) print tolower(value["wsrep_local_state_comment"]) ", sees " \
				value["wsrep_cluster_size"] " nodes, " tolower(value["wsrep_cluster_status"]) }'
}

# A node that is isolated sends nothing to the group and drops what comes, as if its network were gone.
# Programs on its socket still reach it.
galera_isolate() { # galera_isolate 1|0: the entered node
	echo "SET GLOBAL wsrep_provider_options = 'gmcast.isolate=$1'" | db_sql "$db" --connect-timeout=2
}
