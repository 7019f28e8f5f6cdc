/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test_agent_metrics.c: figures for Prometheus, held against its text format. promtool looks at real ones (tests/lab/80-agent.bats).
 */
#include "check.h"

#include "agent/metrics.h"

static struct inventory inventory = { .pfs = 2, .pf = { { .address = { 0, 0x81, 0, 0 }, .info = { .psid = "MT_1", .firmware = "28.43.1014" } },
							 { .address = { 0, 0x81, 0, 1 } } } };

/* Return: all figures, for free(). */
static char *print(const struct metrics *metrics)
{
	struct downtime_model model = { { 480, 0 } };
	struct metrics_now now = { .inventory = &inventory, .downtime = &model, .slots = { 3, 0 }, .limit = 4, .waiting = 2, .leases = { 1, 0, 5 },
				   .is_connected = true, .vfs_free = { 5, 8 }, .vfs_used = { 3 }, .usable = { true, false }, .is_closed = true, .refused = 1764400000 };
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	metrics_print(metrics, &now, out);
	fclose(out);
	return text;
}

TEST(each_figure_has_its_help_and_type_above_it_and_a_value)
{
	static const struct metrics nothing;
	char *text = print(&nothing), *rest = text, *line, family[128] = "", type[32];

	while ((line = strsep(&rest, "\n")) && *line) {
		char name[128], again[128], *end;
		double value;

		if (sscanf(line, "# HELP %127s", name) == 1) {
			snprintf(family, sizeof(family), "%s", name);
			CHECK(strncmp(name, "vferry_", 7) == 0);
			line = strsep(&rest, "\n");
			CHECK_INT(sscanf(line, "# TYPE %127s %31s", again, type), 2);
			CHECK_STR(again, name);
			CHECK(strcmp(type, "counter") || strcmp(name + strlen(name) - 6, "_total") == 0);
			continue;
		}
		CHECK(strncmp(line, family, strlen(family)) == 0);
		value = strtod(strrchr(line, ' '), &end);
		CHECK(!*end && value >= 0);
	}
	free(text);
}

TEST(what_is_now_is_told_by_its_labels)
{
	static const struct metrics nothing;
	char *text = print(&nothing);

	CHECK_CONTAINS(text, "\nvferry_pf_slots_used{pf=\"0000:81:00.0\"} 3\n");
	CHECK_CONTAINS(text, "\nvferry_pf_slots_limit{pf=\"0000:81:00.1\"} 4\n");
	CHECK_CONTAINS(text, "\nvferry_pf_vfs_free{pf=\"0000:81:00.0\",psid=\"MT_1\",firmware=\"28.43.1014\"} 5\n");
	CHECK_CONTAINS(text, "\nvferry_pf_vfs_used{pf=\"0000:81:00.0\",psid=\"MT_1\",firmware=\"28.43.1014\"} 3\n");
	CHECK(!strstr(text, "vferry_pf_vfs_free{pf=\"0000:81:00.1\""));
	CHECK_CONTAINS(text, "\nvferry_maintenance 1\n");
	CHECK_CONTAINS(text, "\nvferry_last_refusal_timestamp_seconds 1764400000\n");
	CHECK_CONTAINS(text, "\nvferry_queue_length 2\n");
	CHECK_CONTAINS(text, "\nvferry_leases{state=\"running\"} 5\n");
	CHECK_CONTAINS(text, "\nvferry_libvirt_connected 1\n");
	CHECK_CONTAINS(text, "\nvferry_downtime_learned_seconds{mode=\"one_stream\"} 0.48\n");
	CHECK_CONTAINS(text, "vferry_build_info{version=\"" VFERRY_VERSION "\"} 1\n");
	free(text);
}

TEST(migrations_are_counted_by_direction_and_outcome)
{
	struct migration left = { .ms = 4000, .vfs = 3, .downtime = 250, .memory_bytes = 1000, .vfio_bytes = 50 };
	struct migration came = { .is_incoming = true, .ms = 61000, .downtime = MIGRATION_UNKNOWN, .outcome = MIGRATION_COMPLETED };
	struct migration ended = { .ms = 9, .downtime = 9000, .outcome = MIGRATION_ENDED };
	struct migration unsettled = { .is_incoming = true, .ms = 1000, .downtime = MIGRATION_UNKNOWN, .outcome = MIGRATION_UNSETTLED };
	struct migration unseen = { .ms = 4000, .vfs = 8, .downtime = MIGRATION_UNKNOWN };
	struct metrics metrics = { 0 };
	char *text;

	metrics_count(&metrics, &unsettled);
	metrics_count(&metrics, &unseen);
	metrics_count(&metrics, &left);
	metrics_count(&metrics, &came);
	metrics_count(&metrics, &ended);
	text = print(&metrics);
	CHECK_CONTAINS(text, "vferry_migrations_total{direction=\"out\",outcome=\"completed\"} 2\n");
	CHECK_CONTAINS(text, "vferry_migrations_total{direction=\"out\",outcome=\"ended\"} 1\n");
	CHECK_CONTAINS(text, "vferry_migrations_total{direction=\"in\",outcome=\"failed\"} 0\n");
	CHECK_CONTAINS(text, "vferry_migration_duration_seconds_bucket{direction=\"out\",le=\"2\"} 0\n");
	CHECK_CONTAINS(text, "vferry_migration_duration_seconds_bucket{direction=\"out\",le=\"5\"} 2\n");
	CHECK_CONTAINS(text, "vferry_migration_duration_seconds_sum{direction=\"in\"} 62\n");
	CHECK_CONTAINS(text, "vferry_migrations_total{direction=\"in\",outcome=\"unsettled\"} 1\n");
	CHECK_CONTAINS(text, "vferry_migration_downtime_seconds_bucket{le=\"0.3\"} 1\n");
	CHECK_CONTAINS(text, "vferry_migration_downtime_seconds_bucket{le=\"+Inf\"} 1\n");
	CHECK_CONTAINS(text, "vferry_migration_downtime_seconds_sum 0.25\n");
	CHECK_CONTAINS(text, "vferry_migration_downtime_vfs_total 3\n");
	CHECK_CONTAINS(text, "vferry_migration_memory_bytes_total 1000\n");
	CHECK_CONTAINS(text, "vferry_migration_vfio_bytes_total 50\n");
	free(text);
}
