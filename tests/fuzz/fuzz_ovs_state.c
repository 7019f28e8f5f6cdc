/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * fuzz_ovs_state.c: the answer of Open vSwitch's database to the questions of ovs_read(), in any JSON.
 */
#include "fuzz.h"

#include <errno.h>

#include "base/scope.h"
#include "switch/ovsdb.h"

/* Demands what holds for every port. */
static void check_port(const struct ovs_state *state, const struct ovs_port *port)
{
	REQUIRE(memchr(port->name, '\0', sizeof(port->name)) && memchr(port->bridge, '\0', sizeof(port->bridge)));
	REQUIRE(memchr(port->error, '\0', sizeof(port->error)));
	REQUIRE(memchr(port->guest, '\0', sizeof(port->guest)) && memchr(port->vf, '\0', sizeof(port->vf)));
	REQUIRE(port->members <= OVS_MAX_MEMBERS && port->members != 1);
	fuzz_check_clean(port->name);
	fuzz_check_clean(port->error);
	fuzz_check_clean(port->guest);
	fuzz_check_clean(port->vf);
	REQUIRE(ovs_find_port(state, port->name));
	REQUIRE(ovs_find_bridge(state, port->bridge));
	for (size_t i = 0; i < port->members; i++) {
		fuzz_check_clean(port->member[i]);
		REQUIRE(ovs_find_interface(state, port->member[i]));
	}
}

/* One input: JSON. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const int errors[] = { -EPROTO, 0 };
	autofree char *text = fuzz_text(data, size);
	struct json_object *answer = json_tokener_parse(text);
	struct ovs_state state = { 0 };
	struct reason why = { 0 };
	int error = ovs_state_parse(answer, &state, &why);

	json_object_put(answer);
	if (error) {
		fuzz_check_reason(error, errors, &why);
		return 0;
	}
	fuzz_check_clean(state.version);
	for (size_t i = 0; i < state.ports; i++)
		check_port(&state, &state.port[i]);
	for (size_t i = 0; i < state.bridges; i++)
		fuzz_check_clean(state.bridge[i].name);
	ovs_state_release(&state);
	return 0;
}
