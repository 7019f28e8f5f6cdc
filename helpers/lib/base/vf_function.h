/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vf_function.h: the attributes of a VF's function: what its PF lets it do (devlink-port(8), "devlink port function").
 *
 * Kernels and cards tell some of them: what is not told is 0, "unknown", and is compared with nothing.
 */
#ifndef VFERRY_BASE_VF_FUNCTION_H
#define VFERRY_BASE_VF_FUNCTION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/reason.h"

enum function_switch { SWITCH_UNKNOWN, SWITCH_OFF, SWITCH_ON };

struct vf_function {
	uint8_t roce, ipsec_crypto, ipsec_packet; /* enum function_switch */
	uint32_t max_io_eqs;                      /* event queues for I/O; 0: unknown */
};

/* The attributes, as devlink-port(8) names them. The ones in front can be set before the VF is bound. */
enum function_attribute { ATTRIBUTE_ROCE, ATTRIBUTE_MAX_IO_EQS, ATTRIBUTE_IPSEC_CRYPTO, ATTRIBUTE_IPSEC_PACKET, ATTRIBUTES };
#define ATTRIBUTE_EQS_MAX 65535 /* more is not told to others */
#define ATTRIBUTES_SETTABLE ATTRIBUTE_IPSEC_CRYPTO

const char *vf_function_name(enum function_attribute attribute);

/* The value of one; 0: unknown. */
uint32_t vf_function_value(const struct vf_function *function, enum function_attribute attribute);

/* It in words: "on", "off", a number. Returns out. */
#define FUNCTION_VALUE_LEN 12
char *vf_function_say(enum function_attribute attribute, uint32_t value, char out[FUNCTION_VALUE_LEN]);

/* The first attribute, from one on, that both tell and that differs; ATTRIBUTES: none. */
enum function_attribute vf_function_differs(const struct vf_function *a, const struct vf_function *b, enum function_attribute first);

/*
 * Whether a VF cannot be what it was at the source, since an attribute differs that vferry does not set. object: the VF's address, NULL:
 * the caller names it. Return: 0, -EOPNOTSUPP with *why.
 */
int vf_function_refuse(const struct vf_function *here, const struct vf_function *source, const char *object, struct reason *why);

/* All that is told as one text, "roce=on max_io_eqs=24"; "" nothing. Returns out. */
#define FUNCTION_TEXT_LEN 80
char *vf_function_format(const struct vf_function *function, char out[FUNCTION_TEXT_LEN]);

/* Such a text, its words in any order. Return: 0, -EINVAL. */
int vf_function_parse(const char *text, struct vf_function *function);

/* Whether both tell the same of all. */
bool vf_function_equal(const struct vf_function *a, const struct vf_function *b);

#endif
