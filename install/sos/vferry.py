# SPDX-License-Identifier: LGPL-2.1-or-later
"""The plug-in of sos (sos report) for vferry, for sos 4.0 and later.

An archive of sos is sent to others. So what goes into it is what `vferry report`
writes, which replaces the names of the host and its guests, MAC and IP addresses,
UUIDs and serial numbers, and vferry.conf, which holds none; the answers of check
and status are those for that report. `-k vferry.keep-names=on` leaves names as
they are and adds the whole journal.
"""
from sos.report.plugins import DebianPlugin, Plugin, RedHatPlugin, SuSEPlugin, UbuntuPlugin

try:
    from sos.report.plugins import PluginOpt
except ImportError:  # before sos 4.2 an option is a tuple
    def PluginOpt(name, default=False, desc=''):
        """An option as sos 4.0 and 4.1 have it."""
        return (name, desc, 'fast', default)


# By name: IndependentPlugin is passed over by sos 4.0.
class Vferry(Plugin, RedHatPlugin, DebianPlugin, UbuntuPlugin, SuSEPlugin):
    """Live migration of KVM guests with ConnectX-7 VFs"""

    short_desc = "Live migration of KVM guests with ConnectX-7 VFs"
    plugin_name = "vferry"
    profiles = ("virt", "network", "hardware")
    packages = ("vferry",)
    commands = ("vferry",)
    option_list = [
        PluginOpt("keep-names", default=False,
                  desc="leave names, addresses and serial numbers as they are"),
    ]

    def setup(self):
        keeps = self.get_option("keep-names")
        # vferry makes the folder, in one that must be there.
        folder = "%s/report" % self.get_cmd_output_path(make=True)

        self.add_copy_spec("/etc/vferry/vferry.conf")
        self.add_cmd_output("vferry report %s%s" % ("--keep-names " if keeps else "", folder),
                            suggest_filename="vferry_report")
        self.add_cmd_output("vferry check --report %s" % folder,
                            suggest_filename="vferry_check")
        self.add_cmd_output("vferry status --inventory %s/inventory.json" % folder,
                            suggest_filename="vferry_status")
        self.add_cmd_output("vferry version", suggest_filename="vferry_version")
        if keeps:
            self.add_journal(identifier="vferry")
