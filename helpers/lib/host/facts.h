/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * facts.h: what a host is made of beside the card: kernel, processor, QEMU, libvirt, tools, and who listens. For people and the checker;
 * the hook needs none of it.
 */
#ifndef VFERRY_HOST_FACTS_H
#define VFERRY_HOST_FACTS_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/clock.h"
#include "base/reason.h"
#include "host/inventory.h"

/* Opens QEMU's ports where firewalld rules, now and after a restart. */
#define FACTS_FIREWALLD_MEND "firewall-cmd --permanent --add-port=49152-49215/tcp && firewall-cmd --reload"
#define FACTS_LIBVIRT_TLS 16514 /* libvirt's defaults (src/remote/libvirtd.conf.in: tls_port, tcp_port) */
#define FACTS_LIBVIRT_TCP 16509

struct facts {
	char kernel[128];        /* release of the running kernel */
	char architecture[32];   /* "x86_64", "aarch64" */
	char system[96];         /* PRETTY_NAME of os-release */
	char cpu_vendor[32];     /* vendor_id of /proc/cpuinfo; "" where the architecture has none */
	char cpu_model[96];
	char iommu_arguments[192]; /* the kernel arguments that speak of an IOMMU */
	char qemu[32];           /* version, "" unknown or not installed */
	char libvirt[32];
	char installer[32];      /* what installs packages: "apt-get install", "dnf install", "" unknown */
	char ovs_start[96];      /* the command that starts Open vSwitch on this system */
	char ovs_restart[96];
	char firewall[192];      /* what was seen of one that may keep migrations out, "" nothing */
	char firewall_mend[160]; /* the command that lets them in */
	char managers[256];      /* network managers that have VFs or representors, "" none: "NetworkManager has rep0r0, …" */
	char hook_label[64];     /* the SELinux type of the hook that libvirt calls, "" without SELinux or if it cannot be seen */
	char worker_label[64];
	char selinux_lacks[64];  /* the first type of vferry's module that SELinux's policy in force does not know, "" none or unknown */
	bool has_systemd;        /* it runs */
	bool is_modular;         /* libvirt's daemons are modular (virtqemud), not one libvirtd */
	bool has_kvm;            /* /dev/kvm */
	bool has_mstconfig;
	bool has_mstflint;
	bool has_openvswitch;    /* installed */
	bool has_hook;           /* libvirt will find vferry's hook */
	bool is_hook_hidden;     /* whether there is one cannot be told: the folder is closed to whoever looks */
	bool has_worker;         /* and the hook its worker */
	bool is_hook_newer;      /* than libvirt's daemon, which knows nothing of it then unless it was reloaded since */
	bool has_boot_services;  /* systemd starts vferry-card and vferry-host at boot */
	bool has_selinux;        /* it is on */
	bool selinux_enforces;   /* and it denies */
	bool listens_ssh;        /* TCP port 22 */
	bool listens_tls;
	bool listens_tcp;
	bool listens_libvirt;    /* the local socket of libvirt's QEMU driver, which a connection over ssh ends at */
	unsigned int libvirt_workers; /* threads of libvirt's daemon for QEMU that serve calls; 0: it does not run, or unknown */
	unsigned int memory;     /* MiB that the host has; 0 unknown */
	unsigned int memory_available; /* MiB that programs can still get without swapping */
	bool seen_by_root;       /* what only root may see was seen */
};

/* Reads the processor's architecture, "x86_64"; "" if nobody tells. */
void facts_read_architecture(char *out, size_t size);

/* Reads the machine; changes nothing. What cannot be read stays empty or false. */
void facts_read(struct facts *facts, deadline_t deadline);

/* A part of it: the versions of QEMU and libvirt; architecture and is_modular are set. */
void facts_read_versions(struct facts *facts, deadline_t deadline);

/*
 * Another part, for root: firewall and firewall_mend, by the rules of the packet filter; both are empty. See facts_firewall.c.
 * Return: whether the rules could be read.
 */
bool facts_read_packet_filter(struct facts *facts, deadline_t deadline);

/* Another: managers, of the VFs and representors of a host. Reads files alone. */
void facts_read_managers(const struct inventory *inventory, struct facts *facts);

/* JSON with stable keys, and back: an absent key leaves the member zero. Return: 0, -EINVAL with *why. */
struct json_object *facts_to_json(const struct facts *facts);
int facts_from_json(struct json_object *json, struct facts *facts, struct reason *why);

#endif
