# Counting for the scripts of this folder (sourced). Each runs as: SCRIPT SOURCE-TREE, in the folder
# where the programs were built.
set -u
src=${1:?usage: $0 SOURCE-TREE}
name=${0##*/}
passed=0 failed=0

pass() { passed=$((passed + 1)); }
fault() { # fault TEXT: one thing that is wrong
	failed=$((failed + 1))
	echo "$name: $*"
}
verdict() {
	echo "$name: $passed passed, $failed failed"
	[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
	exit
}
# Reads lines "ok" or "fault TEXT" that a program wrote.
count() {
	while read -r word rest; do
		case $word in
		ok) pass ;;
		*) fault "$rest" ;;
		esac
	done
}
sources() { # sources FOLDER...: C files in them
	(cd "$src" && find "$@" \( -name '*.c' -o -name '*.h' \) 2>/dev/null | sort)
}
