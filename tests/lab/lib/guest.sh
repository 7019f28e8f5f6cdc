# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# "lab guest": a small guest with CX-7 VFs, from xml-templates/guest.xml.in.

LAB_GUEST_KERNEL=/var/lib/libvirt/images/vferry-guest.elf

guest_usage() {
	cat >&2 <<'END'
usage: lab guest HOST NAME [OPTION...]
  --vf PF/INDEX | --vf ADDRESS   a VF, which need not exist yet; may be repeated
  --type interface|hostdev|network   how the VFs are given to it (interface)
  --network NAME     the hostdev pool of --type network (vf-pool)
  --mac MAC          MAC of the next VF in order (made from NAME); may be repeated
  --managed yes|no   (yes)
  --cmdline TEXT     options of the guest's program (ip=10.77.0.10 interval=20
                     hz=50 tag=NAME serial)
  --bridge NAME      the bridge in the passport (br-vferry)
  --iommu MODEL      a vIOMMU: intel, virtio
  --no-passport      without vferry's passport
  --define           define and start it, instead of creating it
  --print            print the XML only
END
}

# guest_mac NAME INDEX: prints a MAC that belongs to this guest's VF of that number.
guest_mac() {
	local hash
	hash=$(sha256sum <<<"$1 $2")
	echo "52:54:00:${hash:0:2}:${hash:2:2}:${hash:4:2}"
}

# pci_element ADDRESS: prints libvirt's <address> of a PCI function.
pci_element() {
	echo "<address type='pci' domain='0x${1:0:4}' bus='0x${1:5:2}' slot='0x${1:8:2}' function='0x${1:11:1}'/>"
}

# xml_escape TEXT: prints the text as XML wants it.
xml_escape() {
	sed 's/&/\&amp;/g; s/</\&lt;/g; s/>/\&gt;/g' <<<"$1"
}

# guest_device TYPE MANAGED NETWORK MAC ADDRESS SEEN: prints the XML of one VF; the guest sees a plain hostdev at the PCI address SEEN,
# by which its passport finds it.
guest_device() {
	case "$1" in
	interface) echo "<interface type='hostdev' managed='$2'><mac address='$4'/><source>$(pci_element "$5")</source></interface>" ;;
	hostdev) echo "<hostdev mode='subsystem' type='pci' managed='$2'><source>$(pci_element "$5")</source>$(pci_element "$6")</hostdev>" ;;
	network) echo "<interface type='network'><mac address='$4'/><source network='$3'/></interface>" ;;
	*) die "guest: --type is interface, hostdev or network, not '$1'" ;;
	esac
}

# guest_iommu MODEL: prints the XML of a vIOMMU that QEMU accepts beside a VF.
guest_iommu() {
	case "$1" in
	intel) echo "<iommu model='intel'><driver caching_mode='on'/></iommu>" ;;
	*) echo "<iommu model='$1'/>" ;;
	esac
}

# template NAME: prints a file of xml-templates without its comment.
template() {
	sed '/^<!--/,/-->$/d' "$LAB_CHECKOUT/xml-templates/$1"
}

# fill TEXT NAME=VALUE...: prints the text with each @NAME@ replaced.
fill() {
	local text=$1 pair
	shift
	for pair in "$@"; do
		text=${text//"@${pair%%=*}@"/"${pair#*=}"}
	done
	printf '%s\n' "$text"
}

# guest_passport_entry TYPE SEEN NAME=VALUE...: prints one VF's line of the passport. A plain hostdev is found by the address
# that the guest sees, an interface by its MAC.
guest_passport_entry() {
	local line
	line=$(template passport.xml.in | grep '<vf:vf ')
	[ "$1" = hostdev ] || line=${line/ guest=\"@GUEST@\"/}
	fill "$line" "GUEST=$2" "${@:3}"
}

# guest_metadata ENTRIES: prints the guest's metadata, a passport with these lines; nothing without a line.
guest_metadata() {
	local text
	[ -n "$1" ] || return 0
	text=$(template passport.xml.in)
	echo "<metadata>${text/"$(grep '<vf:vf ' <<<"$text")"/"$1"}</metadata>"
}

# guest_render NAME: prints the XML from guest_parse's results, given the VFs'
# facts (vf-facts) on stdin.
guest_render() {
	local name=$1 devices="" entries="" number=0 address seen pf psid firmware mac
	while read -r address pf _ psid firmware; do
		mac=${guest_macs[number]:-$(guest_mac "$name" "$number")}
		seen=$(printf '0000:%02x:00.0' $((number + 1)))
		devices+=$(guest_device "$guest_type" "$guest_managed" "$guest_network" "$mac" "$address" "$seen")$'\n    ' || return 1
		entries+=${entries:+$'\n'}$(guest_passport_entry "$guest_type" "$seen" "MAC=$mac" "PF=$pf" "PSID=$psid" "FIRMWARE=$firmware" "BRIDGE=$guest_bridge")
		number=$((number + 1))
	done
	[ "$number" -eq "${#guest_vfs[@]}" ] || return 1
	[ -z "$guest_iommu" ] || devices+=$(guest_iommu "$guest_iommu")
	[ -n "$guest_passport" ] || entries=""
	fill "$(template guest.xml.in)" "NAME=$name" "KERNEL=$LAB_GUEST_KERNEL" "CMDLINE=$(xml_escape "$guest_cmdline")" \
		"METADATA=$(guest_metadata "$entries")" "DEVICES=$devices"
}

# guest_parse OPTION...: reads the options into guest_* variables.
guest_parse() {
	guest_vfs=() guest_macs=() guest_type=interface guest_managed=yes guest_network=vf-pool
	guest_cmdline="" guest_bridge=br-vferry guest_iommu="" guest_passport=1 guest_action=create
	while [ "$#" -gt 0 ]; do
		case "$1" in
		--no-passport) guest_passport="" ;;
		--define) guest_action=define ;;
		--print) guest_action=print ;;
		--vf | --type | --network | --mac | --managed | --cmdline | --bridge | --iommu)
			[ "$#" -ge 2 ] || die "guest: $1 needs a value"
			guest_option "$1" "$2"
			shift
			;;
		*) guest_usage; die "guest: unknown option '$1'" ;;
		esac
		shift
	done
}

# guest_option OPTION VALUE: one option that has a value.
guest_option() {
	case "$1" in
	--vf) guest_vfs+=("$2") ;;
	--mac) guest_macs+=("$2") ;;
	*) printf -v "guest_${1#--}" '%s' "$2" ;;
	esac
}

# lab_guest HOST NAME OPTION...: renders the guest and starts it on the host.
# Return: that of virsh.
lab_guest() {
	local host=$1 name=${2:-} facts="" xml file
	host_valid "$host"
	[[ ! $name =~ ^(-h|--help|help)$ ]] || { guest_usage 2>&1; return; }
	[[ $name =~ ^[A-Za-z0-9._-]+$ ]] || { guest_usage; die "guest: a name is needed"; }
	shift 2
	guest_parse "$@"
	[ -n "$guest_cmdline" ] || guest_cmdline="ip=10.77.0.10 interval=20 hz=50 tag=$name serial"
	if [ "${#guest_vfs[@]}" -gt 0 ]; then
		facts=$(remote_exec "$host" /usr/lib/vferry-lab/vf-facts "${guest_vfs[@]}") ||
			die "guest: host $host has no such VF"
	fi
	xml=$(guest_render "$name" < <([ -z "$facts" ] || echo "$facts")) || die "guest: the XML cannot be made"
	file=/run/vferry-lab-$name.xml
	case "$guest_action" in
	print) echo "$xml" ;;
	create) remote_exec "$host" "cat >$file && virsh -q -c qemu:///system create $file" <<<"$xml" ;;
	define) remote_exec "$host" "cat >$file && virsh -q -c qemu:///system define $file &&
		virsh -q -c qemu:///system start $name" <<<"$xml" ;;
	esac
}
