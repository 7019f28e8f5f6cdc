/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test_base_port_qos.c: the egress QoS of a port as a text.
 */
#include "check.h"

#include <errno.h>

#include "base/port_qos.h"

TEST(a_text_is_read_and_written_again_as_it_was)
{
	static const char *const texts[] = {
		"linux-htb", "linux-hfsc max-rate=1000000000", "linux-htb 0:", "linux-htb max-rate=1 0:min-rate=1,max-rate=2,burst=3,priority=4",
		"linux-htb 0:max-rate=999999999999 65535:burst=0",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		char out[PORT_QOS_LEN];
		struct port_qos qos;

		CHECK_INT(port_qos_parse(texts[i], &qos), 0);
		CHECK_INT(port_qos_format(&qos, out), 0);
		CHECK_STR(out, texts[i]);
	}
}

TEST(what_is_written_otherwise_or_is_none_is_refused_and_nothing_is_changed)
{
	static const char *const texts[] = {
		"", "linux-netem", "linux-htb ", " linux-htb", "linux-htb  0:", "linux-htb max-rate=", "linux-htb max-rate=0", "linux-htb max-rate=01",
		"linux-htb max-rate=1 max-rate=2", "linux-htb 0: max-rate=1", "linux-htb 1: 0:", "linux-htb 0: 0:", "linux-htb 65536:", "linux-htb -1:",
		"linux-htb 0:max-rate", "linux-htb 0:max-rate=1,", "linux-htb 0:max-rate=1,min-rate=2", "linux-htb 0:max-rate=1,max-rate=2",
		"linux-htb 0:dscp=1", "linux-htb 0:burst=1000000000000", "linux-htb 0:burst=1 ", "linux-htb 0", "linux-htb 0: 1: 2: 3: 4: 5: 6: 7: 8:",
	};
	struct port_qos qos = { .max_rate = 7 };

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (port_qos_parse(texts[i], &qos) != -EINVAL)
			FAIL("'%s' was accepted", texts[i]);
	}
	CHECK_INT(qos.max_rate, 7);
}

TEST(what_does_not_fit_is_not_written)
{
	struct port_qos qos = { .type = "linux-htb", .queues = PORT_MAX_QUEUES };
	char out[PORT_QOS_LEN] = "as before", text[PORT_QOS_LEN + 1];

	for (size_t i = 0; i < qos.queues; i++)
		qos.queue[i] = (struct port_queue){ (unsigned int)i, { true, true, true, true }, { PORT_QOS_MAX, PORT_QOS_MAX, 1, 1 } };
	CHECK_INT(port_qos_format(&qos, out), -E2BIG);
	CHECK_STR(out, "as before");
	memset(text, '1', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	CHECK_INT(port_qos_parse(text, &qos), -EINVAL);
}
