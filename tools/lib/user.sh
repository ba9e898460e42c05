# Giving up root's rights (sourced).

# Prints the command in front of which a program runs as USER; nothing when the caller is not root.
# Where the user cannot even reach the system's programs (a root folder of mode 0700, as some build
# rooms have), it keeps the capability to look into folders, and no other.
run_as() { # run_as USER
	[ "$(id -u)" = 0 ] || return 0
	run_as_plain="setpriv --reuid=$(id -u "$1") --regid=$(id -g "$1") --clear-groups"
	run_as_look='--inh-caps=+dac_read_search --ambient-caps=+dac_read_search'
	if $run_as_plain true 2>/dev/null; then
		echo "$run_as_plain"
	elif $run_as_plain $run_as_look true 2>/dev/null; then
		echo "$run_as_plain $run_as_look"
	else
		echo "user $1 cannot run any program here" >&2
		return 1
	fi
}
