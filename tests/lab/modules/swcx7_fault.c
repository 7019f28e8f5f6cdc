// SPDX-License-Identifier: GPL-2.0-only
/* Software ConnectX-7: injected faults, "ERRNO [COUNT [TEXT]]". */
#include <linux/ctype.h>
#include <linux/err.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include "swcx7_internal.h"

static DEFINE_SPINLOCK(fault_lock);

/**
 * swcx7_fault_take() - an operation asks whether it shall fail
 * @fault:	the fault
 * @text:	filled with the sentence for the caller, may be NULL
 * @len:	size of @text
 *
 * Return: 0: go on; else the negative errno to return
 */
int swcx7_fault_take(struct swcx7_fault *fault, char *text, size_t len)
{
	int error = 0;

	spin_lock(&fault_lock);
	if (fault->left) {
		error = fault->error;
		if (fault->left > 0)
			fault->left--;
		if (text)
			strscpy(text, fault->text, len);
	}
	spin_unlock(&fault_lock);
	return error;
}
EXPORT_SYMBOL_GPL(swcx7_fault_take);

/**
 * swcx7_fault_print() - write what is left of a fault
 * @fault:	the fault
 * @out:	"0", or "ERRNO COUNT [TEXT]"
 */
void swcx7_fault_print(struct swcx7_fault *fault, struct seq_file *out)
{
	spin_lock(&fault_lock);
	if (fault->left)
		seq_printf(out, "%d %d %s\n", -fault->error, fault->left, fault->text);
	else
		seq_puts(out, "0\n");
	spin_unlock(&fault_lock);
}

/**
 * next_int() - take one number off a line
 * @line:	moved behind the number and the white space after it
 * @value:	set only on success
 *
 * Return: 0 or -EINVAL
 */
static int next_int(char **line, int *value)
{
	char *word = strsep(line, " \t");

	if (*line)
		*line = skip_spaces(*line);
	return kstrtoint(word, 0, value);
}

/**
 * swcx7_fault_parse() - set a fault from a line
 * @fault:	the fault, unchanged on error
 * @line:	"ERRNO [COUNT [TEXT]]" without white space around it; is destroyed
 *
 * Return: 0 or -EINVAL
 */
int swcx7_fault_parse(struct swcx7_fault *fault, char *line)
{
	int error, count = 1;

	if (next_int(&line, &error) || error < 0 || error > MAX_ERRNO)
		return -EINVAL;
	if (line && *line && (next_int(&line, &count) || count < -1))
		return -EINVAL;
	spin_lock(&fault_lock);
	fault->error = -error;
	fault->left = error ? count : 0;
	strscpy(fault->text, line ?: "", sizeof(fault->text));
	spin_unlock(&fault_lock);
	return 0;
}
