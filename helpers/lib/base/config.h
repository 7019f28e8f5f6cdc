/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * config.h: /etc/vferry/vferry.conf. Every key has a default; an empty or absent file is a working configuration.
 */
#ifndef VFERRY_BASE_CONFIG_H
#define VFERRY_BASE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "reason.h"
#include "base/vlan_set.h"

#define CONFIG_FILE "/vferry/vferry.conf" /* below SYSCONFDIR */
#define CONFIG_NAME_MAX 64
#define CONFIG_DOWNTIME_AUTO 0u /* max_downtime: by the number of VFs and what was seen */
#define CONFIG_DOWNTIME_OFF 1u  /* left as it is */
#define CONFIG_DOWNTIME_AT_LEAST 0x80000000u /* or-ed to a number of ms: never less than that */

enum without_passport { WITHOUT_SAME_ADDRESS, WITHOUT_ANY, WITHOUT_REFUSE, WITHOUT_IGNORE };
enum cards { CARDS_CONNECTX_7, CARDS_BLUEFIELD_3, CARDS_ALL };
enum uplink { UPLINK_PLUG, UPLINK_PRESENT, UPLINK_IGNORE };
enum placing { PLACING_CHOOSE, PLACING_AS_NAMED };
enum severity { SEVERITY_ALLOW, SEVERITY_WARN, SEVERITY_REFUSE };

struct config {
	/* [host] */
	char pf[CONFIG_NAME_MAX];         /* PF to use, PCI address or netdev name; empty: any that fits */
	enum cards cards;                 /* kinds of cards to use where pf names none */
	unsigned int vfs;                 /* VFs to create on a PF that has none; 0: as many as the card offers */
	char bridge[CONFIG_NAME_MAX];     /* Open vSwitch bridge for guests whose passport names none */
	bool create_bridge;               /* make the bridge when it does not exist */
	enum uplink uplink;               /* whose business it is that the bridge reaches the network */
	bool plug_uplink;                 /* false: UPLINK_PRESENT where uplink says UPLINK_PLUG */
	char ovsdb_socket[108];           /* of ovsdb-server */
	bool ovs_offload;                 /* set hw-offload and max-idle where no other bridge depends on them */
	unsigned int max_idle;            /* ms, Open vSwitch other_config:max-idle */

	/* [guest] */
	enum without_passport without_passport;
	enum severity unknown_source;     /* no passport: PSID and firmware of the source are unknown */
	enum placing placement;           /* which VF an arriving guest gets */
	enum severity at_start;           /* an ordinary start of a guest that could not be migrated later */

	/* [peer]: what all hosts have that guests without a passport come from. A hook is not told which host that is. */
	char peer_psid[32];               /* empty: not known */
	char peer_firmware[24];           /* running; empty: not known */

	/* [trust]: what a passport may ask for */
	char trust_bridges[256];          /* names, or "any" */
	struct vlan_set trust_vlans;
	bool trust_trunks;                /* ports that carry several VLANs */
	bool trust_iface_id;
	bool trust_qos;

	/* [limits] */
	unsigned int vfs_in_flight;       /* VFs of one PF in live migration at the same time */
	char firmware_refuse_below[24];
	char firmware_warn_below[24];

	/* [agent] */
	char metrics_directory[128];      /* of the node exporter's text file collector; empty: no figures */
	unsigned int max_downtime;        /* ms, or CONFIG_DOWNTIME_… */

	/* [hook] */
	unsigned int hook_deadline;       /* s, for one call, the wait for others not counted */
	unsigned int slot_wait;           /* s, for a slot */
	unsigned int slot_queue;          /* arrivals that may wait for a slot */
	unsigned int patience;            /* s that whoever moves guests waits for a migration; 0: longer than slot_wait */
	unsigned int lease_time;          /* s, that a lease waits for its guest to appear in libvirt's status directory */
};

/* One key of the file: all there is to know about it, for the reader, the sample file's test, the man page's test and error texts. */
struct config_key {
	const char *section;
	const char *name;
	const char *value; /* the default, as written in the file */
	const char *help;  /* one sentence */

	/* The reader's part. */
	int (*set)(const struct config_key *key, const char *value, struct config *config); /* 0, or -EINVAL */
	size_t offset;              /* of the member in struct config */
	size_t size;                /* of that member, in bytes */
	unsigned int min, max;      /* of a number, or of the length of a text */
	const char *const *choices; /* of a choice, in the order of its enum, ended by NULL */
	const char *allowed;        /* of a text: in words */
};

/* The table of all keys, ended by a NULL section. */
const struct config_key *config_keys(void);

/* Fills *config with the defaults. */
void config_defaults(struct config *config);

/*
 * Reads a file (path is put behind the sysroot; NULL is SYSCONFDIR CONFIG_FILE, a compile-time choice) over the defaults. An absent file
 * is no error; an unknown key, a key given twice, a value out of range or a line that does not parse is -EINVAL with file, line, key and
 * what is allowed in *why. On failure *config is untouched.
 */
int config_read(const char *path, struct config *config, struct reason *why);

#endif
