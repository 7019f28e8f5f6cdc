# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# The image of a host: the Debian tree, the modules, the lab's own files, as a
# file system in a file; its kernel; a small initial RAM disk.

# The modules that mount the root disk; their dependencies are found by modprobe.
LAB_ROOT_MODULES=(virtio_pci virtio_blk ext4)

# image_make TARGET: root.img, vmlinuz, initrd.
image_make() {
	local target=$1 work=$1/tree version
	mkdir "$target"
	cp -a --reflink=auto "$LAB_HOST_TREE" "$work"
	version=$(<"$LAB_KERNEL/version")
	image_modules "$work" "$version" && image_files "$work" && image_platform "$work" &&
		image_initrd "$work" "$version" "$target/initrd" &&
		image_capabilities "$work" || return 1
	cp "$(find "$LAB_KERNEL/boot" "$LAB_KERNEL/usr/lib/modules/$version" -maxdepth 1 -name 'vmlinuz*' 2>/dev/null | head -n 1)" "$target/vmlinuz" || return 1
	cp /proc/sys/kernel/random/uuid "$target/id"
	mke2fs -q -t ext4 -O '^has_journal' -E lazy_itable_init=1,nodiscard -m 0 \
		-d "$work" "$target/root.img" 4G >/dev/null &&
		rm -rf --one-file-system "$work"
}

# image_modules TREE VERSION: the kernel's modules, and the lab's in updates/, where they go before
# these; depmod here, since it takes a minute and a half on a host.
image_modules() {
	mkdir -p "$1/usr/lib/modules"
	cp -a --reflink=auto "$LAB_KERNEL/usr/lib/modules/$2" "$1/usr/lib/modules/" && mkdir "$1/usr/lib/modules/$2/updates" || return 1
	rm -f "$1/usr/lib/modules/$2/build" "$1/usr/lib/modules/$2/source"
	cp "$LAB_MODULES_BUILT"/*.ko "$1/usr/lib/modules/$2/updates/" &&
		chroot "$1" depmod "$2"
}

# image_files TREE: the lab's scripts and configuration, keys, empty folders.
image_files() {
	local tree=$1 lib=$1/usr/lib/vferry-lab
	mkdir -p "$lib" "$tree/root/.ssh" "$tree/var/lib/libvirt/images"
	cp "$LAB_DIR"/host/{init,boot,load-cx7,vf-facts,agent,clock} "$lib/" &&
		cp -r "$LAB_DIR/host/files/." ${PLATFORM_FILES:+"$LAB_DIR/platforms/$PLATFORM_FILES/."} "$tree/" &&
		echo "$PLATFORM_NAME" >"$lib/platform" &&
		cp "$LAB_KEY_FILE.pub" "$tree/root/.ssh/authorized_keys" || return 1
	chmod 700 "$tree/root/.ssh"
	ssh-keygen -q -A -f "$tree"
	# libvirt would start its network "default" and fail without dnsmasq.
	rm -f "$tree/etc/libvirt/qemu/networks/autostart/"*
}

# image_platform TREE: what the platform has beside packages: a boot by systemd; libvirt's modular daemons in place of libvirtd, each started
# by its socket, and virtqemud at boot as well, as on RHEL, where /etc/libvirt is for root alone.
image_platform() {
	if [ -n "$PLATFORM_DAEMONS" ]; then
		cp -a "$LAB_DAEMONS_BUILT/." "$1/" && chmod 700 "$1/etc/libvirt" &&
			in_tree "$1" systemctl --quiet mask libvirtd{,-ro,-admin,-tcp,-tls}.socket libvirtd.service &&
			in_tree "$1" systemctl --quiet enable "${LAB_DAEMONS[@]/%/.socket}" virtqemud.service || return 1
	fi
	[ -z "$PLATFORM_INIT" ] || { cp "$LAB_DIR/boot-by-systemd" "$1/root/" && in_tree "$1" /root/boot-by-systemd; }
}

# image_initrd TREE VERSION TARGET: busybox, the root disk's modules, /init.
image_initrd() {
	local tree=$1 version=$2 target=$3 dir=$3.d file
	mkdir -p "$dir"/{bin,dev,proc,root}
	cp "$tree/usr/bin/busybox" "$dir/bin/"
	for file in sh mount umount insmod usleep switch_root poweroff; do
		ln -s busybox "$dir/bin/$file"
	done
	cp "$LAB_DIR/host/initrd-init" "$dir/init"
	chroot "$tree" modprobe -S "$version" -a --show-depends "${LAB_ROOT_MODULES[@]}" |
		awk '$1 == "insmod" && !seen[$2]++ { print $2 }' |
		while read -r file; do
			case "$file" in
			*.xz) "$tree/usr/bin/busybox" xzcat "$tree$file" >"$dir/$(basename "$file" .xz)" ;;
			*) cp "$tree$file" "$dir/" ;;
			esac || exit 1
			basename "$file" .xz
		done >"$dir/modules" || return 1
	(cd "$dir" && find . | "$tree/usr/bin/busybox" cpio --quiet -o -H newc) >"$target" &&
		rm -rf "$dir"
}

# image_capabilities TREE: lets libvirt probe its QEMU now, natively, in a
# chroot; on a host under software emulation that takes 23 s of every boot.
# libvirt takes its cached answer if the change times (ctime) of its daemon and
# QEMU are the same, and mke2fs -d keeps these.
image_capabilities() {
	# shellcheck disable=SC2016 # the inner shell expands it
	unshare --mount --pid --net --fork --kill-child bash -c '
		cd "$1" && mount -t proc proc proc && mount -t tmpfs tmpfs run && mount -t tmpfs tmpfs dev &&
			mount -t tmpfs tmpfs var/log && mount -t tmpfs tmpfs tmp || exit 1
		for node in null:3 zero:5 random:8 urandom:9; do
			mknod -m 666 "dev/${node%:*}" c 1 "${node#*:}"
		done
		mkdir -p run/lock dev/shm var/log/libvirt
		chroot . "/usr/sbin/$2" --daemon && chroot . virsh -q -c qemu:///system capabilities >/dev/null
	' image_capabilities "$1" "$([ -n "$PLATFORM_DAEMONS" ] && echo virtqemud || echo libvirtd)" >&2 &&
		compgen -G "$1/var/cache/libvirt/qemu/capabilities/*.xml" >/dev/null
}
