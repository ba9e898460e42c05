# Starting and stopping the programs of a private site (sourced).
#
# Wants: $run, the folder of PID files; $logs, the folder of logs; $as_user, the command that gives
# up root's rights, or empty. Each program leads a session and process group of its own, so that its
# workers can be ended with it. A PID file holds the PID, the kernel's start time of the process (a PID
# that was given to somebody else since is not taken for ours), which file the program was, and its name.

proc_started_at() { # proc_started_at PID: field 22 of stat; the name before it may hold blanks
	[ -r "/proc/$1/stat" ] && read -r stat 2>/dev/null <"/proc/$1/stat" || return 1
	# shellcheck disable=SC2086
	set -- ${stat##*) }
	[ "$1" != Z ] || return 1
	echo "${20}"
}

proc_pid() { # proc_pid NAME: prints the PID while the process lives
	[ -r "$run/$1.pid" ] && read -r pid started program name <"$run/$1.pid" || return 1
	[ "$(proc_started_at "$pid")" = "$started" ] || return 1
	echo "$pid"
}

proc_alive() { proc_pid "$1" >/dev/null; }

proc_start() { # proc_start NAME COMMAND...: in the background, output appended to its log
	proc_name=$1
	shift
	# shellcheck disable=SC2086
	setsid $as_user "$@" </dev/null >>"$logs/$proc_name.log" 2>&1 &
	proc_new=$!
	proc_started=$(proc_started_at "$proc_new") || return 1
	echo "$proc_new $proc_started $(proc_file "$1") ${1##*/}" >"$run/$proc_name.pid"
}

proc_file() { stat -Lc %i:%Y -- "$1"; }

proc_runs() { # proc_runs NAME FILE: it lives, and FILE is still the program it was started from
	proc_alive "$1" && read -r pid started program name <"$run/$1.pid" && [ "$program" = "$(proc_file "$2")" ]
}

proc_stop() { # proc_stop NAME SECONDS: SIGTERM, and SIGKILL when it takes longer
	if [ -r "$run/$1.pid" ] && read -r pid started program name <"$run/$1.pid"; then
		if [ "$(proc_started_at "$pid")" = "$started" ]; then
			kill -TERM "$pid" 2>/dev/null || :
			proc_wait "$pid" "$started" "$2" || echo "site: $1 did not stop in $2 s: killed" >&2
		fi
		proc_end "$pid" "$name"
	fi
	rm -f "$run/$1.pid"
}

proc_wait() { # proc_wait PID STARTED SECONDS: until it is gone
	proc_left=$(($3 * 20))
	while [ "$(proc_started_at "$1")" = "$2" ]; do
		[ "$proc_left" -gt 0 ] || return 1
		proc_left=$((proc_left - 1))
		sleep 0.05
	done
}

# A number stays taken while it names a group. When all of ours are dead it may name somebody else's by
# now, which runs another program.
proc_end() { # proc_end PID PROGRAM: SIGKILL to what is left of the group, if it runs PROGRAM
	# dash knows no "--" here
	! proc_group_lives "$1" "$2" || ! kill -KILL "-$1" 2>/dev/null || proc_vanish "$1" "$2"
}

proc_vanish() { # proc_vanish PID PROGRAM: until nobody of its group holds a port or socket any more
	proc_left=100
	while proc_group_lives "$1" "$2" && [ "$proc_left" -gt 0 ]; do
		proc_left=$((proc_left - 1))
		sleep 0.02
	done
}

# Dead processes whose parent has not asked for their status hold nothing, and do not count. The kernel
# keeps 15 characters of a program's name.
proc_group_lives() { # proc_group_lives PID PROGRAM: somebody of the group runs PROGRAM
	proc_group=$1 proc_program=$(printf %.15s "$2")
	for proc_one in /proc/[0-9]*/stat; do
		read -r stat 2>/dev/null <"$proc_one" || continue
		case $stat in *"($proc_program)"*) ;; *) continue ;; esac
		# shellcheck disable=SC2086
		set -- ${stat##*) }
		[ "${3:-}" != "$proc_group" ] || [ "$1" = Z ] || return 0
	done
	return 1
}

proc_kill() { # proc_kill NAME: SIGKILL at once, for the tests of what a crash leaves
	if [ -r "$run/$1.pid" ] && read -r pid started program name <"$run/$1.pid"; then
		proc_end "$pid" "$name"
	fi
	rm -f "$run/$1.pid"
}

proc_signal() { # proc_signal NAME SIGNAL: to it and its workers
	proc_leader=$(proc_pid "$1") && kill "-$2" "-$proc_leader"
}
