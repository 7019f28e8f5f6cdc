/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * preparation.c: one run of vferry prepare for one PF.
 */
#include "command/prepare/preparation.h"

/* Gives back what a run holds; see the header. */
void prepare_release(struct preparation *p)
{
	view_release(&p->view);
	steps_release(&p->plan);
	object_release(&p->object);
}
