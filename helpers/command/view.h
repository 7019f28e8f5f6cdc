/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * view.h: what a command looks at: this host or a recorded one, as far as the caller may see it.
 */
#ifndef VFERRY_COMMAND_VIEW_H
#define VFERRY_COMMAND_VIEW_H

#include <json-c/json.h>

#include "command/command.h"
#include "engine/scene.h"
#include "host/facts.h"
#include "policy/uses.h"

#define VIEW_MAX_UNSEEN 4

struct view {
	struct scene scene;       /* scene.domain points to domain below where a guest is concerned */
	struct uses uses;         /* who uses what of the host; with VIEW_GUESTS the guests too */
	struct facts facts;
	struct domain domain;
	bool is_recorded;         /* from a file */
	bool is_closed;           /* it takes no arrivals: maintenance */
	char unseen[VIEW_MAX_UNSEEN][160]; /* what the caller may not see, a sentence each */
	size_t unseens;
};

/* What a command wants to be read beside the inventory. */
enum view_part { VIEW_FACTS = 1, VIEW_GUESTS = 2 };

/*
 * Reads this host, or the recorded one that --inventory names. What the caller may not see is noted, not an error. view_release() it.
 * Return: 0, negative errno with *why.
 */
int view_read(struct call *call, unsigned int parts, struct view *view, struct reason *why);

/*
 * Reads the guest that call->guest names (from libvirt, by virsh) or that is in the file of --domain, and finds its VFs. scene is read
 * already. incoming: it is to come here, else it starts here. Return: 0, negative errno with *why.
 */
int view_read_guest(struct call *call, struct view *view, bool incoming, struct reason *why);
void view_release(struct view *view);

/* Reads a file that the user named ("-": call->in), of at most limit bytes. Return: its text for free(3), NULL with *why. */
char *view_read_file(struct call *call, const char *file, size_t limit, struct reason *why);

/*
 * Fills a view from JSON text as vferry inventory prints it. config must live as long as the view; file: how the text is called in
 * sentences. Return: 0, negative errno with *why; view_release() it in every case.
 */
int view_parse_json(struct json_object *json, const struct config *config, struct view *view, struct reason *why);
int view_parse(const char *text, const char *file, const struct config *config, struct view *view, struct reason *why);

/* Whether the host has a card whose VFs can move; if not, says so. */
bool view_has_card(struct call *call, const struct view *view);

/* The refusal where no PF may be used by the configuration: why not the first whose card can migrate. Return: -ENODEV, *why filled. */
int view_no_pf(const struct view *view, struct reason *why);

/* Says what was not seen, a line each, to call->out. */
void view_say_unseen(struct call *call, const struct view *view);

/* The PF that an address or an uplink's name means, NULL if there is none. */
struct inventory_pf *view_find_pf(struct view *view, const char *name);

#define autoview __attribute__((cleanup(view_release)))

#endif
