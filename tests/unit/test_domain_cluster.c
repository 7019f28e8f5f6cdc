/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pacemaker's CIB: what becomes of a guest whose migration fails, wherever the cluster has written it. */
#include "check.h"

#include "domain/cluster.h"

#define GUEST(id, rest) "<primitive id='" id "' class='ocf' provider='heartbeat' type='VirtualDomain'>" rest "</primitive>"
#define CONFIG(id) \
	"<instance_attributes id='" id "-i'><nvpair id='" id "-c' name='config' value='/etc/guests/" id ".xml'/></instance_attributes>"
#define MIGRATE_TO(id, rest) "<operations><op id='" id "-m' name='migrate_to' interval='0s' " rest "/></operations>"

static struct cluster cluster;

/* Reads a CIB with these options, resources, constraints and defaults. */
static int read_cib(const char *options, const char *resources, const char *constraints, const char *defaults)
{
	struct reason why = { 0 };
	char *text = NULL;
	int error;

	cluster_release(&cluster);
	CHECK(asprintf(&text, "<cib><configuration><crm_config>%s</crm_config><nodes/><resources>%s</resources><constraints>%s"
		       "</constraints>%s</configuration><status/></cib>", options, resources, constraints, defaults) > 0);
	error = cluster_parse(text, strlen(text), &cluster, &why);
	free(text);
	return error;
}

TEST(a_guest_of_which_nothing_is_said_is_restarted_after_20_s)
{
	CHECK_INT(read_cib("", GUEST("web1", CONFIG("web1")), "", ""), 0);
	CHECK_INT(cluster.guests, 1);
	CHECK_STR(cluster.guest[0].resource, "web1");
	CHECK_STR(cluster.guest[0].config, "/etc/guests/web1.xml");
	CHECK_STR(cluster.guest[0].migrate_to.on_fail, "");
	CHECK_INT(cluster.guest[0].migrate_to.timeout, 20000);
	CHECK(!cluster.guest[0].migrates && !cluster.guest[0].migrate_to.is_own && !cluster.guest[0].has_rule && !*cluster.agent);
}

TEST(what_a_guest_says_itself_counts)
{
	CHECK_INT(read_cib("<cluster_property_set id='a'><nvpair id='b' name='placement-strategy' value='balanced'/></cluster_property_set>"
		       "<cluster_property_set id='c'><nvpair id='d' name='migration-limit' value='2'/></cluster_property_set>",
		       GUEST("web1", "<meta_attributes id='m'><nvpair id='n' name='allow-migrate' value='TRUE'/></meta_attributes>"
			     "<utilization id='u'><nvpair id='v' name='vferry-vfs' value='2'/></utilization>"
			     MIGRATE_TO("web1", "timeout='7min' on-fail='block'")),
		       "<rsc_location id='l' rsc='web1'><rule id='r' score='-INFINITY'><rule id='s'>"
		       "<expression id='e' attribute='vferry-card' operation='not_defined'/></rule></rule></rsc_location>", ""), 0);
	CHECK_STR(cluster.guest[0].migrate_to.on_fail, "block");
	CHECK_INT(cluster.guest[0].migrate_to.timeout, 420000);
	CHECK(cluster.guest[0].migrates && cluster.guest[0].migrate_to.is_own && cluster.guest[0].has_rule);
	CHECK_STR(cluster.guest[0].vfs, "2");
	CHECK_STR(cluster.placement, "balanced");
	CHECK_STR(cluster.limit, "2");
}

TEST(what_a_guest_does_not_say_its_template_says_and_then_the_defaults)
{
	CHECK_INT(read_cib("", "<template id='t' class='ocf' provider='heartbeat' type='VirtualDomain'>"
		       MIGRATE_TO("t", "on-fail='block'") "</template>"
		       "<primitive id='web1' template='t'/>" GUEST("web2", "") GUEST("web3", MIGRATE_TO("web3", "on-fail='ignore' timeout='30'")), "",
		       "<rsc_defaults><meta_attributes id='x'><nvpair id='y' name='allow-migrate' value='1'/></meta_attributes></rsc_defaults>"
		       "<op_defaults><meta_attributes id='o'><nvpair id='p' name='timeout' value='600s'/>"
		       "<nvpair id='q' name='on-fail' value='stop'/></meta_attributes></op_defaults>"), 0);
	CHECK_INT(cluster.guests, 3);
	CHECK_STR(cluster.guest[0].migrate_to.on_fail, "block");
	CHECK(!cluster.guest[0].migrate_to.is_own && cluster.guest[0].migrates);
	CHECK_INT(cluster.guest[0].migrate_to.timeout, 600000);
	CHECK_STR(cluster.guest[1].migrate_to.on_fail, "stop");
	CHECK_STR(cluster.guest[2].migrate_to.on_fail, "ignore");
	CHECK_INT(cluster.guest[2].migrate_to.timeout, 30000);
}

TEST(what_is_said_of_the_node_that_a_guest_reaches_is_told_apart)
{
	CHECK_INT(read_cib("", GUEST("web1", "<operations><op id='f' name='migrate_from' interval='0s' timeout='60s'>"
					     "<meta_attributes id='g'><nvpair id='h' name='on-fail' value='block'/></meta_attributes></op>"
					     "<op id='t' name='migrate_to' interval='0s' timeout='7min' on-fail='fence'/></operations>")
			   GUEST("web2", MIGRATE_TO("web2", "on-fail='block'")), "", ""), 0);
	CHECK_STR(cluster.guest[0].migrate_from.on_fail, "block");
	CHECK_INT(cluster.guest[0].migrate_from.timeout, 60000);
	CHECK_STR(cluster.guest[0].migrate_to.on_fail, "fence");
	CHECK_INT(cluster.guest[0].migrate_to.timeout, 420000);
	CHECK(!cluster.guest[1].migrate_from.is_own);
	CHECK_STR(cluster.guest[1].migrate_from.on_fail, "");
	CHECK_INT(cluster.guest[1].migrate_from.timeout, 20000);
}

TEST(guests_in_groups_are_found_and_other_resources_are_no_guests)
{
	CHECK_INT(read_cib("", "<group id='g'>" GUEST("web1", "") "<primitive id='ip' class='ocf' provider='heartbeat' type='IPaddr2'/></group>"
		       "<clone id='c'><primitive id='v' class='ocf' provider='vferry' type='host'>"
		       "<operations><op id='o' name='stop' interval='0s' timeout='90s' on-fail='block'/></operations></primitive></clone>"
		       "<primitive id='s' class='systemd' type='VirtualDomain'/>", "", ""), 0);
	CHECK_INT(cluster.guests, 1);
	CHECK_STR(cluster.agent, "v");
	CHECK_STR(cluster.agent_stop.on_fail, "block");
	CHECK_INT(cluster.agent_stop.timeout, 90000);
	cluster_release(&cluster);
}

TEST(times_are_read_as_pacemaker_does)
{
	CHECK_INT(cluster_parse_time("90"), 90000);
	CHECK_INT(cluster_parse_time("90 s"), 90000);
	CHECK_INT(cluster_parse_time("500ms"), 500);
	CHECK_INT(cluster_parse_time("2h"), 7200000);
	for (const char *const *text = (const char *const[]){ "", "soon", "-1", "5 weeks", "99999999999999999999", NULL }; *text; text++)
		CHECK_INT(cluster_parse_time(*text), -EINVAL);
}

TEST(what_is_no_cib_is_refused)
{
	struct reason why = { 0 };

	for (const char *const *text = (const char *const[]){ "", "<cib/>", "<domain/>", "<cib><configuration><resources/></configuration></cib>",
							      "<!DOCTYPE cib><cib/>", NULL }; *text; text++) {
		CHECK(cluster_parse(*text, strlen(*text), &cluster, &why) < 0);
		CHECK(*why.what);
		CHECK_INT(cluster.guests, 0);
	}
}
