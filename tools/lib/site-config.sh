# Secrets and settings of a private site (sourced by tools/site). The web server uses the shipped files
# of nginx/ and apache/; this file only makes the frame around them: plain HTTP on loopback.

secret() { # secret NAME: makes it on first use, prints the path
	if [ ! -s "$root/secret/$1" ]; then
		(umask 077 && openssl rand -hex 32 >"$root/secret/$1.new")
		own "$root/secret/$1.new"
		mv "$root/secret/$1.new" "$root/secret/$1"
	fi
	echo "$root/secret/$1"
}

value() { cat "$(secret "$1")"; }
hashed() { printf 'sha256:%s' "$(printf %s "$(value "$1")" | sha256sum | cut -d' ' -f1)"; }

place() { # place FILE: standard input becomes the file, readable for the programs only
	(umask 077 && cat >"$1.new")
	own "$1.new"
	mv "$1.new" "$1"
}

write_config() {
	for role in key-management key-operation approver service approver-key-management hsm \
		hsm-broker api-password dispatcher-password; do
		secret "$role" >/dev/null
	done
	has_hsm || make_site_key
	for one in $parts; do
		enter "$one"
		case $one in
		hsm*) hsm_config "$one" | place "$(settings_of "$one")" ;;
		fcgi*) broker_config "dispatcher${node:-1}" | place "$home/tsb.conf" ;;
		dispatcher1 | "dispatcher$node") ;; # it has those of tsb-fcgi
		dispatcher*) broker_config "$one" | place "$(settings_of "$one")" ;;
		web*) "${web}_config" "$one" | place "$home/$web.conf" ;;
		balancer) nginx_config "$one" | place "$home/nginx.conf" ;;
		esac
	done
	printf 'X-API-KEY: %s\n' "$(value service)" | (umask 077 && cat >"$root/secret/service.header")
	environment | (umask 077 && cat >"$root/env.new")
	mv "$root/env.new" "$root/env"
}

hsm_url() {
	case ${TSB_SITE_HSM_URL:-}:${nodes:+balancer}$web in
	:*) hsm_addresses fcgi: , ;;
	web:balancer*) echo "unix:$root/balancer/run/hsm-http.sock" ;;
	web:nginx) echo "unix:$run/hsm-http.sock" ;;
	web:*) echo "http://127.0.0.1:$hsm_port" ;;
	*) echo "$TSB_SITE_HSM_URL" ;;
	esac
}

hsm_addresses() { # hsm_addresses BEFORE BETWEEN: the sockets of all
	addresses=
	for one in $parts; do
		case $one in hsm*) addresses=$addresses${addresses:+$2}$1$root/run/$one.sock ;; esac
	done
	echo "$addresses"
}

broker_config() { # broker_config DISPATCHER
	cat <<END
# Written by tools/site at every start.
[general]
profile = $profile
secretKeyFile = $(secret request-passwords)

[database]
enabled = $([ "$database" = no ] && echo false || echo true)
$(database_servers)
name = tsb
apiUser = tsb_api
apiPasswordFile = $(secret api-password)
dispatcherUser = tsb_dispatcher
dispatcherPasswordFile = $(secret dispatcher-password)

$(if has_hsm; then hsm_login; else air_gapped_config; fi)

[fcgi]
listen = unix:$run/fcgi$node.sock
socketMode = 0600

[dispatcher]
name = $1
listen = $run/$1.sock
$(wake_here)

[apiAuthentication]
keyManagementToken = $(hashed key-management)
keyOperationToken = $(hashed key-operation)
approverToken = $(hashed approver)
serviceToken = $(hashed service)
approverKeyManagementToken = $(hashed approver-key-management)
END
	# what a test wants otherwise: sections may come again, later rows are added
	[ -z "${TSB_SITE_SETTINGS:-}" ] || cat "$TSB_SITE_SETTINGS"
}

database_servers() { # of the entered place: its own, and those of the other nodes
	if [ -z "$nodes" ]; then
		echo "socket = $db/run/db.sock"
		return
	fi
	echo "host = $db/run/db.sock"
	for one in $(seq "$nodes"); do
		[ "$one" = "$node" ] || echo "host = $root/node$one/db/run/db.sock"
	done
}

wake_here() { # the dispatchers of the entered place
	for one in $parts; do
		case ${node:+$node:}$one in
		dispatcher* | "$node:dispatcher$node") echo "wake = $run/$one.sock" ;;
		esac
	done
}

hsm_login() {
	cat <<END
[hsm]
url = $(hsm_url)
$(if [ -n "${TSB_SITE_HSM_LOGIN:-}" ]; then cat "$TSB_SITE_HSM_LOGIN"; else echo "apiKeyFile = $(secret hsm-broker)"; fi)
END
}

# The broker's key and one for people stand side by side for each role, as in a rollover.
hsm_config() { # hsm_config PART
	cat <<END
# Written by tools/site at every start.
[server]
listen = unix:$run/$1.sock
socketMode = 0600

[keyStore]
directory = $root/hsm
masterKeyFile = $root/secret/hsm-master-key
create = true

[keys]
rfcTimestampKeyName = rfc-timestamp-key

[apiAuthentication]
END
	for role in keyManagementToken keyOperationToken serviceToken; do
		echo "$role = $(hashed hsm-broker)"
		echo "$role = $(hashed hsm)"
	done
}

nginx_config() { # nginx_config PART
	cat <<END
# Written by tools/site at every start.
daemon off;
worker_processes 2;
pid $run/nginx.pid;
error_log $logs/$1.log warn;
worker_rlimit_nofile 8192;
events { worker_connections 4096; }
http {
	client_body_temp_path $home/tmp/body;
	fastcgi_temp_path $home/tmp/fastcgi;
	proxy_temp_path $home/tmp/proxy;
	uwsgi_temp_path $home/tmp/uwsgi;
	scgi_temp_path $home/tmp/scgi;
	access_log $logs/access.log;
$(if [ "$1" = balancer ]; then nginx_balancer; else nginx_api; fi)
$(! serves_hsm || nginx_hsm)
}
END
	place "$home/tsb-fastcgi.conf" <"$top/nginx/tsb-fastcgi.conf"
}

nginx_api() {
	cat <<END
	server {
		listen 127.0.0.1:$web_port backlog=4096;
		set \$tsb_backend unix:$run/fcgi$node.sock;
		include $home/tsb-fastcgi.conf;
	}
END
}

nginx_hsm() {
	cat <<END
	server {
		listen 127.0.0.1:$hsm_port backlog=4096;
		listen unix:$run/hsm-http.sock;
		set \$tsb_backend $([ -n "$nodes" ] && echo tsb_hsms || echo "unix:$run/hsm.sock");
		include $home/tsb-fastcgi.conf;
	}
END
}

# What a node may have done is not sent to another one, unless HTTP lets it be repeated. A node whose web
# server or tsb-fcgi does not answer is left out for ten seconds.
nginx_balancer() {
	# shellcheck disable=SC2046
	nginx_upstream tsb_nodes $(node_addresses)
	# shellcheck disable=SC2046
	! has_hsm || nginx_upstream tsb_hsms $(hsm_addresses unix: ' ')
	cat <<END
	server {
		listen 127.0.0.1:$port backlog=4096;
		client_max_body_size 1030m;
		proxy_http_version 1.1;
		proxy_set_header Connection "";
		proxy_set_header Host \$http_host;
		proxy_connect_timeout 2s;
		proxy_read_timeout 135s;
		proxy_next_upstream error timeout http_502 http_503 http_504;
		location / { proxy_pass http://tsb_nodes; }
		include $home/errors.conf;
	}
END
	sed -n '/^# Errors that nginx makes itself/,$p' "$top/nginx/tsb-fastcgi.conf" |
		place "$home/errors.conf"
}

node_addresses() {
	for one in $(numbered web "$nodes"); do
		enter "$one"
		echo "127.0.0.1:$web_port"
	done
}

nginx_upstream() { # nginx_upstream NAME ADDRESS...
	printf '\tupstream %s {' "$1"
	shift
	printf ' server %s;' "$@"
	echo ' }'
}

apache_modules() {
	for modules in /usr/lib/apache2/modules /usr/lib/httpd/modules /usr/libexec/apache2; do
		[ ! -d "$modules" ] || break
	done
	for module in mpm_event authz_core alias proxy proxy_fcgi headers setenvif buffer reqtimeout; do
		echo "LoadModule ${module}_module $modules/mod_$module.so"
	done
}

apache_config() { # apache_config PART
	cat <<END
# Written by tools/site at every start.
ServerRoot $home
DefaultRuntimeDir $run
PidFile $run/apache.pid
Mutex file:$run default
ServerName 127.0.0.1
ServerTokens Prod
ListenBacklog 4096
StartServers 4
ThreadLimit 512
ThreadsPerChild 512
MaxSpareThreads 2048
ServerLimit 8
MaxRequestWorkers 2048
ErrorLog $logs/$1.log
LogLevel warn
$(apache_modules)
LogFormat "%h %t \"%r\" %>s %b" plain
CustomLog $logs/access.log plain
$(apache_host "$web_port" "$run/fcgi$node.sock")
$(! serves_hsm || apache_host "$hsm_port" "$run/hsm.sock")
END
	place "$home/tsb-fastcgi.conf" <"$top/apache/tsb-fastcgi.conf"
}

apache_host() { # apache_host PORT SOCKET
	cat <<END
Listen 127.0.0.1:$1
<VirtualHost 127.0.0.1:$1>
	Define TSB_BACKEND $2
	Include $home/tsb-fastcgi.conf
</VirtualHost>
END
}

environment() {
	enter "db${nodes:+1}"
	cat <<END
TSB_URL='http://127.0.0.1:$port'
TSB_KEY_MANAGEMENT_TOKEN='$(value key-management)'
TSB_KEY_OPERATION_TOKEN='$(value key-operation)'
TSB_APPROVER_TOKEN='$(value approver)'
TSB_SERVICE_TOKEN='$(value service)'
TSB_APPROVER_KEY_MANAGEMENT_TOKEN='$(value approver-key-management)'
TSB_SITE='$root'
TSB_BUILD='$build'
export TSB_URL TSB_KEY_MANAGEMENT_TOKEN TSB_KEY_OPERATION_TOKEN TSB_APPROVER_TOKEN
export TSB_SERVICE_TOKEN TSB_APPROVER_KEY_MANAGEMENT_TOKEN TSB_SITE TSB_BUILD
END
	[ "$database" = no ] || cat <<END
TSB_DB_SOCKET='$db/run/db.sock'
TSB_DISPATCHER_SOCKET='$run/dispatcher1.sock'
export TSB_DB_SOCKET TSB_DISPATCHER_SOCKET
END
	[ -z "$nodes" ] || echo "export TSB_NODES='$nodes'"
	for one in ${nodes:+$(seq "$nodes")}; do
		enter "db$one"
		cat <<END
export TSB_NODE${one}_URL='http://127.0.0.1:$web_port'
export TSB_NODE${one}_DB_SOCKET='$db/run/db.sock' TSB_NODE${one}_DB_PORT='$(sql_port "$one")'
END
	done
	if has_hsm; then
		cat <<END
TSB_HSM_URL='http://127.0.0.1:$hsm_port'
TSB_HSM_TOKEN='$(value hsm)'
TSB_ATTESTATION_KEY='$root/attestation.pem'
export TSB_HSM_URL TSB_HSM_TOKEN TSB_ATTESTATION_KEY
END
	else
		cat <<END
TSB_SITE_KEY='$root/site.pub'
export TSB_SITE_KEY
END
	fi
}

# The database, the logins of the programs, and the schema by the program that knows it.
prepare_db() {
	enter "db${nodes:+1}"
	{
		echo "CREATE DATABASE IF NOT EXISTS tsb CHARACTER SET utf8mb4;"
		for login in api dispatcher; do
			echo "CREATE USER IF NOT EXISTS 'tsb_$login'@'%' IDENTIFIED BY '$(value "$login-password")';"
		done
	} | db_sql "$db" || fail 'the database refuses its logins'
	"$build/tsb-admin" schema upgrade --config "$home/tsb.conf" --dir "$top/schema" >>"$logs/schema.log" 2>&1 || {
		tail -n 10 "$logs/schema.log" >&2
		fail 'the schema cannot be brought up to date'
	}
	# Logins and rights are in Aria tables, which MariaDB writes when it likes: a server killed now would
	# come back without them.
	for one in $parts; do
		is_db "$one" || continue
		enter "$one"
		echo 'FLUSH TABLES;' | db_sql "$db" || fail 'the database refuses FLUSH TABLES'
	done
}
