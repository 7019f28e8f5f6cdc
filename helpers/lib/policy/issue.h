/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * issue.h: what this host writes into the passport of a guest that runs here.
 */
#ifndef VFERRY_POLICY_ISSUE_H
#define VFERRY_POLICY_ISSUE_H

#include "domain/passport.h"
#include "host/inventory.h"
#include "policy/guest.h"

/*
 * Fills a passport for the guest's VFs. A VF that has no MAC yet (a plain hostdev whose function has none) gets no entry. uuid: of the
 * guest. Return: how many VFs got none.
 */
size_t issue_passport(const struct guest *guest, const char *uuid, struct inventory *inventory, struct passport *passport);

/* What an operator or a controller has set on a guest's port, without what every host sets by itself. */
struct port_settings issue_settings(const struct ovs_port *port, const char *uuid, const struct mac_address *mac);

#endif
