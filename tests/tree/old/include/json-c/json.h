/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A stand-in for the header of json-c 0.14, which RHEL 9 has: this machine's, without the names that came later. Whoever uses one of them
 * gets an error here, as there.
 */
#ifndef OLD_JSON_H
#define OLD_JSON_H

#include_next <json-c/json.h>

#undef JSON_C_OBJECT_ADD_CONSTANT_KEY
#undef JSON_C_TO_STRING_COLOR
#undef JSON_TOKENER_ALLOW_TRAILING_CHARS
#pragma GCC poison JSON_C_OBJECT_ADD_CONSTANT_KEY JSON_C_TO_STRING_COLOR JSON_TOKENER_ALLOW_TRAILING_CHARS
#pragma GCC poison array_list_insert_idx array_list_new2 array_list_shrink json_object_array_insert_idx json_object_array_shrink
#pragma GCC poison json_object_new_array_ext json_patch_apply json_pointer_get_internal json_pointer_set_with_array_cb
#pragma GCC poison json_tokener_error_memory lh_entry_k_is_constant lh_entry_next lh_entry_prev lh_entry_set_val lh_table_head

#endif
