#!/bin/bash
# What somebody on call does, with the stock nats command line and nothing else:
# look at the fleet, hand in a job, read its output, ask why it ran there, and
# empty a node before it is taken down.
#
#   NATS_URL=nats://127.0.0.1:4222 examples/ops/night-shift.sh IMAGE NODE
set -euo pipefail

image=${1:?the image to run} node=${2:?the node to empty}
id=night-$$-$RANDOM

# ask SUBJECT BODY [FLAG…] prints the answer; an error is in its headers, and ends
# the script, as does no answer at all: nats waits 5 s unless --timeout says more.
ask() {
	local reply
	if ! reply=$(nats req --no-templates "${@:3}" "$1" "$2" 2>&1); then
		echo "$1: $reply" >&2
		return 1
	fi
	if grep -o 'Nats-Service-Error: .*' <<<"$reply" >&2; then
		return 1
	fi
	grep '^{' <<<"$reply"
}

# field NAME prints the first value of that name in a JSON document.
field() { grep -o "\"$1\":\"[^\"]*\"" | head -1 | cut -d'"' -f4; }

echo "== who is there"
nats micro ls | grep -o 'shunt-[a-z]*' | sort | uniq -c
ask shunt.placer.nodes '{"v":1}' | grep -o '"node":"[^"]*"'

echo "== a job, and its last word"
nats pub --jetstream --no-templates "shunt.job.$id" '{"v":1,"id":"'"$id"'","op":"run","spec":{"image":"'"$image"'"}}' 2>/dev/null
record=$(nats sub --stream SHUNT_DONE --all --count 1 --raw "shunt.done.$id" 2>/dev/null)
where=$(grep -o '"node":"[^"]*","attempt":[0-9]*,"starts"' <<<"$record" | cut -d'"' -f4)
echo "$(field state <<<"$record") on $where"

echo "== what it said"
nats req --raw --no-templates --wait-for-empty --reply-timeout 15s "shunt.node.$where.logs" '{"v":1,"job":"'"$id"'"}' 2>/dev/null |
	sed '/^nil body$/d;/^$/d' # how nats prints the empty message at the end

echo "== why it ran there"
ask shunt.placer.explain '{"v":1,"id":"'"$id"'"}' | grep -o '"chosen":"[^"]*"'

echo "== $node is emptied, and comes back"
undrain() { ask shunt.placer.undrain '{"v":1,"node":"'"$node"'"}'; }
trap undrain EXIT # a node that nobody watches over must not stay empty
# a placer answers at most 10 s after the drain's own timeout
ask shunt.placer.drain '{"v":1,"node":"'"$node"'","timeout":"20s"}' --timeout 35s
undrain
trap - EXIT

echo "== a question about a job that nobody knows"
ask shunt.placer.job '{"v":1,"id":"no-such-job"}' || echo "as it should be"
