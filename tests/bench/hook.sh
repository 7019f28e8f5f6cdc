#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# hook.sh GUEST OPERATION SUB-OPERATION EXTRA <DOMAIN.xml: what hooks/qemu.c decides, as a bash hook, for comparison: can this guest have a
# VF? Nothing but bash itself runs, which is as quick as such a hook can be made.
case $2 in
migrate | prepare | start | started | stopped | release | reconnect) ;;
*) exit 0 ;;
esac
IFS= read -r -N 16777216 xml # of a pipe, read by the byte with any other option
case $xml in
'<domain '* | '<domain>'*) ;;
*) exec /usr/libexec/vferry/hook "$@" <<<"$xml" ;;
esac
case $xml in
*hostdev* | *urn:vferry:passport*) exec /usr/libexec/vferry/hook "$@" <<<"$xml" ;;
esac
pattern="[[:space:]]network[[:space:]]*=[[:space:]]*['\"]([^'\"]*)"
rest=$xml
while [[ $rest =~ $pattern ]]; do
	if [ -e "/run/libvirt/network/${BASH_REMATCH[1]}.xml" ]; then
		exec /usr/libexec/vferry/hook "$@" <<<"$xml"
	fi
	rest=${rest#*"${BASH_REMATCH[0]}"}
done
exit 0
