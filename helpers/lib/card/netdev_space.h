/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * netdev_space.h: netdevs in other network namespaces, those of containers, that come from this one or lie on something here.
 */
#ifndef VFERRY_CARD_NETDEV_SPACE_H
#define VFERRY_CARD_NETDEV_SPACE_H

#include "card/netdev.h"

/*
 * Finds, in all other network namespaces, netdevs that lie on one of ours, and those that have a parent device (a VF's own netdev among
 * them). Goes into each namespace: for a child. unseen: set to true if there may be more: there are too many, or one could not be entered;
 * one that has just gone is none. Return: how many, at most max, each with its "space".
 */
size_t netdev_list_spaces(struct netdev *list, size_t max, bool *unseen);

#endif
