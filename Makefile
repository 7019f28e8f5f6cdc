# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Makefile of vferry, for GNU make.
#
#   make                        builds everything into build/
#   make install prefix=/usr    installs; DESTDIR is honoured, an existing configuration is kept
#   make check                  all tests, also those of the lab; the last line is "N passed, N failed, N skipped"
#   make check-unit             unit tests and fuzz corpora; check-asan: the same with ASan and UBSan; lint: static analysis; tree: tests of the tree
#   make deb, make rpm          the package of Debian, of Fedora; both land in build/
#   make demo                   two hosts, one guest, one `virsh migrate`
#   make fuzz                   looks for hostile input with libFuzzer; FUZZ_SECONDS=60 a target, TARGETS='domain status' only these
#   make bench, make stats      figures, which inform and fail nothing; SECTIONS='fast-path growth' only these
#
# CC, CFLAGS, CPPFLAGS and LDFLAGS belong to whoever calls make and are never overwritten. WERROR=1 makes warnings fail,
# STRICT=1 makes a skipped test fail, BUILD=DIR builds elsewhere.

VERSION = 0.1.0

# ---- Places ------------------------------------------------------------------------------------------------------

prefix        = /usr/local
sbindir       = $(prefix)/sbin
libexecdir    = $(prefix)/libexec
datadir       = $(prefix)/share
mandir        = $(datadir)/man
completiondir = $(datadir)/bash-completion/completions
sysconfdir    = /etc
localstatedir = /var
runstatedir   = /run
hookdir       = $(sysconfdir)/libvirt/hooks/qemu.d
apparmordir   = $(sysconfdir)/apparmor.d
unitdir       = $(prefix)/lib/systemd/system
tmpfilesdir   = $(prefix)/lib/tmpfiles.d
udevrulesdir  = $(prefix)/lib/udev/rules.d
networkdir    = $(prefix)/lib/systemd/network
ocfdir        = $(prefix)/lib/ocf/resource.d/vferry
# sos looks into its own Python package alone: a package of vferry puts the plug-in there. Elsewhere it lies here, for a link by hand.
sosdir        = $(datadir)/vferry/sos
BUILD         = build

# ---- Tools and flags ---------------------------------------------------------------------------------------------

PKG_CONFIG ?= pkg-config
INSTALL    ?= install
CFLAGS     ?= -O2 -g
PACKAGES    = libxml-2.0 libnl-3.0 libnl-genl-3.0 libpci json-c inih
# For the programs that may call libvirt: never for the library and the hooks (tests/tree/programs.bats).
VIRT_PACKAGES = libvirt
# For the agent: sd_notify(3); the number of threads that libvirt's daemon has.
AGENT_PACKAGES = libsystemd libvirt-admin

WARNINGS = -Wall -Wextra -Wshadow -Wformat=2 -Wstrict-prototypes -Wmissing-prototypes -Wconversion -Wno-sign-conversion \
	   -Wvla -Wundef -Wpointer-arith -Wcast-qual $(if $(WERROR),-Werror)
SANITIZERS = $(if $(SANITIZE),-fsanitize=address -fsanitize=undefined -fno-sanitize-recover=all -fno-omit-frame-pointer) \
	     $(if $(LIBFUZZER),-fsanitize=fuzzer-no-link)
# What is built does not name where; packages that have ways of their own for it say PREFIX_MAP= .
PREFIX_MAP = -ffile-prefix-map=$(CURDIR)=.
PLACES   = -DVFERRY_VERSION='"$(VERSION)"' -DSYSCONFDIR='"$(sysconfdir)"' -DLIBEXECDIR='"$(libexecdir)"' -DDATADIR='"$(datadir)"' \
	   -DLOCALSTATEDIR='"$(localstatedir)"' -DRUNSTATEDIR='"$(runstatedir)"'

# The headers of other projects are system headers: their warnings are not ours.
PACKAGE_CFLAGS := $(patsubst -I%,-isystem %,$(shell $(PKG_CONFIG) --cflags $(PACKAGES) 2>/dev/null))
PACKAGE_LIBS   := $(shell $(PKG_CONFIG) --libs $(PACKAGES) 2>/dev/null)
VIRT_CFLAGS    := $(patsubst -I%,-isystem %,$(shell $(PKG_CONFIG) --cflags $(VIRT_PACKAGES) 2>/dev/null))
VIRT_LIBS      := $(shell $(PKG_CONFIG) --libs $(VIRT_PACKAGES) 2>/dev/null)
AGENT_CFLAGS   := $(patsubst -I%,-isystem %,$(shell $(PKG_CONFIG) --cflags $(AGENT_PACKAGES) 2>/dev/null))
AGENT_LIBS     := $(shell $(PKG_CONFIG) --libs $(AGENT_PACKAGES) 2>/dev/null)

OWN_CPPFLAGS = -Ihelpers/lib $(PLACES) $(PACKAGE_CFLAGS)
OWN_CFLAGS   = -std=gnu17 $(PREFIX_MAP) $(WARNINGS) $(SANITIZERS)
OWN_LDFLAGS  = -Wl,--as-needed $(SANITIZERS)

comma := ,
# V=1 shows whole commands; otherwise one short line each.
quiet = $(if $(V),,@echo '  $(1)' '$@';)

COMPILE = $(CC) $(OWN_CPPFLAGS) $(CPPFLAGS) $(OWN_CFLAGS) $(CFLAGS) -MMD -MP
LINK    = $(CC) $(OWN_CFLAGS) $(CFLAGS) $(OWN_LDFLAGS) $(LDFLAGS)

# ---- What is built -----------------------------------------------------------------------------------------------

# Programs of helpers/: one file each. A name here is built as soon as its source exists. The second list is of those that vferry alone starts.
HELPERS = vferry vferryd
PARTS   = guest

object        = $(patsubst %.c,$(BUILD)/%.o,$(1))
library       = $(BUILD)/libvferry.a
library_src   = $(sort $(wildcard helpers/lib/*/*.c))
worker_src    = $(filter-out hooks/qemu.c,$(sort $(wildcard hooks/*.c)))
helper_src    = $(foreach name,$(HELPERS) $(PARTS),$(wildcard helpers/$(name).c))
command_src   = $(sort $(wildcard helpers/command/*.c helpers/command/*/*.c))
# Of these, the ones that call libvirt: for the program guest.
guest_src     = $(sort $(wildcard helpers/command/attach/*.c) helpers/command/fleet/run.c)
virt_src      = $(sort $(wildcard helpers/virt/*.c))
agent_src     = $(sort $(wildcard helpers/agent/*.c))
unit_src      = $(sort $(wildcard tests/unit/test_*.c))
fuzz_src      = $(sort $(wildcard tests/fuzz/*.c))
world_src     = $(sort $(wildcard tests/worlds/*.c))

hook_programs   = $(if $(wildcard hooks/qemu.c),$(BUILD)/qemu) $(if $(wildcard hooks/hook.c),$(BUILD)/hook)
helper_programs = $(patsubst helpers/%.c,$(BUILD)/%,$(helper_src))
programs        = $(hook_programs) $(helper_programs)
unit_programs   = $(patsubst %.c,$(BUILD)/%,$(unit_src))
# A fuzz target twice: with a main() that replays its corpus, and, by clang alone, with libFuzzer.
fuzz_targets    = $(patsubst tests/fuzz/fuzz_%.c,%,$(filter tests/fuzz/fuzz_%,$(fuzz_src)))
# Hook, command and how the agent looks on a host that is text: the same objects, with the doors to kernel and Open vSwitch wrapped (tests/worlds/README.md).
world_programs  = $(addprefix $(BUILD)/tests/worlds/,hook vferry look)
world_doors     = netlink_open netlink_open_space netlink_call devlink_port_set_migratable devlink_port_set_hw_addr \
		  devlink_port_set_attribute netdev_set_up netdev_set_mtu sriov_set_num msix_set pci_bind pci_unbind announce_through_bridge announce_from \
		  ovs_open ovs_close ovs_read ovs_add_bridge ovs_add_port ovs_del_bridge ovs_del_port ovs_set_option
fuzz_common     = $(call object,tests/fuzz/support.c tests/fuzz/answer.c)
replay_programs = $(addprefix $(BUILD)/tests/fuzz/replay_,$(fuzz_targets))
fuzz_programs   = $(addprefix $(BUILD)/tests/fuzz/libfuzzer_,$(fuzz_targets))
fuzz_xml        = $(addprefix $(BUILD)/tests/fuzz/libfuzzer_,candidate decide domain network passport status)
# What a unit test of the worker may link: the worker without its main().
worker_part     = $(call object,$(filter-out hooks/hook.c,$(worker_src)))
# The subcommands of vferry: a file each, linked by their unit tests and by the programs, those that call libvirt by guest alone.
command_part    = $(call object,$(command_src))
vferry_part     = $(call object,$(filter-out $(guest_src),$(command_src)))
worker_objects  = $(call object,$(worker_src))
# libvirt, for those programs that may call it; the agent's parts.
virt_part       = $(call object,$(virt_src))
agent_part      = $(call object,$(agent_src))

templates = $(wildcard xml-templates/*)
units     = $(wildcard install/systemd/*.service install/systemd/*.socket install/systemd/*.timer)
udev_rules = $(wildcard install/udev/*.rules)
man_pages = $(wildcard $(foreach room,hooks helpers install install/ocf,$(room)/*.[578]))

.DEFAULT_GOAL := all
.SUFFIXES:
.DELETE_ON_ERROR:
.PHONY: all check check-unit check-asan fuzz fuzz-programs lint tree stats bench demo deb rpm install install-apparmor install-selinux uninstall clean tests packages print-flags print-worker print-vferry FORCE
MAKEFLAGS += --no-print-directory

all: $(library) $(programs)
tests: all $(unit_programs) $(replay_programs) $(world_programs)
fuzz-programs: $(fuzz_programs)

$(library): $(call object,$(library_src)) $(BUILD)/flags
	$(call quiet,AR) rm -f $@ && $(AR) rcs $@ $(filter %.o,$^)

# The hook that libvirt runs for every event of every guest: libc alone, so that it starts as fast as a program can.
$(BUILD)/qemu: $(call object,hooks/qemu.c helpers/lib/base/dev_log.c)
	$(call quiet,LD) $(LINK) -o $@ $^

$(BUILD)/hook: $(call object,$(worker_src)) $(library)
	$(call quiet,LD) $(LINK) -o $@ $^ $(PACKAGE_LIBS)

$(helper_programs): $(BUILD)/%: $(BUILD)/helpers/%.o $(library)
	$(call quiet,LD) $(LINK) -o $@ $(filter %.o,$^) $(library) $(PACKAGE_LIBS) $(OTHER_LIBS)

$(BUILD)/vferry: $(vferry_part)
$(BUILD)/guest: $(command_part) $(virt_part)
$(BUILD)/guest: OTHER_LIBS = $(VIRT_LIBS)
$(BUILD)/vferryd: $(agent_part) $(virt_part)
$(BUILD)/vferryd: OTHER_LIBS = $(VIRT_LIBS) $(AGENT_LIBS)

$(unit_programs): $(BUILD)/%: $(BUILD)/%.o $(worker_part) $(library)
	$(call quiet,LD) $(LINK) -o $@ $(filter %.o,$^) $(library) $(PACKAGE_LIBS)

$(filter $(BUILD)/tests/unit/test_command_%,$(unit_programs)): $(command_part) $(virt_part)
$(filter $(BUILD)/tests/unit/test_command_%,$(unit_programs)): PACKAGE_LIBS += $(VIRT_LIBS)
$(filter $(BUILD)/tests/unit/test_agent_%,$(unit_programs)): $(agent_part) $(virt_part)
$(filter $(BUILD)/tests/unit/test_agent_%,$(unit_programs)): PACKAGE_LIBS += $(VIRT_LIBS) $(AGENT_LIBS)

$(world_programs): private OWN_LDFLAGS += $(addprefix -Wl$(comma)--wrap=,$(world_doors))
$(BUILD)/tests/worlds/hook: $(call object,$(worker_src))
$(BUILD)/tests/worlds/vferry: $(call object,helpers/vferry.c) $(vferry_part)
$(BUILD)/tests/worlds/look: $(call object,tests/worlds/agent/look.c helpers/agent/host.c)
$(call object,tests/worlds/agent/look.c): OWN_CPPFLAGS += -Ihelpers
$(world_programs): $(call object,$(world_src)) $(library)
	$(call quiet,LD) $(LINK) -o $@ $(filter %.o,$^) $(library) $(PACKAGE_LIBS)

# What the explorer's world stands in for (tests/unit/world.h).
explored = status_read_all status_read_new status_read sysroot_slurp file_read file_write file_remove file_each sysroot_exists record_lock \
	record_lock_object close queue_door queue_is_first queue_enter queue_leave state_upgrade record_sweep clock_ms log_line inventory_read_few \
	inventory_read_functions ovs_open ovs_read pci_driver pci_refuse_open operation_of
$(BUILD)/tests/unit/test_engine_explore: OWN_LDFLAGS += $(foreach name,$(explored),-Wl,--wrap=$(name))

$(replay_programs): $(BUILD)/tests/fuzz/replay_%: $(BUILD)/tests/fuzz/fuzz_%.o $(call object,tests/fuzz/replay.c) $(fuzz_common) $(library)
	$(call quiet,LD) $(LINK) -o $@ $(filter %.o,$^) $(library) $(PACKAGE_LIBS)

$(fuzz_programs): $(BUILD)/tests/fuzz/libfuzzer_%: $(BUILD)/tests/fuzz/fuzz_%.o $(fuzz_common) $(library)
	$(call quiet,LD) $(LINK) -fsanitize=fuzzer -o $@ $(filter %.o,$^) $(library) $(PACKAGE_LIBS)
$(fuzz_xml): $(call object,tests/fuzz/xml_mutator.c)
$(addprefix $(BUILD)/tests/fuzz/,replay_recorded libfuzzer_recorded): $(call object,helpers/command/recorded.c helpers/command/terminal.c)

$(BUILD)/tests/unit/%.o: OWN_CPPFLAGS += -Itests/unit -Ihooks
$(BUILD)/tests/unit/test_command_%.o $(BUILD)/tests/fuzz/fuzz_recorded.o $(BUILD)/helpers/%.o: OWN_CPPFLAGS += -Ihelpers
$(BUILD)/tests/unit/test_agent_%.o: OWN_CPPFLAGS += -Ihelpers $(VIRT_CFLAGS)
$(call object,$(helper_src)) $(virt_part) $(agent_part) $(command_part): OWN_CPPFLAGS += $(VIRT_CFLAGS)
$(agent_part): OWN_CPPFLAGS += $(AGENT_CFLAGS)

$(BUILD)/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call quiet,CC) $(COMPILE) -c -o $@ $<

# Everything is compiled again when a flag or a place changes, since the objects contain both. The text is taken here and now: what a target
# adds for itself reaches its prerequisites, and would make another text of it for each goal.
flags_text := $(COMPILE) | $(LINK) | $(PACKAGE_LIBS) | $(VIRT_CFLAGS) $(VIRT_LIBS) | $(AGENT_CFLAGS) $(AGENT_LIBS)
$(BUILD)/flags: FORCE | packages
	@mkdir -p $(@D)
	@printf '%s\n' '$(subst ','\'',$(flags_text))' >$@.new
	@if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi

packages:
	@$(PKG_CONFIG) --exists $(PACKAGES) $(VIRT_PACKAGES) $(AGENT_PACKAGES) 2>/dev/null || { \
		for name in $(PACKAGES) $(VIRT_PACKAGES) $(AGENT_PACKAGES); do $(PKG_CONFIG) --exists $$name 2>/dev/null || missing="$$missing $$name"; done; \
		echo "vferry: these libraries are missing for pkg-config ($(PKG_CONFIG)):$$missing; as root run: install/dependencies" >&2; \
		exit 1; }

-include $(patsubst %.c,$(BUILD)/%.d,$(library_src) hooks/qemu.c $(worker_src) $(helper_src) $(command_src) $(virt_src) $(agent_src) $(unit_src) $(fuzz_src) $(world_src) tests/worlds/agent/look.c)

# ---- Tests -------------------------------------------------------------------------------------------------------

check:
	@install/dependencies --what build
	@install/dependencies --what deb,rpm,check,lab || echo 'vferry: going on; what needs these packages is skipped'
	@tests/run all

check-unit: tests
	@BUILD=$(BUILD) tests/run unit fuzz

check-asan:
	@$(MAKE) BUILD=build/asan SANITIZE=1 WERROR=1 CFLAGS='-O1 -g' check-unit

fuzz:
	@tests/fuzz/run $(TARGETS)

lint: tests
	@BUILD=$(BUILD) tests/run lint

tree: tests
	@BUILD=$(BUILD) tests/run tree

# For lint: the project's own flags, quoted for a shell.
print-flags:
	$(info $(OWN_CPPFLAGS) -Ihelpers $(VIRT_CFLAGS) $(AGENT_CFLAGS) $(OWN_CFLAGS)) @:

# For tests that link the worker and the command with a machine of files: their objects.
print-worker:
	$(info $(worker_objects)) @:
print-vferry:
	$(info $(call object,helpers/vferry.c) $(vferry_part)) @:

stats:
	@tests/tree/stats

bench: all
	@install/dependencies --what bench || echo 'vferry: going on; what needs these packages is not measured'
	@BUILD=$(BUILD) tests/bench/run $(SECTIONS)

demo:
	@install/dependencies --what build,lab
	@tests/lab/demo

# ---- Installation ------------------------------------------------------------------------------------------------

configuration = $(DESTDIR)$(sysconfdir)/vferry/vferry.conf

# One line of a recipe for each file of a list: $(call install_each,MODE,DIRECTORY,FILES)
define install_line
	$(INSTALL) -D -m $(1) $(3) $(DESTDIR)$(2)/$(notdir $(3))

endef
install_each = $(foreach file,$(3),$(call install_line,$(1),$(2),$(file)))

install: all
	$(INSTALL) -D -m 0755 $(BUILD)/qemu $(DESTDIR)$(hookdir)/50-vferry
	$(INSTALL) -D -m 0755 $(BUILD)/hook $(DESTDIR)$(libexecdir)/vferry/hook
	$(call install_each,0755,$(sbindir),$(addprefix $(BUILD)/,$(HELPERS)))
	$(call install_each,0755,$(libexecdir)/vferry,$(addprefix $(BUILD)/,$(PARTS)))
	$(call install_each,0644,$(datadir)/vferry/xml-templates,$(templates))
	$(foreach n,5 7 8,$(call install_each,0644,$(mandir)/man$(n),$(filter %.$(n),$(man_pages))))
	$(call install_each,0644,$(unitdir),$(units))
	$(INSTALL) -D -m 0644 install/systemd/vferry.tmpfiles $(DESTDIR)$(tmpfilesdir)/vferry.conf
	$(call install_each,0644,$(udevrulesdir),$(udev_rules))
	$(INSTALL) -D -m 0644 install/systemd/65-vferry.network $(DESTDIR)$(networkdir)/65-vferry.network
	$(INSTALL) -D -m 0644 install/completion/vferry.bash $(DESTDIR)$(completiondir)/vferry
	$(INSTALL) -D -m 0755 install/ocf/host $(DESTDIR)$(ocfdir)/host
	$(INSTALL) -D -m 0644 install/prometheus/vferry.rules.yml $(DESTDIR)$(datadir)/vferry/prometheus/vferry.rules.yml
	$(INSTALL) -D -m 0644 install/grafana/vferry.json $(DESTDIR)$(datadir)/vferry/grafana/vferry.json
	$(INSTALL) -D -m 0644 install/sos/vferry.py $(DESTDIR)$(sosdir)/vferry.py
	@if [ -e $(configuration) ]; then echo "$(configuration) exists and is kept as it is"; \
	else set -x; $(INSTALL) -D -m 0644 install/vferry.conf $(configuration); fi

# Where AppArmor confines libvirt's daemons (Debian, Ubuntu, SUSE): what their profiles must allow. See vferry(7).
install-apparmor:
	$(INSTALL) -D -m 0644 install/apparmor/vferry $(DESTDIR)$(apparmordir)/abstractions/vferry

# Where SELinux confines libvirt's daemons (Fedora, RHEL), for prefix=/usr: the module is built, and unless DESTDIR is set loaded, and what is
# installed gets its labels. `semodule -r vferry` takes it back. See vferry(7).
install-selinux:
	install/selinux/build $(BUILD)/selinux
	$(INSTALL) -D -m 0644 $(BUILD)/selinux/vferry.pp.bz2 $(DESTDIR)$(datadir)/selinux/packages/vferry.pp.bz2
ifeq ($(DESTDIR),)
	semodule -i $(datadir)/selinux/packages/vferry.pp.bz2
	-restorecon -R $(wildcard $(hookdir)/50-vferry $(libexecdir)/vferry $(sbindir)/vferryd $(runstatedir)/vferry $(localstatedir)/lib/vferry)
endif

# Removes what `install` put and leaves the configuration.
uninstall:
	rm -f $(DESTDIR)$(hookdir)/50-vferry $(foreach name,hook $(PARTS),$(DESTDIR)$(libexecdir)/vferry/$(name))
	rm -f $(foreach name,$(HELPERS),$(DESTDIR)$(sbindir)/$(name)) $(DESTDIR)$(completiondir)/vferry
	rm -f $(DESTDIR)$(tmpfilesdir)/vferry.conf $(addprefix $(DESTDIR)$(udevrulesdir)/,$(notdir $(udev_rules))) $(DESTDIR)$(networkdir)/65-vferry.network $(DESTDIR)$(apparmordir)/abstractions/vferry \
		$(DESTDIR)$(datadir)/selinux/packages/vferry.pp.bz2 $(foreach unit,$(units),$(DESTDIR)$(unitdir)/$(notdir $(unit)))
	rm -f $(DESTDIR)$(ocfdir)/host $(DESTDIR)$(sosdir)/vferry.py $(DESTDIR)$(datadir)/vferry/prometheus/vferry.rules.yml $(DESTDIR)$(datadir)/vferry/grafana/vferry.json
	rm -f $(foreach file,$(templates),$(DESTDIR)$(datadir)/vferry/$(file)) \
		$(foreach page,$(man_pages),$(DESTDIR)$(mandir)/man$(subst .,,$(suffix $(page)))/$(notdir $(page)))
	@for dir in $(datadir)/vferry/xml-templates $(datadir)/vferry/prometheus $(datadir)/vferry/grafana $(datadir)/vferry/sos $(datadir)/vferry $(libexecdir)/vferry $(ocfdir); do rmdir "$(DESTDIR)$$dir" 2>/dev/null || :; done

# ---- Packages ----------------------------------------------------------------------------------------------------

deb:
	@install/dependencies --what build,deb
	@install/deb/build $(BUILD)

rpm:
	@install/dependencies --what build,rpm
	@install/rpm/build $(BUILD)

clean:
	rm -rf $(BUILD)
