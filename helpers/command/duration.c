/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * duration.c: how long a plan may take. See duration.h.
 */
#include "command/duration.h"

#include "command/terminal.h"
#include "policy/estimate.h"

/* Says it; see the header. */
void duration_show(struct call *call, const struct steps *plan)
{
	struct estimate estimate = estimate_plan(plan);
	char text[192], line[224];

	if (!*estimate_describe(&estimate, text, sizeof(text)))
		return;
	snprintf(line, sizeof(line), "It may take %s.", text);
	terminal_wrap(call, 0, line);
}

/* Return: it as JSON. */
struct json_object *duration_json(const struct steps *plan)
{
	struct estimate estimate = estimate_plan(plan);
	struct json_object *json = json_object_new_object();

	json_object_object_add(json, "least_ms", json_object_new_int64(estimate.least));
	json_object_object_add(json, "most_ms", json_object_new_int64(estimate.most));
	return json;
}
