/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * card.c: what each PF needs: P1, P3, P6, P7, L4, L6, L7, S1 to S4.
 */
#include <string.h>

#include "command/check/tables.h"
#include "card/vfio.h"
#include "policy/disturb.h"

/* Says that vferry leaves a spare PF alone. Return: whether it is one. */
static bool is_spare(const struct check_case *c, struct finding *f)
{
	if (!check_is_spare(c))
		return false;
	check_found(f, STATE_NONE, "this PF is not prepared; another one is");
	return true;
}

/* Says that a PF could not be read. Return: whether that is so. */
static bool is_unseen(const struct check_case *c, struct finding *f)
{
	if (c->pf->mode != ESWITCH_UNKNOWN && !*c->pf->trouble)
		return false;
	if (c->pf->mode != ESWITCH_UNKNOWN || c->view->facts.seen_by_root) {
		check_found(f, STATE_FAILURE, "%s", *c->pf->trouble ? c->pf->trouble : "the mode of its eswitch is not known to vferry");
		check_advise(f, "look for mlx5_core in the kernel's log: journalctl -k | grep mlx5");
	} else {
		check_found(f, STATE_UNKNOWN, "only root may read the eswitch");
	}
	return true;
}

/* The address of the PF under check. */
static const char *pf_name(const struct check_case *c, char out[PCI_ADDRESS_LEN])
{
	return pci_address_format(&c->pf->address, out);
}

/* The command that prepares the PF under check. */
static void mend_by_prepare(const struct check_case *c, struct finding *f)
{
	char address[PCI_ADDRESS_LEN];

	check_mend(f, "vferry prepare --pf %s --yes", pf_name(c, address));
}

/* P1: firmware that can migrate VFs. */
static void look_firmware(const struct check_case *c, struct finding *f)
{
	const char *now = c->pf->info.firmware;
	char address[PCI_ADDRESS_LEN], fine[64];

	if (!*now) {
		check_found(f, STATE_UNKNOWN, "devlink does not tell the firmware");
		return;
	}
	snprintf(fine, sizeof(fine), "%s runs", now);
	if (check_by_rule(c, "L6-old-firmware", fine, f) == VERDICT_PASS)
		return;
	check_advise(f, "take IMAGE for PSID %s from the card's maker", c->pf->info.psid);
	check_mend(f, "mstflint -d %s -i IMAGE burn && mstfwreset -y -d %s reset", pf_name(c, address), address);
}

/* P3: judged by devlink's capability, which is what counts; by mstconfig where that cannot tell. */
static void look_migration_mode(const struct check_case *c, struct finding *f)
{
	char address[PCI_ADDRESS_LEN];
	unsigned int ports = 0, able = 0;

	if (is_spare(c, f))
		return;
	for (unsigned int i = 0; i < c->pf->num_vfs; i++) {
		ports += c->pf->vf[i].has_port;
		able += c->pf->vf[i].has_port && c->pf->vf[i].port.can_migrate;
	}
	if (!ports && c->migration_mode && strstr(c->migration_mode, "ENABLED")) {
		check_found(f, STATE_OK, "mstconfig says %s", c->migration_mode);
		return;
	}
	if (!ports && !c->migration_mode) {
		check_found(f, STATE_UNKNOWN, "it shows when there are VFs in switchdev mode");
		check_advise(f, "to see it now: mstconfig -d %s query VF_MIGRATION_MODE", pf_name(c, address));
		return;
	}
	if (ports && able == ports) {
		check_found(f, STATE_OK, "devlink offers 'migratable' for %u of %u VFs", able, ports);
		return;
	}
	if (c->migration_mode && strstr(c->migration_mode, "ENABLED"))
		check_found(f, STATE_FAILURE, "devlink does not offer 'migratable' for %u of %u VFs although mstconfig says %s: "
			    "the firmware was not reset since, or firmware or kernel are too old", ports - able, ports, c->migration_mode);
	else if (c->migration_mode)
		check_found(f, STATE_FAILURE, "mstconfig says %s", c->migration_mode);
	else
		check_found(f, STATE_FAILURE,
			    "devlink does not offer 'migratable' for %u of %u VFs: the setting is off, or firmware or kernel "
			    "are too old", ports - able, ports);
	check_mend(f, "mstconfig -y -d %s set VF_MIGRATION_MODE=2 && mstfwreset -y -d %s reset", pf_name(c, address), address);
	check_advise(f, "the reset ends the network of this card for a moment; boot again where mstfwreset cannot");
}

/* P6: each VF alone in its group. */
static void look_acs(const struct check_case *c, struct finding *f)
{
	char list[256] = "", address[PCI_ADDRESS_LEN];
	unsigned int without = 0;

	for (unsigned int i = 0; i < c->pf->num_vfs; i++) {
		if (c->pf->vf[i].group_members > 1)
			check_list(list, sizeof(list), pci_address_format(&c->pf->vf[i].address, address));
		without += !c->pf->vf[i].group_members;
	}
	if (!c->pf->num_vfs) {
		check_found(f, STATE_NONE, "it has no VFs yet");
	} else if (*list) {
		check_found(f, STATE_FAILURE, "these VFs share an IOMMU group with other devices: %s", list);
		check_advise(f, "switch ACS on in the host's firmware, or put the card into a slot of another root port");
	} else if (without) {
		check_found(f, STATE_FAILURE, "%u of its VFs are in no IOMMU group", without);
		check_advise(f, "mend P5 first");
	} else {
		check_found(f, STATE_OK, "each of its %u VFs is alone in its IOMMU group", c->pf->num_vfs);
	}
}

/* P7: the PF's network device is up. */
static void look_uplink_up(const struct check_case *c, struct finding *f)
{
	char word[WORD];

	if (is_spare(c, f))
		return;
	if (!*c->pf->uplink) {
		check_found(f, STATE_FAILURE, "it has no network device");
		check_advise(f, "its driver must be mlx5_core and its link type Ethernet");
	} else if (!c->pf->uplink_up) {
		check_found(f, STATE_FAILURE, "%s is down", c->pf->uplink);
		check_mend(f, "ip link set dev %s up", reason_word(c->pf->uplink, word, sizeof(word)));
	} else {
		check_found(f, STATE_OK, "%s is up", c->pf->uplink);
	}
}

/* L4: slots. */
static void look_slots(const struct check_case *c, struct finding *f)
{
	struct placement placement = scene_placement(&c->view->scene);
	char fine[64];

	snprintf(fine, sizeof(fine), "%u of %u VFs are in live migration", placement_in_flight(&placement, c->pf), c->config->vfs_in_flight);
	if (check_by_rule(c, "L4-slots", fine, f) == VERDICT_WAIT)
		check_advise(f, "the next arrival waits until one has ended");
}

/* L6: firmware that waits for a reset would make the hosts differ later. */
static void look_stored_firmware(const struct check_case *c, struct finding *f)
{
	const struct devlink_info *info = &c->pf->info;
	char address[PCI_ADDRESS_LEN];

	if (!*info->firmware || !*info->firmware_stored) {
		check_found(f, STATE_UNKNOWN, "devlink does not tell the firmware");
	} else if (strcmp(info->firmware, info->firmware_stored) == 0) {
		check_found(f, STATE_OK, "running and stored firmware are the same, %s", info->firmware);
	} else {
		check_found(f, STATE_WARNING, "%s runs and %s is stored: the next reset changes it", info->firmware, info->firmware_stored);
		check_mend(f, "mstfwreset -y -d %s reset", pf_name(c, address));
		check_advise(f, "do it on all hosts alike; the reset ends the network of this card for a moment");
	}
}

/* Says that a card is left alone: another one is used, or this one is of no use. Return: whether that is so. */
static bool is_left_alone(const struct check_case *c, struct finding *f)
{
	const struct inventory *inventory = &c->view->scene.inventory;

	if (check_by_rule(c, "L7-card", "", f) == VERDICT_PASS)
		return false;
	for (size_t i = 0; i < inventory->pfs; i++) {
		if (guest_can_use_pf(c->config, &inventory->pf[i]))
			f->state = STATE_NONE;
	}
	return true;
}

/* L7: card, its driver, and the driver of its VFs. */
static void look_card(const struct check_case *c, struct finding *f)
{
	char address[PCI_ADDRESS_LEN], fine[128];

	if (is_left_alone(c, f))
		return;
	snprintf(fine, sizeof(fine), "%s, driven by mlx5_core; the kernel has mlx5_vfio_pci", c->pf->card.name);
	if (check_by_rule(c, "pf-driver", fine, f) != VERDICT_PASS) {
		check_mend(f, "modprobe mlx5_core && echo %s >/sys/bus/pci/drivers/mlx5_core/bind", pf_name(c, address));
		return;
	}
	if (check_by_rule(c, "L7-variant-driver", fine, f) == VERDICT_PASS)
		return;
	check_advise(f, "boot a kernel with CONFIG_MLX5_VFIO_PCI (this is %.64s); where the module is there and modules.alias old:",
		     c->view->facts.kernel);
	check_mend(f, "depmod -a");
}

/* S1: switchdev. */
static void look_eswitch(const struct check_case *c, struct finding *f)
{
	if (is_spare(c, f) || is_unseen(c, f))
		return;
	if (check_by_rule(c, "eswitch", "the eswitch is in switchdev mode", f) != VERDICT_PASS || c->pf->mode == ESWITCH_SWITCHDEV)
		return;
	check_found(f, STATE_WARNING, "the eswitch is in legacy mode; the hook switches it when a guest arrives");
	mend_by_prepare(c, f);
}

/* S2: VFs. */
static void look_vfs(const struct check_case *c, struct finding *f)
{
	char address[PCI_ADDRESS_LEN];

	if (is_spare(c, f))
		return;
	if (check_by_rule(c, "S2-sriov", "", f) != VERDICT_PASS) {
		check_mend(f, "mstconfig -y -d %s set SRIOV_EN=1 NUM_OF_VFS=8 && mstfwreset -y -d %s reset", pf_name(c, address), address);
	} else if (!c->pf->num_vfs) {
		check_found(f, STATE_WARNING, "it has none of %u VFs; the hook makes them when a guest arrives", c->pf->total_vfs);
		mend_by_prepare(c, f);
	} else {
		check_found(f, STATE_OK, "it has %u of %u VFs", c->pf->num_vfs, c->pf->total_vfs);
	}
}

/* Whether somebody uses a VF, so that vferry leaves it alone; text: receives the sentence, if not NULL. */
static bool is_used(const struct check_case *c, const struct inventory_vf *vf, char *text, size_t size)
{
	const struct use *by = NULL;
	enum use_grade grade = uses_grade(&c->view->uses, vf, NULL, &by);

	if (text && by)
		uses_say(by, text, size);
	return grade > GRADE_UP;
}

/* S3: no driver of the host holds a VF. Who uses one is named. */
static void look_unbound(const struct check_case *c, struct finding *f)
{
	char idle[256] = "", used[400] = "", address[PCI_ADDRESS_LEN], text[256], entry[300];

	for (unsigned int i = 0; i < c->pf->num_vfs; i++) {
		const struct inventory_vf *vf = &c->pf->vf[i];

		if (strcmp(vf->driver, "mlx5_core") != 0)
			continue;
		pci_address_format(&vf->address, address);
		*text = '\0';
		if (is_used(c, vf, text, sizeof(text))) {
			snprintf(entry, sizeof(entry), "%s (%s)", address, text);
			check_list(used, sizeof(used), entry);
		} else {
			check_list(idle, sizeof(idle), address);
		}
	}
	if (!c->pf->num_vfs) {
		check_found(f, STATE_NONE, "it has no VFs yet");
	} else if (*idle) {
		check_found(f, STATE_WARNING, "the host's driver holds VFs that nobody uses: %s", idle);
		mend_by_prepare(c, f);
	} else if (*used) {
		check_found(f, STATE_OK, "these VFs are in use, and vferry leaves them alone: %s", used);
	} else {
		check_found(f, STATE_OK, "no VF is held by the host's own driver");
	}
}

/* S4: every VF migratable; one that a guest has cannot be made so while the guest runs. */
static void look_migratable(const struct check_case *c, struct finding *f)
{
	char stuck[256] = "", address[PCI_ADDRESS_LEN];
	unsigned int ready = 0, ports = 0, missing = 0;

	for (unsigned int i = 0; i < c->pf->num_vfs; i++) {
		const struct inventory_vf *vf = &c->pf->vf[i];
		const struct status *status = status_find_device(&c->view->scene.running, &vf->address);

		if (!vf->has_port || !vf->port.can_migrate || (!status && is_used(c, vf, NULL, 0)))
			continue;
		ports++;
		ready += vf->port.migratable;
		missing += !vf->port.migratable && !status;
		if (!vf->port.migratable && status) {
			check_list(stuck, sizeof(stuck), status->name);
			check_list(stuck, sizeof(stuck), pci_address_format(&vf->address, address));
		}
	}
	if (!ports) {
		check_found(f, STATE_NONE, "no VF has a port that could be made migratable yet");
	} else if (*stuck) {
		check_found(f, STATE_FAILURE, "guests run with VFs that are not migratable: %s", stuck);
		check_advise(f, "such a guest cannot be moved while it runs: shut it down and start it again");
	} else if (missing) {
		check_found(f, STATE_WARNING, "%u of %u VFs are migratable", ready, ports);
		mend_by_prepare(c, f);
	} else {
		check_found(f, STATE_OK, "%u of %u VFs are migratable", ready, ports);
	}
}

/* L7: what VFIO itself says, where a VF is bound and free. */
static void look_vfio(const struct check_case *c, struct finding *f)
{
	const struct vfio_answer *vfio = c->vfio;
	char address[PCI_ADDRESS_LEN];

	pci_address_format(&vfio->vf, address);
	if (is_spare(c, f))
		return;
	if (!vfio->was_asked)
		check_found(f, STATE_NONE, "to ask VFIO for its migration feature, a free VF would have to be taken by mlx5_vfio_pci");
	else if (vfio->flags < 0)
		check_found(f, STATE_UNKNOWN, "VF %s could not be asked: %s", address, strerror(-vfio->flags));
	else if (!(vfio->flags & VFIO_STOP_COPY))
		check_found(f, STATE_FAILURE, "VF %s, held by mlx5_vfio_pci, offers no migration feature", address);
	else
		check_found(f, STATE_OK, "VF %s offers stop-copy%s%s", address, vfio->flags & VFIO_P2P ? ", P2P" : "",
			    vfio->flags & VFIO_PRE_COPY ? ", pre-copy" : "");
	if (f->state == STATE_FAILURE)
		check_advise(f, "it was not migratable when its driver took it: 'vferry prepare' after 'virsh nodedev-reattach'; else see P1 and P3");
}

const struct check_row check_rows_card[] = {
	{ "P1", "firmware", SCOPE_PF, "older firmware cannot move a VF", look_firmware },
	{ "P3", "VF_MIGRATION_MODE", SCOPE_PF, "only with it can a VF be made migratable", look_migration_mode },
	{ "P6", "ACS", SCOPE_PF, "a VF goes to a guest only with all of its IOMMU group", look_acs },
	{ "P7", "uplink up", SCOPE_PF, "libvirt refuses a VF whose PF is down", look_uplink_up },
	{ "L4", "slots", SCOPE_PF, "more VFs of one PF at a time are not supported", look_slots },
	{ "L6", "stored firmware", SCOPE_PF, "both hosts must run the same firmware", look_stored_firmware },
	{ "L7", "card and drivers", SCOPE_ANY_PF,
	  "only a ConnectX-7, or a BlueField-3 that is switched on, can move its VFs, by mlx5_vfio_pci", look_card },
	{ "L7", "VFIO", SCOPE_PF, "QEMU carries a VF by this feature of its driver", look_vfio },
	{ "S1", "switchdev", SCOPE_PF, "a VF has a representor, and can be made migratable, in switchdev mode only", look_eswitch },
	{ "S2", "VFs", SCOPE_PF, "guests need one each", look_vfs },
	{ "S3", "unbound VFs", SCOPE_PF, "a VF that the host's driver has initialised cannot be made migratable", look_unbound },
	{ "S4", "migratable", SCOPE_PF, "a VF that was not migratable when its driver took it cannot be moved", look_migratable },
	{ 0 },
};
