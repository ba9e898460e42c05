# Of which parts a site consists, where each has its files, and how it is run (sourced by tools/site).
# $home is the folder of a place: run/ has sockets and PID files, log/ logs, db/ the database, tmp/ what
# the web server puts aside.

list_parts() { # sets parts, in the order in which they start
	DB_USER=$user
	parts=
	[ "$database" = no ] || parts=db
	! has_hsm || parts="$parts hsm"
	parts="$parts fcgi"
	[ "$database" = no ] || parts="$parts $(numbered dispatcher "$dispatchers")"
	parts="$parts web"
}

numbered() { seq -s ' ' -f "$1%g" "$2"; }

enter() { # enter PART: the folders of its place
	home=$root
	run=$home/run logs=$home/log db=$home/db
}

is_db() { case $1 in db*) ;; *) return 1 ;; esac; }

web_program() {
	PATH=$PATH:/usr/sbin:/usr/local/sbin command -v "$1" || fail "$1 is missing (tools/install-deps --test)"
}

program_of() {
	case $1 in
	web*) case $web in nginx) web_program nginx ;; apache) web_program apache2 ;; esac ;;
	*) echo "$bin/tsb-${1%[1-9]}" ;;
	esac
}

settings_of() { # the file that tsb-... reads
	case $1 in
	hsm*) echo "$root/tsb-$1.conf" ;;
	fcgi* | dispatcher1) echo "$home/tsb.conf" ;;
	dispatcher*) echo "$home/tsb-$1.conf" ;;
	esac
}

run_part() { # run_part PART: the command of each, in its place
	program=$(program_of "$1")
	case $1 in
	web*)
		case $web in
		nginx) set -- "$1" "$program" -e stderr -p "$home" -c "$home/nginx.conf" ;;
		apache) set -- "$1" "$program" -d "$home" -f "$home/apache.conf" -DFOREGROUND ;;
		esac
		;;
	*) set -- "$1" "$program" -c "$(settings_of "$1")" ;;
	esac
	proc_start "$@"
}

socket_of() {
	case $1 in
	web*) [ "$web" != nginx ] || ! has_hsm || echo "$run/hsm-http.sock" ;;
	*) echo "$run/$1.sock" ;;
	esac
}

ports_of() { # on which a web server listens
	echo "$port"
	! has_hsm || echo "$hsm_port"
}
