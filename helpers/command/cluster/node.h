/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * node.h: what a node publishes.
 */
#ifndef VFERRY_COMMAND_CLUSTER_NODE_H
#define VFERRY_COMMAND_CLUSTER_NODE_H

#include "command/cluster/read.h"

/* vferry cluster --node. Return: enum command_status. */
int cluster_show_node(struct call *call, struct view *view, const struct cluster_view *seen);

#endif
