#!/bin/sh
# Asks for a signature and waits for it: sign-and-poll.sh KEY FILE
set -eu
[ $# -eq 2 ] || { echo "usage: $0 KEY FILE" >&2; exit 2; }

call() { # call PATH [curl option...]: the answer; an error of the API is told and ends the script
	path=$1
	shift
	answer=$(curl -sS -H "X-API-KEY: $TSB_KEY_OPERATION_TOKEN" -H 'Content-Type: application/json' \
		"$@" "$TSB_URL$path")
	if error=$(printf %s "$answer" | jq -er 'select(.errorCode) | .message'); then
		echo "$0: $error" >&2
		exit 1
	fi
	printf %s "$answer"
}

id=$(base64 <"$2" | tr -d '\n' |
	jq -R --arg key "$1" '{signRequest: {payload: ., signKeyName: $key, signatureAlgorithm: "SHA256_WITH_ECDSA"}}' |
	call /v1/sign --data-binary @- | jq -r .signRequestId)
[ -n "$id" ]
echo "request $id" >&2
while :; do
	request=$(call "/v1/request/$id")
	status=$(printf %s "$request" | jq -r .status)
	case $status in
	PENDING | APPROVED) sleep 1 ;;
	EXECUTED) printf %s "$request" | jq -r .result; exit 0 ;;
	*) printf %s "$request" | jq -r '"\(.status): \(.result // "")"' >&2; exit 1 ;;
	esac
done
