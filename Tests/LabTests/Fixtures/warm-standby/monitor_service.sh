#!/bin/sh
# The warm standby's check: fails while its host's service has been restarted more than 5 times in 10 minutes. The test writes the seconds (since
# shellcheck disable=SC3013 # dash and bash both have -ef
# the machine started) of the restarts into a file of each host; a host is known by its network. No other program is run: the guest is slow.
for host in /run/netns/pair*; do [ /proc/self/ns/net -ef "$host" ] && break; done
read -r now _ </proc/uptime
now=${now%.*} count=0
while read -r at; do [ "$at" -le $((now - 600)) ] || count=$((count + 1)); done <"/run/standby/restarts.${host##*/}"
[ $count -le 5 ] && [ $# = 4 ]
