/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * event_kept.c: what an operator set on a guest's port while it ran survives a plain shutdown and start here (state/kept.h).
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/scope.h"
#include "engine/scene.h"
#include "event.h"
#include "policy/issue.h"
#include "state/kept.h"

/*
 * event_recall() - gives a guest's VFs the settings that were kept of its last run, where its definition does not say otherwise
 * @scene:	with its VFs
 * @told:	room for what their passports say then: GUEST_MAX_VFS, as long as the scene
 */
void event_recall(const struct event *event, struct scene *scene, struct passport_vf *told)
{
	static const struct port_settings nothing;
	autofree struct kept *kept = calloc(1, sizeof(*kept));

	if (!kept)
		return;
	kept_read(event->domain->uuid, kept);
	for (size_t i = 0; i < scene->guest.vfs; i++) {
		struct guest_vf *vf = &scene->guest.vf[i];
		const struct port_settings *asked = vf->passport ? &vf->passport->port : &nothing, *set;

		kept_word(asked, vf->asked);
		set = vf->device->has_mac ? kept_find(kept, &vf->device->mac, asked) : NULL;
		if (!set || port_settings_equal(set, asked))
			continue;
		told[i] = vf->passport ? *vf->passport : (struct passport_vf){ .mac = vf->device->mac };
		told[i].port = *set;
		vf->passport = &told[i];
		log_notice("the port gets what was set on it when the guest last ran here (VLAN %d)", set->has_tag ? set->tag : -1);
	}
}

/*
 * keep_port() - keeps what was set on one port, or forgets it where it is what the definition asks for
 * Return: whether anything changed
 */
static bool keep_port(const struct object *object, const struct step *made, const struct ovs_state *state, struct kept *kept)
{
	const struct ovs_port *port = ovs_find_port(state, made->name);
	struct port_settings now;
	char word[KEPT_WORD];

	if (!port || !port->ours || strcmp(port->lease, object->owner.lease) != 0 || mac_address_is_zero(&object->owner.mac))
		return false;
	now = issue_settings(port, object->owner.uuid, &object->owner.mac);
	if (strcmp(kept_word(&now, word), made->asked) == 0)
		return kept_set(kept, &object->owner.mac, "", NULL);
	return kept_set(kept, &object->owner.mac, made->asked, &now);
}

/*
 * keep_all() - the same for all ports of a guest
 */
static void keep_all(const struct event *event, const struct object_list *objects, const struct ovs_state *state, struct kept *kept)
{
	struct reason why = { 0 };
	bool some = false;

	kept_read(event->domain->uuid, kept);
	for (size_t i = 0; i < objects->count; i++) {
		const struct object *object = &objects->object[i];

		for (size_t k = 0; k < object->changes.count && strcmp(object->owner.uuid, event->domain->uuid) == 0; k++) {
			if (object->changes.step[k].kind == STEP_PORT && object->owner.state == RECORD_RUNNING)
				some |= keep_port(object, &object->changes.step[k], state, kept);
		}
	}
	if (some && kept_write(event->domain->uuid, kept, &why))
		log_warning("what was set on the guest's ports is lost with them: %s", why.what);
}

/*
 * event_keep() - keeps what was set on the ports of a guest that has ended here; one that has moved takes it along
 */
void event_keep(const struct event *event)
{
	autofree struct kept *kept = calloc(1, sizeof(*kept));
	autoobjects struct object_list objects = { 0 };
	struct ovs_state state = { 0 };
	autoovs struct ovs *ovs = NULL;

	if (!kept || object_read_all(&objects, NULL))
		return;
	if (strcmp(event->extra, "migrated") == 0)
		(void)kept_write(event->domain->uuid, kept, NULL);
	else if (!ovs_open(&ovs, event->config->ovsdb_socket, event->deadline, NULL) && !ovs_read(ovs, &state, event->deadline, NULL))
		keep_all(event, &objects, &state, kept);
	ovs_state_release(&state);
}
