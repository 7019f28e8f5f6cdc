/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * rules_judges.h: the judges of the rules' table, private to it. Each gives a verdict and, unless that is VERDICT_PASS, fills *why.
 */
#ifndef VFERRY_POLICY_RULES_JUDGES_H
#define VFERRY_POLICY_RULES_JUDGES_H

#include "policy/rules.h"

/* About a guest and the host as a whole (rules_guest.c). */
enum verdict rules_postcopy(const struct rule_case *c, struct reason *why);
enum verdict rules_viommu(const struct rule_case *c, struct reason *why);
enum verdict rules_alone(const struct rule_case *c, struct reason *why);
enum verdict rules_passport(const struct rule_case *c, struct reason *why);
enum verdict rules_unknown_source(const struct rule_case *c, struct reason *why);
enum verdict rules_vlan(const struct rule_case *c, struct reason *why);
enum verdict rules_interface(const struct rule_case *c, struct reason *why);
enum verdict rules_any_card(const struct rule_case *c, struct reason *why);
enum verdict rules_architecture(const struct rule_case *c, struct reason *why);
enum verdict rules_openvswitch(const struct rule_case *c, struct reason *why);
enum verdict rules_variant_driver(const struct rule_case *c, struct reason *why);
enum verdict rules_iommu(const struct rule_case *c, struct reason *why);
enum verdict rules_dirty_rate(const struct rule_case *c, struct reason *why);

/* About one VF on one PF (rules_pf.c). */
enum verdict rules_card(const struct rule_case *c, struct reason *why);
enum verdict rules_readable(const struct rule_case *c, struct reason *why);
enum verdict rules_driver(const struct rule_case *c, struct reason *why);
enum verdict rules_psid(const struct rule_case *c, struct reason *why);
enum verdict rules_same_firmware(const struct rule_case *c, struct reason *why);
enum verdict rules_old_firmware(const struct rule_case *c, struct reason *why);
enum verdict rules_network(const struct rule_case *c, struct reason *why);
enum verdict rules_msix(const struct rule_case *c, struct reason *why);
enum verdict rules_function(const struct rule_case *c, struct reason *why);
enum verdict rules_mtu(const struct rule_case *c, struct reason *why);
enum verdict rules_sriov(const struct rule_case *c, struct reason *why);
enum verdict rules_eswitch(const struct rule_case *c, struct reason *why);
enum verdict rules_time(const struct rule_case *c, struct reason *why);
enum verdict rules_slots(const struct rule_case *c, struct reason *why);

#endif
