# Reads the logs of tests (sourced by run-tests). Each counter prints "PASSED FAILED [SKIPPED]" of a log,
# which may still grow.

# Of tests/lib/run-units: cmocka tests, and programs that died.
count_units() {
	awk '
	/^ok / {
		n = $0
		passed += sub(/.*\(/, "", n) && n + 0 > 0 ? n + 0 : 1
	}
	/^skipped / { skipped++ }
	/^\t\[  PASSED  \]/ { inner_passed += $4 }
	/^\t\[  FAILED  \] [0-9]+ test/ { inner_failed += $4 }
	/^FAILED/ {
		passed += inner_passed
		failed += inner_failed > 0 ? inner_failed : 1
		inner_passed = inner_failed = 0
	}
	END { print passed + 0, failed + 0, skipped }' "$1"
}

# Of tests/lib/replay-corpus: a line a target.
count_lines() {
	awk '/^ok / { passed++ } /^FAILED/ { failed++ } END { print passed + 0, failed + 0 }' "$1"
}

# Of pytest: its last line, or the letters of the tests that ran so far.
count_pytest() {
	awk '
	/^[.sFExX]+( *\[ *[0-9]+%\])?$/ {
		so_far += gsub(/\./, "")
		bad += gsub(/[FE]/, "")
	}
	/(passed|failed|error|no tests ran|skipped|deselected).* in [0-9.]+s/ {
		passed = failed = skipped = 0
		for (i = 2; i <= NF; i++) {
			if ($i ~ /^passed/) passed = $(i - 1)
			if ($i ~ /^failed/) failed += $(i - 1)
			if ($i ~ /^errors?/) failed += $(i - 1)
			if ($i ~ /^skipped/) skipped = $(i - 1)
		}
		ended = 1
	}
	END {
		if (ended) print passed + 0, failed + 0, (skipped > 0 ? skipped : "")
		else print so_far + 0, bad + 0
	}' "$1"
}

# Of tests/check/all and tests/lib/check-install.
count_checks() {
	sed -n 's/^checks: \([0-9]*\) passed, \([0-9]*\) failed$/\1 \2/p' "$1" | grep . || echo 0 0
}

count_nothing() { :; } # a build has no tests

# What failed, by the names that run-tests takes after "--"; nothing where it takes none.
failed_names() { # failed_names COUNTER LOG
	case $1 in
	count_units) sed -n 's/^FAILED  \([a-z0-9_]*\) .*/\1/p' "$2" ;;
	count_pytest) # a name in brackets may hold " - ", too
		sed -n '/^[A-Z]* [^ ]*\[/ s/\] - .*/]/; /^[A-Z]* [^ ]*\[/ !s/ - .*//; s/^FAILED //p; s/^ERROR \(.*::\)/\1/p' "$2"
		;;
	esac
}
