/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * hardware.c: what a guest is made of beside its VFs.
 */
#include "domain/hardware.h"

#include <stdlib.h>
#include <string.h>

#include "domain/xml.h"

/* The units of <memory> and its like (libvirt's virScaleInteger): KiB where none is named. */
static const struct {
	const char *name;
	uint64_t bytes;
} units[] = {
	{ "b", 1 }, { "bytes", 1 }, { "KB", 1000 }, { "k", 1024 }, { "KiB", 1024 }, { "MB", 1000000 }, { "M", 1 << 20 }, { "MiB", 1 << 20 },
	{ "GB", 1000000000 }, { "G", 1 << 30 }, { "GiB", 1 << 30 }, { "T", UINT64_C(1) << 40 }, { "TiB", UINT64_C(1) << 40 },
};

/* Reads an element that holds a size. Return: bytes, 0 if there is none. */
static uint64_t read_size(const xmlNode *parent, const char *name)
{
	xmlNode *node = parent ? xml_child(parent, name) : NULL;
	char text[32], unit[16] = "KiB";
	uint64_t number;

	if (!node || xml_text(node, text, sizeof(text)))
		return 0;
	(void)xml_attribute(node, "unit", unit, sizeof(unit));
	number = strtoull(text, NULL, 10);
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (strcmp(unit, units[i].name) == 0)
			return number <= UINT64_MAX / units[i].bytes ? number * units[i].bytes : 0;
	}
	return *unit ? 0 : number * 1024;
}

/* Reads one disk. */
static void read_disk(const xmlNode *node, struct hardware_disk *disk)
{
	static const char *const names[] = { "file", "dev", "name", "dir", "volume" };
	xmlNode *source = xml_child(node, "source"), *target = xml_child(node, "target");

	*disk = (struct hardware_disk){ .is_removable = xml_attribute_is(node, "device", "cdrom") || xml_attribute_is(node, "device", "floppy") };
	(void)xml_attribute(node, "type", disk->type, sizeof(disk->type));
	if (target)
		(void)xml_attribute(target, "dev", disk->target, sizeof(disk->target));
	for (size_t i = 0; source && !*disk->source && i < sizeof(names) / sizeof(names[0]); i++)
		(void)xml_attribute(source, names[i], disk->source, sizeof(disk->source));
}

/* Counts the CPU threads of one socket by <topology>. Return: 1 without one, and where its numbers are none. */
static unsigned int read_socket_threads(const xmlNode *cpu)
{
	static const char *const levels[] = { "dies", "clusters", "cores", "threads" };
	const xmlNode *topology = cpu ? xml_child(cpu, "topology") : NULL;
	unsigned long product = 1;
	char text[16];

	for (size_t i = 0; topology && i < sizeof(levels) / sizeof(levels[0]); i++) {
		unsigned long number = 1;

		if (xml_attribute(topology, levels[i], text, sizeof(text)) == 0)
			number = strtoul(text, NULL, 10);
		if (number > 0 && number < 65536 && product < 65536)
			product *= number;
	}
	return (unsigned int)product;
}

/* Reads machine and CPU. */
static void read_processor(const xmlNode *root, struct hardware *hardware)
{
	xmlNode *os = xml_child(root, "os"), *type = os ? xml_child(os, "type") : NULL;
	xmlNode *cpu = xml_child(root, "cpu"), *model = cpu ? xml_child(cpu, "model") : NULL;

	if (type) {
		(void)xml_attribute(type, "arch", hardware->architecture, sizeof(hardware->architecture));
		(void)xml_attribute(type, "machine", hardware->machine, sizeof(hardware->machine));
	}
	if (cpu)
		(void)xml_attribute(cpu, "mode", hardware->cpu_mode, sizeof(hardware->cpu_mode));
	hardware->socket_threads = read_socket_threads(cpu);
	if (model)
		(void)xml_text(model, hardware->cpu_model, sizeof(hardware->cpu_model));
}

/*
 * domain: parsed. hardware: filled. Reads the document that the domain holds.
 */
void hardware_read(const struct domain *domain, struct hardware *hardware)
{
	const xmlNode *root = xmlDocGetRootElement(domain->document), *backing, *devices;

	memset(hardware, 0, sizeof(*hardware));
	if (!root)
		return;
	(void)xml_attribute(root, "type", hardware->kind, sizeof(hardware->kind));
	read_processor(root, hardware);
	backing = xml_child(root, "memoryBacking");
	hardware->has_hugepages = backing && xml_child(backing, "hugepages");
	hardware->has_locked = backing && xml_child(backing, "locked");
	hardware->memory = read_size(root, "memory");
	hardware->hard_limit = read_size(xml_child(root, "memtune"), "hard_limit");
	devices = xml_child(root, "devices");
	for (xmlNode *node = devices ? xml_child(devices, "disk") : NULL; node &&
	     hardware->disks < HARDWARE_MAX_DISKS; node = xml_next(node, "disk"))
		read_disk(node, &hardware->disk[hardware->disks++]);
}
