// SPDX-License-Identifier: GPL-2.0-only
/*
 * Software ConnectX-7: the physical link of a port around a mode change, which a real card takes down and trains anew.
 *
 * With link_training_ms 0, as at first, the link is there again as soon as the change has ended.
 */
#include <linux/module.h>
#include "swcx7_internal.h"

/** end_training() - work: the link is there again */
static void end_training(struct work_struct *work)
{
	struct swcx7_pf *pf = container_of(to_delayed_work(work), struct swcx7_pf, training);

	WRITE_ONCE(pf->is_training, false);
	swcx7_esw_link_update(pf);
}

/**
 * swcx7_link_init() - prepare a port
 * @pf:		the port
 */
void swcx7_link_init(struct swcx7_pf *pf)
{
	INIT_DELAYED_WORK(&pf->training, end_training);
}

/**
 * swcx7_link_exit() - wait until nothing will happen to a port's link any more
 * @pf:		the port
 */
void swcx7_link_exit(struct swcx7_pf *pf)
{
	cancel_delayed_work_sync(&pf->training);
}

/**
 * drop_link() - take the link of a port away
 * @pf:		the port
 */
static void drop_link(struct swcx7_pf *pf)
{
	cancel_delayed_work_sync(&pf->training);
	WRITE_ONCE(pf->is_training, true);
	swcx7_esw_link_update(pf);
}

/**
 * is_hit() - does a mode change of a PF take the link of a port away?
 * @pf:		the PF
 * @port:	itself, or another port of its card
 */
static bool is_hit(const struct swcx7_pf *pf, const struct swcx7_pf *port)
{
	return pf->link_training_ms && (port == pf || pf->sibling_link);
}

/**
 * swcx7_link_drop() - a mode change begins
 * @pf:		the PF; its devlink instance locked
 */
void swcx7_link_drop(struct swcx7_pf *pf)
{
	int i;

	for (i = 0; i < pf->card->layout.pfs; i++)
		if (is_hit(pf, &pf->card->pfs[i]))
			drop_link(&pf->card->pfs[i]);
}
EXPORT_SYMBOL_GPL(swcx7_link_drop);

/**
 * swcx7_link_train() - a mode change has ended, well or not: the links that it took begin to train
 * @pf:		the PF
 */
void swcx7_link_train(struct swcx7_pf *pf)
{
	int i;

	for (i = 0; i < pf->card->layout.pfs; i++)
		if (is_hit(pf, &pf->card->pfs[i]))
			schedule_delayed_work(&pf->card->pfs[i].training, msecs_to_jiffies(pf->link_training_ms));
}
EXPORT_SYMBOL_GPL(swcx7_link_train);
