# Shows that a long command lives (sourced by programs for people).

# life LOG COMMAND...: runs the command with all of its output at the end of LOG. Meanwhile prints the
# seconds and the end of the log's last line: on a terminal each second in one line, else each 15 s.
life() {
	life_log=$1 life_status=0
	shift
	life_show "$life_log" $$ &
	life_pid=$!
	"$@" >>"$life_log" 2>&1 </dev/null || life_status=$?
	kill "$life_pid" 2>/dev/null || :
	wait "$life_pid" 2>/dev/null || :
	[ ! -t 1 ] || printf '\r\033[K'
	return $life_status
}

life_show() { # life_show LOG PID: until it is killed or PID is gone
	seconds=0
	while sleep 1 && kill -0 "$2" 2>/dev/null; do
		seconds=$((seconds + 1))
		line=$(tail -n 1 "$1" | tr -cd '[:print:]' | tail -c 60)
		if [ -t 1 ]; then
			printf '\r\033[K%4d s  %s' "$seconds" "$line"
		elif [ $((seconds % 15)) = 0 ]; then
			printf '%4d s  %s\n' "$seconds" "$line"
		fi
	done
}
