# Keys of the air gap (sourced by tools/site): whom an air-gapped site believes, what it signs packages with,
# and the attestation key of a site that has the HSM.

# ---- pins: copies in DIR/pins, numbered in the order in which they came ----

pin_kind() { # pin_kind OPTION
	case $1 in -A) echo attestation ;; -O) echo offline-site ;; -R) echo approver ;; esac
}

pin_option() { # pin_option OPTION FILE: remembered as lines "kind file"
	pin_file=$(readlink -f -- "$2") && [ -r "$pin_file" ] || fail "$1: cannot read $2"
	case $pin_file in *'
'*) fail "$1: no line feeds in names of files" ;; esac
	pin_good "$1" "$pin_file" ||
		fail "$1: $2 is not a PEM public key$([ "$1" = -O ] || echo ' or certificate')"
	opt_pins="$opt_pins$(pin_kind "$1") $pin_file
"
}

pin_good() { # pin_good OPTION FILE
	openssl pkey -pubin -in "$2" -noout 2>/dev/null && return 0
	[ "$1" != -O ] && openssl x509 -in "$2" -noout 2>/dev/null
}

pins_of() { # pins_of KIND: one path a line
	for pin in "$root/pins/$1"-[0-9][0-9][0-9].pem; do
		[ ! -f "$pin" ] || echo "$pin"
	done
}

add_pins() { # sets changed when there is a new one
	[ -n "$opt_pins" ] || return 0
	mkdir -p "$root/pins" && chmod 755 "$root/pins"
	while read -r pin_new pin_file; do
		[ -z "$pin_new" ] || add_pin "$pin_new" "$pin_file"
	done <<END
$opt_pins
END
}

add_pin() { # add_pin KIND FILE
	for pin in $(seq -f "$1-%03g.pem" 999); do
		pin=$root/pins/$pin
		if [ ! -f "$pin" ]; then
			(umask 022 && cp -- "$2" "$pin.new") && mv "$pin.new" "$pin"
			changed=yes
			return
		fi
		! cmp -s -- "$2" "$pin" || return 0
	done
	fail "more than 999 keys of one sort"
}

count_of() { pins_of "$1" | wc -l; }

show_pins() {
	echo "believes: $(count_of attestation) attestation keys, $(count_of offline-site) offline sites," \
		"$(count_of approver) approvers of keys not imported; its own key is $root/site.pub"
}

# ---- settings ----

air_gapped_config() {
	cat <<END
[airGapped]
siteName = $(uname -n) port $port
siteKeyFile = $root/secret/site.key
$(pins_of offline-site | sed 's/^/offlineSiteKeyFile = /')
$(pins_of attestation | sed 's/^/attestationKeyFile = /')
$(pins_of approver | sed 's/^/approverFile = /')
END
}

# ---- keys ----

make_site_key() { # what signs packages: made once
	if [ ! -s "$root/secret/site.key" ]; then
		(umask 077 && openssl genpkey -algorithm ed25519 -out "$root/secret/site.key.new")
		own "$root/secret/site.key.new"
		mv "$root/secret/site.key.new" "$root/secret/site.key"
	fi
	openssl pkey -in "$root/secret/site.key" -pubout -out "$root/site.pub.new" ||
		fail "no public key from $root/secret/site.key"
	chmod 644 "$root/site.pub.new"
	mv "$root/site.pub.new" "$root/site.pub"
}

# The HSM's own: what an air-gapped site pins with -A.
fetch_attestation_key() {
	printf 'X-API-KEY: %s\n' "$(value hsm)" | (umask 077 && cat >"$root/secret/hsm.header")
	if ! curl -s --noproxy '*' --max-time 20 -H "@$root/secret/hsm.header" \
		-H 'Content-Type: application/json' -d '{"label":"attestation-key"}' \
		"http://127.0.0.1:$hsm_port/v1/key/attributes" |
		sed -n 's/.*"publicKey":"\([A-Za-z0-9+/=]*\)".*/\1/p' | base64 -d |
		openssl pkey -pubin -inform DER -pubout -out "$root/attestation.pem.new" 2>/dev/null; then
		rm -f "$root/attestation.pem.new"
		say 'the HSM does not show its attestation key: there is no attestation.pem'
		return 0
	fi
	chmod 644 "$root/attestation.pem.new"
	mv "$root/attestation.pem.new" "$root/attestation.pem"
}
