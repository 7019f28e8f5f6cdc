# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# bash completion for vferry(8): commands, options, guests, networks, PFs, bridges, files.

# _vferry_options COMMAND: prints the options of a command.
_vferry_options() {
	case $1 in
	check) echo --against --domain --cib --report --inventory --settings --json --help --version ;;
	prepare) echo --pf --vfs --bridge --card-only --dry-run --yes --once --boot --inventory --settings --json --help --version ;;
	plan) echo --domain --as --inventory --settings --json --help --version ;;
	attach) echo --pf --network --mac --vlan --live --config --settings --json --help --version ;;
	detach) echo --mac --live --config --settings --json --help --version ;;
	status) echo --watch --inventory --settings --json --help --version ;;
	release) echo --dry-run --yes --settings --json --help --version ;;
	inventory) echo --settings --json --help --version ;;
	fleet) echo --inventory --to --apart --within --firmware --script --run --plan --settings --json --help --version ;;
	maintenance) echo --settings --json --help --version ;;
	cluster) echo --all --node --pcs --crmsh --cib --domain --inventory --settings --json --help --version ;;
	report) echo --tar --keep-names --settings --help --version ;;
	version) echo --json --help --version ;;
	esac
}

# _vferry_pfs: prints PCI addresses and network devices of the PFs that mlx5_core drives.
_vferry_pfs() {
	local pf
	for pf in /sys/bus/pci/drivers/mlx5_core/*/sriov_totalvfs; do
		[ -e "$pf" ] || continue
		pf=${pf%/*}
		echo "${pf##*/}"
		ls "$pf/net" 2>/dev/null
	done
}

# _vferry_values OPTION: prints what an option's value can be; nothing: a file.
_vferry_values() {
	case $1 in
	--pf) _vferry_pfs ;;
	--bridge) ovs-vsctl --timeout=1 list-br 2>/dev/null ;;
	--network) virsh -r -q -c qemu:///system net-list --all --name 2>/dev/null ;;
	--as) echo migrate start ;;
	--boot) echo card host ;;
	--vfs) echo 1 2 4 8 16 32 64 ;;
	esac
}

# _vferry_line: the typed words up to the cursor, in $words. bash's own COMP_WORDS are broken at every ":", which PCI addresses, MACs and
# addresses of hosts contain.
_vferry_line() {
	local line=${COMP_LINE:0:COMP_POINT}
	read -ra words <<<"$line"
	[[ $line != *[[:space:]] ]] || words+=("")
}

# _vferry_guests: prints the names of this host's guests.
_vferry_guests() {
	virsh -r -q -c qemu:///system list --all --name 2>/dev/null
}

_vferry() {
	local words current previous command replies

	_vferry_line
	current=${words[-1]} previous=${words[-2]} command=${words[1]}
	if [ "${#words[@]}" -eq 2 ]; then
		replies=$(compgen -W "check prepare plan attach detach status release maintenance inventory fleet cluster report version --help --version" -- "$current")
	elif [[ $previous =~ ^--(pf|bridge|network|as|boot|vfs)$ ]]; then
		replies=$(compgen -W "$(_vferry_values "$previous")" -- "$current")
	elif [[ $previous =~ ^--(against|domain|inventory|settings|plan|cib)$ ]]; then
		replies=$(compgen -f -- "$current")
	elif [[ $current == -* ]]; then
		replies=$(compgen -W "$(_vferry_options "$command")" -- "$current")
	elif [[ $command == maintenance && ${#words[@]} -eq 3 ]]; then
		replies=$(compgen -W "on off" -- "$current")
	elif [[ $command == fleet && ${#words[@]} -eq 3 ]]; then
		replies=$(compgen -W "matrix evacuate upgrade survive" -- "$current")
	elif [[ $command =~ ^(check|plan|attach|detach|cluster)$ ]]; then
		replies=$(compgen -W "$(_vferry_guests)" -- "$current")
	fi
	COMPREPLY=()
	[ -z "${replies:-}" ] || mapfile -t COMPREPLY <<<"$replies"
	# bash puts a reply behind the last ":" of what was typed.
	[[ $COMP_WORDBREAKS != *:* ]] || COMPREPLY=("${COMPREPLY[@]#"${current%"${current##*:}"}"}")
}

complete -F _vferry vferry
