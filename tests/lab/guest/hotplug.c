// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * hotplug.c - lets go of devices that the host wants back
 *
 * QEMU asks the guest by ACPI before it takes a PCI device out; an operating system would run the ejection method of
 * the DSDT. That method works on a few I/O ports (QEMU docs/specs/acpi_pci_hotplug.rst), which are used here directly.
 * What is plugged in needs no such talk: it is seen in configuration space.
 */
#include "guest.h"

#define HOST_BRIDGE_I440FX	0x1237
#define HOST_BRIDGE_Q35		0x29c0
#define PORTS_I440FX		0xae00
#define PORTS_Q35		0x0cc0
#define PORT_DOWN		0x04	/* read: slots that are to be ejected, a bit each */
#define PORT_EJECT		0x08	/* write: eject these slots */
#define PORT_SELECT		0x10	/* write: bus that the others speak of, numbered by QEMU */
#define BUSES			32

static uint16_t ports;

/**
 * hotplug_init() - find out where the ports are
 */
void hotplug_init(void)
{
	const struct pci_function bridge = { 0 };
	uint16_t device = pci_read16(&bridge, PCI_DEVICE_ID);

	ports = device == HOST_BRIDGE_Q35 ? PORTS_Q35 : device == HOST_BRIDGE_I440FX ? PORTS_I440FX : 0;
}

/**
 * hotplug_eject() - eject what the host wants back
 *
 * Where there is no such hardware the ports read as all ones.
 */
void hotplug_eject(void)
{
	uint32_t bus, slots;

	for (bus = 0; ports && bus < BUSES; bus++) {
		outl(ports + PORT_SELECT, bus);
		slots = inl(ports + PORT_DOWN);
		if (slots == UINT32_MAX)
			return;
		if (slots)
			outl(ports + PORT_EJECT, slots);
	}
}
