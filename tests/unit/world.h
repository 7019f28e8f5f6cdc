/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * world.h: a fake of hardware, of Open vSwitch, of libvirt's status files and of /run/vferry, in memory, with a scheduler: real functions of
 * hooks/ and engine/ run as actors that take turns at every place where they touch what they share, in any order that the explorer wants.
 *
 * A turn goes from one touch to the next. Each says which thing it touches and whether it changes it: two turns that do not meet are in no
 * order, so that one order of them stands for both (sleep sets; P. Godefroid, Partial-Order Methods, 1996).
 */
#ifndef VFERRY_TESTS_WORLD_H
#define VFERRY_TESTS_WORLD_H

#include "check.h"

#include <setjmp.h>
#include <ucontext.h>

#include "base/sysroot.h"
#include "engine/door.h"
#include "engine/hotplug.h"
#include "engine/ready.h"
#include "event.h"
#include "state/file.h"

#define WORLD_VFS 2
#define WORLD_GUESTS 3
#define WORLD_FILES 16
#define WORLD_ACTORS 4
#define WORLD_STACK (512u << 10)
#define WORLD_DEPTH 2000

/* What turns can touch. */
enum thing { THING_NONE, THING_STATUS, THING_VF, THING_LOCK = THING_VF + WORLD_VFS, THING_FILE = THING_LOCK + 16, THINGS = THING_FILE + WORLD_FILES };

struct touch {
	int thing;
	bool writes;
	int lock;     /* of a thing that must be free for it, -1: none */
};

struct world_vf {
	char driver[32];
	bool up, migratable;
	char rates[24];
	struct { bool is, ours; char guest[40], lease[20]; int tag; } port;
};

struct world_guest {
	bool runs;    /* libvirt has a status file */
	enum status_job job;
	unsigned int flags;
	int vf;       /* that it has, -1: none */
	bool cpu;     /* it has its processors: what it loses now, its user notices */
	int tag;      /* of its network, -1: none */
};

static struct world {
	struct world_vf vf[WORLD_VFS];
	struct world_guest guest[WORLD_GUESTS];
	struct { char path[96]; char *text; } file[WORLD_FILES];
	struct { char name[64]; int holder; int fd; } lock[16];
	int64_t now;
	char wrong[512]; /* the first thing that must not be */
} world;

/* What goes wrong once in a run: a program is killed before its touch number AT, or the card refuses its change number AT. */
static struct {
	enum { FAULT_NONE, FAULT_KILL, FAULT_REFUSAL } kind;
	int at, seen;
	bool armed, inside;  /* it is still to come; one of our programs runs */
	jmp_buf killed;      /* where its caller goes on */
} fault;

/* ---- The scheduler --------------------------------------------------------------------------------------------------------------- */

static struct actor {
	ucontext_t context;
	void (*run)(int number);
	int number;
	struct touch next;
	bool done;
	char *stack;
} actors[WORLD_ACTORS];
static size_t actor_count;
static int current = -1;
static ucontext_t explorer;

/* Says that something must not be; the first time counts. */
__attribute__((format(printf, 1, 2)))
static void wrong(const char *format, ...)
{
	va_list args;

	if (*world.wrong)
		return;
	va_start(args, format);
	vsnprintf(world.wrong, sizeof(world.wrong), format, args);
	va_end(args);
}

/* Lets others have their turn before something is touched. */
static void touch(int thing, bool writes, int lock)
{
	if (fault.armed && fault.inside && fault.kind == FAULT_KILL && ++fault.seen == fault.at)
		longjmp(fault.killed, 1);
	if (current < 0)
		return;
	actors[current].next = (struct touch){ thing, writes, lock };
	swapcontext(&actors[current].context, &explorer);
}

/* ---- Guests ---------------------------------------------------------------------------------------------------------------------- */

static const char *world_uuid(int guest)
{
	static char text[WORLD_GUESTS][64];

	snprintf(text[guest], sizeof(text[guest]), "9e0c7f57-b8d6-4b29-8c3e-00000000000%d", guest + 1);
	return text[guest];
}

static struct pci_address world_address(int vf)
{
	return (struct pci_address){ .bus = 0x81, .function = (uint8_t)(vf + 2) };
}

/* The XML of a guest with a VF (-1: none) of its own MAC. Returns a text that the next call replaces. */
static const char *world_xml(int guest, int vf)
{
	static char text[2048];
	char device[400] = "", tag[32] = "";

	if (world.guest[guest].tag >= 0)
		snprintf(tag, sizeof(tag), " tag='%d'", world.guest[guest].tag);
	if (vf >= 0)
		snprintf(device, sizeof(device), "<interface type='hostdev' managed='yes'><mac address='52:54:00:12:34:0%d'/><source><address type='pci' "
			 "domain='0x0000' bus='0x81' slot='0x00' function='0x%d'/></source></interface>", guest, vf + 2);
	snprintf(text, sizeof(text), "<domain type='kvm'><name>guest%d</name><uuid>%s</uuid><metadata><vf:passport xmlns:vf='urn:vferry:passport:1' "
		 "version='1'><vf:vf mac='52:54:00:12:34:0%d' pf='0000:81:00.0' psid='MT_0000000834' firmware='28.43.1014' bridge='br0'%s/>"
		 "</vf:passport></metadata><devices>%s</devices></domain>", guest, world_uuid(guest), guest, tag, device);
	return text;
}

/* The guest that libvirt shows with a VF, -1. */
static int world_holder(int vf)
{
	for (int i = 0; i < WORLD_GUESTS; i++)
		if (world.guest[i].runs && world.guest[i].vf == vf)
			return i;
	return -1;
}

/* ---- Fakes: status files --------------------------------------------------------------------------------------------------------- */

static void fill_status(int guest, struct status *out)
{
	const struct world_guest *g = &world.guest[guest];

	*out = (struct status){ .job = g->job, .flags = g->flags };
	snprintf(out->uuid, sizeof(out->uuid), "%s", world_uuid(guest));
	snprintf(out->name, sizeof(out->name), "guest%d", guest);
	snprintf(out->state, sizeof(out->state), g->cpu ? "running" : "paused");
	snprintf(out->state_reason, sizeof(out->state_reason), g->cpu ? "booted" : "migration");
	if (g->vf < 0)
		return;
	out->device = calloc(1, sizeof(*out->device));
	out->device[0] = world_address(g->vf);
	out->devices = 1;
}

static int read_statuses(struct status_list *list)
{
	touch(THING_STATUS, false, -1);
	*list = (struct status_list){ .status = calloc(WORLD_GUESTS, sizeof(*list->status)) };
	for (int i = 0; i < WORLD_GUESTS; i++)
		if (world.guest[i].runs)
			fill_status(i, &list->status[list->count++]);
	return 0;
}

int __wrap_status_read_all(struct status_list *list, struct reason *why);
int __wrap_status_read_all(struct status_list *list, struct reason *why)
{
	(void)why;
	return read_statuses(list);
}

int __wrap_status_read_new(struct status_cache *cache, struct status_list *list, struct reason *why);
int __wrap_status_read_new(struct status_cache *cache, struct status_list *list, struct reason *why)
{
	(void)cache;
	(void)why;
	return read_statuses(list);
}

int __wrap_status_read(const char *uuid, struct status *status, struct reason *why);
int __wrap_status_read(const char *uuid, struct status *status, struct reason *why)
{
	(void)why;
	touch(THING_STATUS, false, -1);
	for (int i = 0; i < WORLD_GUESTS; i++) {
		if (!world.guest[i].runs || strcmp(world_uuid(i), uuid) != 0)
			continue;
		fill_status(i, status);
		return 0;
	}
	return -ENOENT;
}

/* What reconcile.c reads of a guest whose VF it adopts. */
ssize_t __real_sysroot_slurp(char **text, size_t max, const char *format, ...);
ssize_t __wrap_sysroot_slurp(char **text, size_t max, const char *format, ...);
ssize_t __wrap_sysroot_slurp(char **text, size_t max, const char *format, ...)
{
	char path[256];
	va_list args;
	int guest;

	va_start(args, format);
	vsnprintf(path, sizeof(path), format, args);
	va_end(args);
	if (sscanf(path, "/run/libvirt/qemu/guest%d.xml", &guest) != 1)
		return __real_sysroot_slurp(text, max, "%s", path);
	touch(THING_STATUS, false, -1);
	if (!world.guest[guest].runs)
		return -ENOENT;
	*text = strdup(world_xml(guest, world.guest[guest].vf));
	return (ssize_t)strlen(*text);
}

/* ---- Fakes: files and locks ------------------------------------------------------------------------------------------------------- */

static int file_place(const char *path, bool make)
{
	int empty = -1;

	for (int i = 0; i < WORLD_FILES; i++) {
		if (strcmp(world.file[i].path, path) == 0)
			return i;
		if (empty < 0 && !*world.file[i].path)
			empty = i;
	}
	if (!make)
		return -1;
	if (empty < 0)
		abort();
	snprintf(world.file[empty].path, sizeof(world.file[empty].path), "%s", path);
	return empty;
}

int __wrap_file_read(const char *path, struct json_object **json, struct reason *why);
int __wrap_file_read(const char *path, struct json_object **json, struct reason *why)
{
	int place = file_place(path, true);

	(void)why;
	touch(THING_FILE + place, false, -1);
	if (!world.file[place].text)
		return -ENOENT;
	*json = json_tokener_parse(world.file[place].text);
	return 0;
}

int __wrap_file_write(const char *path, struct json_object *json, struct reason *why);
int __wrap_file_write(const char *path, struct json_object *json, struct reason *why)
{
	int place = file_place(path, true);
	char *text = strdup(json_object_to_json_string(json));

	(void)why;
	touch(THING_FILE + place, true, -1);
	free(world.file[place].text);
	world.file[place].text = text;
	return 0;
}

int __wrap_file_remove(const char *path, struct reason *why);
int __wrap_file_remove(const char *path, struct reason *why)
{
	int place = file_place(path, true);

	(void)why;
	touch(THING_FILE + place, true, -1);
	free(world.file[place].text);
	world.file[place].text = NULL;
	return 0;
}

int __wrap_file_each(const char *directory, int (*each)(const char *name, void *arg, struct reason *why), void *arg, struct reason *why);
int __wrap_file_each(const char *directory, int (*each)(const char *name, void *arg, struct reason *why), void *arg, struct reason *why)
{
	int result = 0;

	for (int i = 0; i < WORLD_FILES && !result; i++) {
		const char *slash = strrchr(world.file[i].path, '/');
		char name[64];

		if (!slash || strncmp(world.file[i].path, directory, (size_t)(slash - world.file[i].path)) != 0 ||
		    strlen(directory) != (size_t)(slash - world.file[i].path) || !world.file[i].text)
			continue;
		snprintf(name, sizeof(name), "%.*s", (int)strlen(slash + 1) - 5, slash + 1);
		result = each(name, arg, why);
	}
	return result;
}

bool __real_sysroot_exists(const char *format, ...);
bool __wrap_sysroot_exists(const char *format, ...);
bool __wrap_sysroot_exists(const char *format, ...)
{
	char path[256];
	va_list args;
	int place;

	va_start(args, format);
	vsnprintf(path, sizeof(path), format, args);
	va_end(args);
	if (strncmp(path, "/run/vferry/", 12) != 0)
		return strncmp(path, "/sys/bus/pci/devices/", 21) == 0;
	place = file_place(path, true);
	touch(THING_FILE + place, false, -1);
	return world.file[place].text != NULL;
}

static int lock_place(const char *name)
{
	for (int i = 0; i < 16; i++) {
		if (!*world.lock[i].name)
			snprintf(world.lock[i].name, sizeof(world.lock[i].name), "%s", name);
		if (strcmp(world.lock[i].name, name) == 0)
			return i;
	}
	abort();
}

/* Takes a lock; one that is not to be waited for is tried. */
static int world_lock(const char *name, bool waits)
{
	int place = lock_place(name);

	if (waits && strcmp(name, "host") != 0 && strcmp(name, "door") != 0 && world.lock[lock_place("host")].holder == current + 2)
		wrong("the lock %s is waited for with the host-wide lock held", name);
	touch(THING_LOCK + place, true, waits ? place : -1);
	if (world.lock[place].holder)
		return -ETIME;
	world.lock[place].holder = current + 2;
	world.lock[place].fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	return world.lock[place].fd;
}

int __wrap_record_lock(const struct pci_address *pf, deadline_t deadline, struct reason *why);
int __wrap_record_lock(const struct pci_address *pf, deadline_t deadline, struct reason *why)
{
	(void)why;
	return world_lock(pf ? "pf" : "host", deadline_left(deadline) > 0);
}

int __wrap_record_lock_object(const struct object *object, deadline_t deadline, struct reason *why);
int __wrap_record_lock_object(const struct object *object, deadline_t deadline, struct reason *why)
{
	char name[16];

	(void)why;
	snprintf(name, sizeof(name), "vf%d", object->has_vf ? object->vf.function - 2 : 9);
	return world_lock(name, deadline_left(deadline) > 0);
}

/* What the kernel does when a program dies: its locks are free. */
static void world_free_locks(void)
{
	for (int i = 0; i < 16; i++)
		world.lock[i].holder = world.lock[i].holder == current + 2 ? 0 : world.lock[i].holder;
}

int __real_close(int fd);
int __wrap_close(int fd);
int __wrap_close(int fd)
{
	for (int i = 0; i < 16; i++) {
		if (!world.lock[i].holder || world.lock[i].fd != fd)
			continue;
		touch(THING_LOCK + i, true, -1);
		world.lock[i].holder = 0;
	}
	return __real_close(fd);
}

/* The line of arrivals: one at a time. */
int __wrap_queue_door(deadline_t deadline, struct reason *why);
int __wrap_queue_door(deadline_t deadline, struct reason *why)
{
	(void)why;
	return world_lock("door", deadline_left(deadline) > 0);
}

bool __wrap_queue_is_first(const void *ticket);
bool __wrap_queue_is_first(const void *ticket)
{
	(void)ticket;
	return true;
}

int __wrap_queue_enter(const char *uuid, const char *guest, unsigned int max, int *ticket, struct reason *why);
int __wrap_queue_enter(const char *uuid, const char *guest, unsigned int max, int *ticket, struct reason *why)
{
	(void)uuid, (void)guest, (void)max, (void)why;
	*ticket = 1;
	return 0;
}

void __wrap_queue_leave(int *ticket);
void __wrap_queue_leave(int *ticket)
{
	*ticket = 0;
}

int __wrap_state_upgrade(struct reason *why);
int __wrap_state_upgrade(struct reason *why)
{
	(void)why;
	return 0;
}

void __wrap_record_sweep(void);
void __wrap_record_sweep(void)
{
}

int64_t __real_clock_ms(void);
int64_t __wrap_clock_ms(void);
int64_t __wrap_clock_ms(void)
{
	return world.now;
}

void __wrap_log_line(int priority, const char *format, ...);
void __wrap_log_line(int priority, const char *format, ...)
{
	va_list args;

	(void)priority;
	if (!getenv("EXPLORE_LOG"))
		return;
	va_start(args, format);
	fprintf(stderr, "[%d] ", current);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
}

/* ---- Fakes: the card and Open vSwitch ---------------------------------------------------------------------------------------------- */

static void fill_switch(struct ovs_state *state)
{
	*state = (struct ovs_state){ .bridge = calloc(1, sizeof(*state->bridge)), .bridges = 1, .port = calloc(WORLD_VFS + 1, sizeof(*state->port)),
				     .hw_offload = true, .max_idle = 300000 };
	snprintf(state->bridge[0].name, sizeof(state->bridge[0].name), "br0");
	state->port[state->ports++] = (struct ovs_port){ .name = "p0", .bridge = "br0", .ofport = 1, .tag = -1 };
	for (int i = 0; i < WORLD_VFS; i++) {
		struct ovs_port *port = &state->port[state->ports];
		char address[PCI_ADDRESS_LEN];
		struct pci_address vf = world_address(i);

		if (!world.vf[i].port.is)
			continue;
		*port = (struct ovs_port){ .bridge = "br0", .ofport = i + 2, .ours = world.vf[i].port.ours, .tag = world.vf[i].port.tag };
		snprintf(port->name, sizeof(port->name), "rep%d", i);
		snprintf(port->guest, sizeof(port->guest), "%s", world.vf[i].port.guest);
		snprintf(port->lease, sizeof(port->lease), "%s", world.vf[i].port.lease);
		snprintf(port->vf, sizeof(port->vf), "%s", port->ours ? pci_address_format(&vf, address) : "");
		port->settings.has_tag = port->tag >= 0;
		port->settings.tag = (uint16_t)(port->tag >= 0 ? port->tag : 0);
		state->ports++;
	}
}

int __wrap_inventory_read_few(struct inventory *inventory, const char *socket, deadline_t deadline, struct reason *why);
int __wrap_inventory_read_few(struct inventory *inventory, const char *socket, deadline_t deadline, struct reason *why)
{
	struct inventory_pf *pf = &inventory->pf[0];

	(void)socket, (void)deadline, (void)why;
	memset(inventory, 0, sizeof(*inventory));
	inventory->pfs = 1;
	inventory->has_ovs = inventory->has_variant_driver = inventory->has_iommu = true;
	*pf = (struct inventory_pf){ .address = { .bus = 0x81 }, .card = *card_find(0x15b3, 0x1021), .mode = ESWITCH_SWITCHDEV, .total_vfs = WORLD_VFS,
				     .num_vfs = WORLD_VFS, .offset = 2, .stride = 1, .numa_node = -1, .uplink = "p0", .uplink_up = true,
				     .uplink_bridge = "br0", .driver = "mlx5_core" };
	snprintf(pf->info.psid, sizeof(pf->info.psid), "MT_0000000834");
	snprintf(pf->info.firmware, sizeof(pf->info.firmware), "28.43.1014");
	snprintf(inventory->hostname, sizeof(inventory->hostname), "here");
	pf->vf = calloc(WORLD_VFS, sizeof(*pf->vf));
	for (int i = 0; i < WORLD_VFS; i++) {
		struct inventory_vf *vf = &pf->vf[i];

		touch(THING_VF + i, false, -1);
		*vf = (struct inventory_vf){ .address = world_address(i), .index = (unsigned int)i, .has_port = true, .group_members = 1,
					     .representor_up = world.vf[i].up };
		vf->port.ifindex = (uint32_t)(100 + i);
		vf->port.can_migrate = true;
		vf->port.migratable = world.vf[i].migratable;
		snprintf(vf->port.netdev, sizeof(vf->port.netdev), "rep%d", i);
		snprintf(vf->driver, sizeof(vf->driver), "%s", world.vf[i].driver);
		if (world.vf[i].port.is)
			snprintf(vf->bridge, sizeof(vf->bridge), "br0");
		vf->bridge_ours = world.vf[i].port.ours;
	}
	fill_switch(&inventory->ovs);
	return 0;
}

int __wrap_inventory_read_functions(struct inventory *inventory, struct reason *why);
int __wrap_inventory_read_functions(struct inventory *inventory, struct reason *why)
{
	return __wrap_inventory_read_few(inventory, NULL, 0, why);
}

int __wrap_ovs_open(struct ovs **ovs, const char *socket, deadline_t deadline, struct reason *why);
int __wrap_ovs_open(struct ovs **ovs, const char *socket, deadline_t deadline, struct reason *why)
{
	(void)socket, (void)deadline, (void)why;
	*ovs = NULL;
	return 0;
}

int __wrap_ovs_read(struct ovs *ovs, struct ovs_state *state, deadline_t deadline, struct reason *why);
int __wrap_ovs_read(struct ovs *ovs, struct ovs_state *state, deadline_t deadline, struct reason *why)
{
	(void)ovs, (void)deadline, (void)why;
	for (int i = 0; i < WORLD_VFS; i++)
		touch(THING_VF + i, false, -1);
	fill_switch(state);
	return 0;
}

int __wrap_pci_driver(const struct pci_address *device, char *name, size_t size);
int __wrap_pci_driver(const struct pci_address *device, char *name, size_t size)
{
	touch(THING_VF + device->function - 2, false, -1);
	snprintf(name, size, "%s", world.vf[device->function - 2].driver);
	return 0;
}

int __wrap_pci_refuse_open(const struct pci_address *device, struct reason *why);
int __wrap_pci_refuse_open(const struct pci_address *device, struct reason *why)
{
	return world_holder(device->function - 2) < 0 ? 0 : reason_set(why, -EBUSY, "vf", "a process has it open");
}

/* Whether a step is as wanted; fills what is there. */
static int look(struct step *step, struct context *context, struct reason *why)
{
	int number = step->vf.function - 2;
	const struct world_vf *vf = &world.vf[number];

	(void)context, (void)why;
	touch(THING_VF + number, false, -1);
	switch (step->kind) {
	case STEP_UNBIND:
		snprintf(step->before_text, sizeof(step->before_text), "%s", vf->driver);
		return !*vf->driver || (*step->text && strcmp(step->text, vf->driver) != 0);
	case STEP_RATES:
		snprintf(step->before_text, sizeof(step->before_text), "%s", vf->rates);
		return strcmp(vf->rates, step->text) == 0;
	case STEP_MIGRATABLE:
		step->before = vf->migratable;
		return step->before == step->number;
	case STEP_REPRESENTOR_UP:
		step->before = vf->up;
		return step->before == step->number;
	case STEP_PORT:
		step->before = vf->port.is;
		if (!step->number)
			return !(vf->port.is && vf->port.ours);
		snprintf(step->name, sizeof(step->name), "rep%d", number);
		return vf->port.is && vf->port.ours && strcmp(vf->port.lease, step->lease) == 0;
	default:
		return 1;
	}
}

/* Makes a step, and demands that nobody who runs with the VF loses anything by it. */
static int apply(const struct step *step, struct context *context, struct reason *why)
{
	int number = step->vf.function - 2, holder;
	struct world_vf *vf = &world.vf[number];
	char text[200];

	(void)context;
	touch(THING_VF + number, true, -1);
	if (fault.armed && fault.inside && fault.kind == FAULT_REFUSAL && ++fault.seen == fault.at)
		return reason_set(why, -EIO, "vf", "the card refuses it, once");
	holder = world_holder(number);
	if (holder >= 0 && world.guest[holder].cpu && strcmp(step->guest, world_uuid(holder)) != 0)
		wrong("%s: done for guest %.36s under guest%d, which runs", step_describe(step, text, sizeof(text)), step->guest, holder);
	if (holder >= 0 && world.guest[holder].cpu && (step->kind == STEP_UNBIND || ((step->kind == STEP_REPRESENTOR_UP || step->kind == STEP_PORT) && !step->number)))
		wrong("%s: guest%d runs with the VF", step_describe(step, text, sizeof(text)), holder);
	switch (step->kind) {
	case STEP_UNBIND:
		*vf->driver = '\0';
		break;
	case STEP_RATES:
		snprintf(vf->rates, sizeof(vf->rates), "%.20s", step->text);
		break;
	case STEP_MIGRATABLE:
		vf->migratable = step->number;
		break;
	case STEP_REPRESENTOR_UP:
		vf->up = step->number;
		break;
	case STEP_PORT:
		vf->port.is = vf->port.ours = step->number;
		snprintf(vf->port.guest, sizeof(vf->port.guest), "%s", step->guest);
		snprintf(vf->port.lease, sizeof(vf->port.lease), "%s", step->lease);
		vf->port.tag = step->port.has_tag ? step->port.tag : -1;
		break;
	default:
		break;
	}
	return 0;
}

const struct operation *__wrap_operation_of(enum step_kind kind);
const struct operation *__wrap_operation_of(enum step_kind kind)
{
	static const struct operation operation = { look, apply };

	(void)kind;
	return &operation;
}

/* ---- One run --------------------------------------------------------------------------------------------------------------------- */

static void start(unsigned int number)
{
	actors[number].run(actors[number].number);
	actors[number].done = true;
	swapcontext(&actors[number].context, &explorer);
}

/* The world as it boots: two VFs that were never used, no guest. */
static void world_reset(void)
{
	for (int i = 0; i < WORLD_FILES; i++)
		free(world.file[i].text);
	memset(&world, 0, sizeof(world));
	world.now = 1000000;
	for (int i = 0; i < WORLD_VFS; i++)
		snprintf(world.vf[i].rates, sizeof(world.vf[i].rates), "0-0");
	for (int i = 0; i < WORLD_GUESTS; i++)
		world.guest[i] = (struct world_guest){ .vf = -1, .tag = 40 + i };
	actor_count = 0;
	current = -1;
}

static void world_actor(void (*run)(int number), int number)
{
	struct actor *actor = &actors[actor_count];

	if (!actor->stack)
		actor->stack = malloc(WORLD_STACK);
	actor->run = run;
	actor->number = number;
	actor->done = false;
	actor->next = (struct touch){ THING_NONE, false, -1 };
	getcontext(&actor->context);
	actor->context.uc_stack.ss_sp = actor->stack;
	actor->context.uc_stack.ss_size = WORLD_STACK;
	actor->context.uc_link = NULL;
	makecontext(&actor->context, (void (*)(void))start, 1, (unsigned int)actor_count);
	actor_count++;
}

static bool is_enabled(size_t i)
{
	return !actors[i].done && (actors[i].next.lock < 0 || !world.lock[actors[i].next.lock].holder);
}

static bool is_independent(const struct touch *a, const struct touch *b)
{
	return a->thing == THING_NONE || b->thing == THING_NONE || a->thing != b->thing || (!a->writes && !b->writes);
}

/* ---- All orders -------------------------------------------------------------------------------------------------------------------- */

struct choice {
	int chosen;
	unsigned int enabled;
	unsigned int sleep; /* actors whose turn now would only be another order of the same */
};
static struct choice path[WORLD_DEPTH];

/* Runs once along the path, and on as it comes. depth: of the path that is fixed. Return: length of the whole path. */
static int run_once(int fixed, void (*prepare)(void), bool random)
{
	int depth = 0;
	unsigned int sleep = 0;

	world_reset();
	prepare();
	for (;;) {
		unsigned int next_sleep = 0;
		int chosen = -1;
		struct touch op;

		if (depth < fixed) {
			chosen = path[depth].chosen;
			sleep = path[depth].sleep;
		} else {
			unsigned int enabled = 0, any = 0;

			for (size_t i = 0; i < actor_count; i++) {
				any += !actors[i].done;
				enabled |= is_enabled(i) ? 1u << i : 0;
			}
			if (!any)
				return depth;
			if (!enabled) {
				wrong("all wait for each other");
				return depth;
			}
			for (size_t i = 0; i < actor_count; i++) {
				size_t k = random ? ((size_t)rand() + i) % actor_count : i;

				if (is_enabled(k) && (random || !(sleep & (1u << k)))) {
					chosen = (int)k;
					break;
				}
			}
			if (chosen < 0) { /* every order from here has been seen; to its end, without looking on */
				for (size_t i = 0; i < actor_count && chosen < 0; i++)
					chosen = is_enabled(i) ? (int)i : -1;
				sleep = ~0u;
			}
			if (depth == WORLD_DEPTH)
				abort();
			path[depth] = (struct choice){ chosen, enabled, sleep };
		}
		op = actors[chosen].next;
		if (!is_enabled((size_t)chosen))
			abort(); /* the same turns must lead to the same place */
		for (size_t i = 0; i < actor_count; i++)
			if ((sleep & (1u << i)) && is_independent(&actors[i].next, &op))
				next_sleep |= 1u << i;
		if (sleep == ~0u)
			next_sleep = ~0u;
		current = chosen;
		swapcontext(&explorer, &actors[chosen].context);
		current = -1;
		sleep = next_sleep;
		depth++;
	}
}

/* The next path: the deepest turn at which another actor has not been tried. enabled is found by running. Return: its fixed length, 0: no more. */
static int next_path(int depth)
{
	while (depth-- > 0) {
		unsigned int tried = path[depth].sleep | (1u << path[depth].chosen);

		if (path[depth].sleep == ~0u)
			continue;
		for (size_t i = 0; i < actor_count; i++) {
			if ((tried & (1u << i)) || !(path[depth].enabled & (1u << i)))
				continue;
			path[depth].sleep |= 1u << path[depth].chosen;
			path[depth].chosen = (int)i;
			return depth + 1;
		}
	}
	return 0;
}

#endif
