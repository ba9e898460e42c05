# Of which parts a site consists, where each has its files, and how it is run (sourced by tools/site).
# $home is the folder of a place: run/ has sockets and PID files, log/ logs, db/ the database, tmp/ what
# the web server puts aside. A site of one node is one place. One of several nodes (--nodes) has a place
# for each, whose number its parts bear, and one for the balancer; the HSMs are in the site's folder.

list_parts() { # sets parts, in the order in which they start
	DB_USER=$user
	if [ -n "$nodes" ]; then
		parts="$(numbered db "$nodes") $(! has_hsm || numbered hsm "$hsms")"
		parts="$parts $(numbered fcgi "$nodes") $(numbered dispatcher "$nodes")"
		parts="$parts $(numbered web "$nodes") balancer"
		return
	fi
	parts=
	[ "$database" = no ] || parts=db
	! has_hsm || parts="$parts hsm"
	parts="$parts fcgi"
	[ "$database" = no ] || parts="$parts $(numbered dispatcher "$dispatchers")"
	parts="$parts web"
}

numbered() { seq -s ' ' -f "$1%g" "$2"; }

enter() { # enter PART: the folders and the port of its place
	node= home=$root web_port=$port
	case ${nodes:+$1} in
	db? | fcgi? | dispatcher? | web?)
		node=${1#"${1%?}"}
		home=$root/node$node web_port=$((first_port + 5 * node - 5))
		;;
	balancer) home=$root/balancer ;;
	esac
	run=$home/run logs=$home/log db=$home/db
}

group_port() { echo $((first_port + 5 * $1 - 4)); } # and three more: see galera.sh

is_db() { case $1 in db*) ;; *) return 1 ;; esac; }

web_program() {
	PATH=$PATH:/usr/sbin:/usr/local/sbin command -v "$1" || fail "$1 is missing (tools/install-deps --test)"
}

program_of() {
	case $1 in
	web*) case $web in nginx) web_program nginx ;; apache) web_program apache2 ;; esac ;;
	balancer) web_program nginx ;;
	*) echo "$bin/tsb-${1%[1-9]}" ;;
	esac
}

settings_of() { # the file that tsb-... reads
	case $1 in
	hsm*) echo "$root/tsb-$1.conf" ;;
	fcgi* | dispatcher1 | "dispatcher$node") echo "$home/tsb.conf" ;;
	dispatcher*) echo "$home/tsb-$1.conf" ;; # the second one of a node
	esac
}

run_part() { # run_part PART: the command of each, in its place
	program=$(program_of "$1")
	case $1 in
	web* | balancer)
		case $program in
		*nginx) set -- "$1" "$program" -e stderr -p "$home" -c "$home/nginx.conf" ;;
		*) set -- "$1" "$program" -d "$home" -f "$home/apache.conf" -DFOREGROUND ;;
		esac
		;;
	*) set -- "$1" "$program" -c "$(settings_of "$1")" ;;
	esac
	proc_start "$@"
}

serves_hsm() { # whether the web server of the entered place is that of the HSMs, too
	has_hsm && [ -z "$node" ]
}

socket_of() {
	case $1 in
	web* | balancer)
		case $(program_of "$1") in *nginx) ! serves_hsm || echo "$run/hsm-http.sock" ;; esac
		;;
	*) echo "$run/$1.sock" ;;
	esac
}

ports_of() { # on which the web server of the entered place listens
	echo "$web_port"
	! serves_hsm || echo "$hsm_port"
}

pause_part() { send_part "$1" STOP; }
resume_part() { send_part "$1" CONT; }

send_part() { # send_part PART SIGNAL
	alive "$1" || fail "$1 does not run"
	if is_db "$1"; then db_signal "$db" "$2"; else proc_signal "$1" "$2"; fi
}

paused() { # paused PART: which runs
	if is_db "$1"; then
		db_paths "$db" && paused_pid=$(db_pid)
	else
		paused_pid=$(proc_pid "$1")
	fi && grep -q '^State:[[:space:]]*T' "/proc/$paused_pid/status" 2>/dev/null
}
