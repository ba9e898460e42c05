# What the shells of the tested machine know (sourced there by tests/deb/installed): steps that users
# and operators take, each a function that fails when the step does.
set -u
cd /root || exit 1
[ ! -e /etc/tsb/api-keys ] || . /etc/tsb/api-keys
ca=/etc/tsb/tls/server.pem
broker='tsb-fcgi.socket tsb-fcgi.service tsb-dispatcher.service'
hsm='tsb-hsm.socket tsb-hsm.service'

tsb() { /usr/bin/tsb --ca "$ca" "$@"; }
install_all() { apt-get -q -y install "$1"/*.deb; }
setup() { tsb-admin setup --yes "$@" </dev/null; }

# ---- units ----

active() { # active UNIT...
	for unit; do
		systemctl is-active --quiet "$unit" || {
			systemctl status --no-pager "$unit"
			return 1
		}
	done
}
# shellcheck disable=SC2086
all_run() {
	n=0
	until active $broker $hsm nginx.service mariadb.service >/dev/null || [ $n -ge 10 ]; do
		n=$((n + 1))
		sleep 1
	done
	active $broker $hsm
}
none_run() {
	for unit in $broker $hsm; do
		[ "$(systemctl show -P ActiveState "$unit")" = inactive ] || return 1
	done
}
# shellcheck disable=SC2086
in_order() { # in_order UNIT...: stops everything, starts these; sockets are whose they should be
	systemctl stop $broker $hsm && systemctl reset-failed $broker $hsm || return 1
	for unit; do
		systemctl start "$unit" || return 1
	done
	cat >sockets <<-END
		root:root 755 /run/tsb
		tsb-fcgi:www-data 660 /run/tsb/fcgi.sock
		root:root 755 /run/tsb-hsm
		tsb-hsm:tsb 660 /run/tsb-hsm/tsb-hsm.sock
	END
	stat -c '%U:%G %a %n' /run/tsb /run/tsb/fcgi.sock /run/tsb-hsm /run/tsb-hsm/tsb-hsm.sock |
		diff sockets - && calls && systemctl start $broker $hsm
}
kill_nginx() {
	systemctl kill -s KILL nginx.service
	sleep 1
	systemctl restart nginx.service && calls
}
programs_are_new() { # their files were not replaced since they started
	for unit in tsb-fcgi tsb-dispatcher tsb-hsm; do
		case $(readlink "/proc/$(systemctl show -P MainPID $unit)/exe") in
		"/usr/sbin/$unit") ;;
		*) return 1 ;;
		esac
	done
}

# ---- files ----

closed() { # closed USER FILE...: it cannot read them
	user=$1
	shift
	for file; do
		[ -e "$file" ] || return 1
		! runuser -u "$user" -- cat "$file" || return 1
	done
}
secrets_closed() {
	closed tsb-fcgi /etc/tsb/db-dispatcher-password /etc/tsb/hsm-master-key &&
		closed tsb-dispatcher /etc/tsb/db-api-password /etc/tsb/hsm-master-key &&
		closed tsb-hsm /etc/tsb/tsb.conf /etc/tsb/secret-key /etc/tsb/db-api-password &&
		closed www-data /etc/tsb/api-keys /etc/tsb/tls/server.key /etc/tsb/tsb.conf
}
settings_good() {
	runuser -u tsb-fcgi -- tsb-fcgi -n && runuser -u tsb-dispatcher -- tsb-dispatcher -n &&
		tsb-hsm -n -c /etc/tsb/tsb-hsm.conf
}
makes_nothing() {
	setup >again || return 1
	cat again
	! grep '^  made' again
}
# shellcheck disable=SC2086
rotate() {
	systemctl reset-failed $broker $hsm # systemd counts the starts of a while
	sed -i 's|^#file = /var/log|file = /var/log|' /etc/tsb/tsb-hsm.conf &&
		systemctl restart tsb-hsm.service && calls &&
		logrotate --force /etc/logrotate.d/tsb-hsm &&
		logrotate --debug /etc/logrotate.d/tsb-broker &&
		[ -s /var/log/tsb-hsm/tsb-hsm.log.1 ] && sleep 1 && calls &&
		[ -s /var/log/tsb-hsm/tsb-hsm.log ]
}
lost_password() {
	rm /etc/tsb/db-api-password && setup && calls
}
own_password() { # the settings name another file: setup has no business there
	mv /etc/tsb/db-api-password /etc/tsb/mine &&
		sed -i 's|^apiPasswordFile = .*|apiPasswordFile = /etc/tsb/mine|' /etc/tsb/tsb.conf &&
		makes_nothing && [ ! -e /etc/tsb/db-api-password ] && systemctl restart tsb-fcgi.service &&
		calls
}
# From a CA, and the API keys are with whom they are for.
real_certificate() {
	mkdir -p /etc/ssl/tsb && cd /etc/ssl/tsb || return 1
	key='-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes'
	echo 'subjectAltName = DNS:tsb.test' >extensions
	# shellcheck disable=SC2086
	openssl req -x509 $key -subj /CN=ca -days 9 -keyout ca.key -out ca.pem &&
		openssl req $key -subj /CN=tsb.test -keyout site.key -out site.csr &&
		openssl x509 -req -in site.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 9 \
			-extfile extensions -out site.pem || return 1
	! setup --certificate "$PWD/site.pem" --key "$PWD/ca.key" &&
		setup --certificate "$PWD/site.pem" --key "$PWD/site.key" && rm /etc/tsb/api-keys &&
		makes_nothing && ca=$PWD/ca.pem && calls
}
gone() { # gone FILE...
	for file; do
		[ ! -e "$file" ] || return 1
	done
}

# ---- users ----

version() {
	curl -sS --cacert "$ca" -H "X-API-KEY: $TSB_SERVICE_TOKEN" "$@" \
		https://tsb.test/v1/versionInfo
}
calls() { # the API, the database behind it, the HSM behind it
	version --fail && tsb request list && tsb key list
}
stranger() { # what a browser shows: it has no API key
	TSB_SERVICE_TOKEN='' version | tee said
	grep -q '"errorCode":631' said
}
people() { # approvers, and a key that needs both
	echo 'pay 100' >payment
	tsb approver new alice --no-passphrase && tsb approver new bob --no-passphrase &&
		tsb key create guarded --algorithm EC --curve secp256r1 --quorum 2 \
			--approvers alice.pub.pem,bob.pub.pem
}
ask() { # ask NAME: a request, and the first approval
	tsb sign guarded payment --algorithm SHA256_WITH_ECDSA >"$1.id" &&
		tsb approve --approver alice.key.pem --request "$(cat "$1.id")" --all --yes
}
waits() { # waits NAME: it is not executed
	! tsb request wait "$(cat "$1.id")" --timeout 1
}
finish() { # finish NAME: the second approval, and a good signature
	rm -f "$1.sig"
	tsb approve --approver bob.key.pem --request "$(cat "$1.id")" --all --yes &&
		tsb request wait "$(cat "$1.id")" --timeout 30 --out "$1.sig" &&
		tsb verify guarded payment "$1.sig" --algorithm SHA256_WITH_ECDSA
}

# ---- packages ----

schema() { mariadb --skip-column-names --execute='SELECT MAX(version) FROM tsb.schema_version'; }
# No call of the meantime fails, no settings change, and an old schema is brought up to date.
upgrade() {
	cp /etc/tsb/tsb.conf before
	newest=$(schema)
	mariadb --execute="DELETE FROM tsb.schema_version WHERE version = $newest"
	rm -f stop codes
	(while [ ! -e stop ]; do
		version -o /dev/null -w '%{http_code}\n'
		sleep 0.05
	done) >codes 2>&1 &
	install_all /newer
	status=$?
	sleep 1
	touch stop
	wait
	sort codes | uniq -c
	[ "$status" = 0 ] && ! grep -v '^200$' codes && [ "$(wc -l <codes)" -gt 20 ] &&
		cmp before /etc/tsb/tsb.conf && [ "$(schema)" = "$newest" ]
}
client_is_light() { ! dpkg-query -W -f '${Depends}' tsb | grep -e mariadb -e fcgi -e systemd; }
to_apache() {
	systemctl disable --now nginx.service &&
		apt-get -q -y --no-install-recommends install apache2 &&
		rm /etc/nginx/sites-enabled/tsb.conf && setup --web apache --name tsb.test &&
		calls && ask apache && finish apache
}
to_nginx() {
	a2dissite -q tsb && systemctl disable --now apache2.service &&
		systemctl enable --now nginx.service && setup --web nginx && calls
}
purge() {
	apt-get -q -y purge tsb-broker tsb-hsm >said || return 1
	cat said
	grep -q /etc/tsb/hsm-master-key said && grep -q /var/lib/tsb-hsm said &&
		grep -q 'DROP DATABASE tsb' said
}
data_left() {
	ls /etc/tsb/secret-key /etc/tsb/hsm-master-key /etc/tsb/api-keys /var/lib/tsb-hsm/* &&
		mariadb --execute='SELECT COUNT(*) FROM tsb.request'
}
