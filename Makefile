# SPDX-License-Identifier: Apache-2.0
# `make help` lists the targets. Everything that is built lies in $(BUILD).

VERSION = 0.1
BUILD ?= build
PREFIX ?= /usr
SYSCONFDIR ?= /etc
LIBEXECDIR ?= $(PREFIX)/lib/jit
UNITDIR ?= $(PREFIX)/lib/systemd/system
MANDIR ?= $(PREFIX)/share/man
# Where libpam looks, whatever PREFIX is: Debian's multiarch folder, else lib64.
MULTIARCH := $(shell $(CC) -print-multiarch 2>/dev/null)
PAMDIR ?= /usr/$(if $(MULTIARCH),lib/$(MULTIARCH),lib64)/security
COMPLETIONDIR ?= $(PREFIX)/share/bash-completion/completions
PKG_CONFIG ?= pkg-config
HOST_SUITE ?= bookworm
JOBS ?= $(shell nproc)

# ---- warnings and hardening: one list for all that we ship ----
WARNINGS = -Wall -Wextra -Wconversion -Wsign-conversion -Wshadow -Wnull-dereference -Wformat=2 -Wstrict-prototypes \
	-Wmissing-prototypes -Wvla -Wundef -Wpointer-arith $(WERROR)
HARDENING = -D_FORTIFY_SOURCE=3 -fstack-protector-strong -fstack-clash-protection -fcf-protection \
	-fno-strict-overflow -fno-delete-null-pointer-checks
LINK_HARDENING = -Wl,-z,relro,-z,now,-z,noexecstack,--as-needed
ifdef CI
WERROR = -Werror
endif

CFLAGS ?= -O2 -g
ALL_CFLAGS = -std=gnu11 -D_GNU_SOURCE -DJIT_VERSION='"$(VERSION)"' -DJIT_VENDOR='"$(LIBEXECDIR)"' \
	-DJIT_ETC='"$(SYSCONFDIR)/jit"' $(WARNINGS) $(if $(SANITIZE),,$(HARDENING)) $(CFLAGS) \
	$(SANITIZE) -fPIC -fvisibility=hidden -MMD -MP -Ijit-reaperd/shared
ALL_LDFLAGS = $(if $(SANITIZE),$(SANITIZE),$(LINK_HARDENING)) $(LDFLAGS)

# ---- what each binary is made of: root links no curl and no jq, the module links next to nothing (tests/unit/lint.sh looks) ----
SHARED = $(wildcard jit-reaperd/shared/*.c)
REAPERD = $(wildcard jit-reaperd/reaperd/*.c)
# Its rooms: signed tickets, HTTP, ticket systems; the folder itself has the rest.
APPROVERD_FOLDERS = $(addprefix jit-reaperd/approverd,/ /signed/ /http/ /providers/)
APPROVERD = $(wildcard $(addsuffix *.c,$(APPROVERD_FOLDERS)))
JITCTL = $(wildcard jit-reaperd/jitctl/*.c)
MODULE = $(wildcard pam_jit/*.c) $(addprefix jit-reaperd/shared/,json.c varlink-wire.c varlink-dial.c name.c timefmt.c strv.c pam-service.c)

REAPERD_LIBS = -lsystemd -ljansson -lcrypto -linih
APPROVERD_LIBS = -lsystemd -ljansson -ljq -lcurl -lcrypto -linih
JITCTL_LIBS = -lsystemd -ljansson -lcrypto -linih
MODULE_LIBS = -lpam -ljansson

# `make V=1` shows whole commands.
Q = $(if $(V),,@)
say = $(if $(V),,@echo '  $(1)	$(2)')

obj = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))
VARLINK_OBJ = $(BUILD)/obj/io_pamjit_Reaper.o $(BUILD)/obj/io_pamjit_Approver.o
BINARIES = $(addprefix $(BUILD)/,jit-reaperd jit-approverd jitctl pam_jit.so)

all: $(BINARIES)

# A daemon is its main.o and an archive of the rest, so that a unit test links what it names and no more.
$(BUILD)/jit-reaperd: $(BUILD)/obj/jit-reaperd/reaperd/main.o $(BUILD)/libreaperd.a $(BUILD)/libshared.a
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -pie -o $@ $^ $(REAPERD_LIBS)
$(BUILD)/jit-approverd: $(BUILD)/obj/jit-reaperd/approverd/main.o $(BUILD)/libapproverd.a $(BUILD)/libshared.a
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -pie -o $@ $^ $(APPROVERD_LIBS)
$(BUILD)/jitctl: $(BUILD)/obj/jit-reaperd/jitctl/main.o $(BUILD)/libjitctl.a $(BUILD)/libshared.a
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -pie -o $@ $^ $(JITCTL_LIBS)
$(BUILD)/pam_jit.so: $(call obj,$(MODULE)) pam_jit/pam_jit.map
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -shared -Wl,--version-script=pam_jit/pam_jit.map -o $@ $(filter %.o,$^) $(MODULE_LIBS)
$(BUILD)/libshared.a: $(call obj,$(SHARED)) $(VARLINK_OBJ)
$(BUILD)/libreaperd.a: $(filter-out %/main.o,$(call obj,$(REAPERD)))
$(BUILD)/libapproverd.a: $(filter-out %/main.o,$(call obj,$(APPROVERD)))
$(BUILD)/libjitctl.a: $(filter-out %/main.o,$(call obj,$(JITCTL)))
ARCHIVES = $(addprefix $(BUILD)/,libreaperd.a libapproverd.a libjitctl.a libshared.a)
$(ARCHIVES):
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(BUILD)/obj/jit-reaperd/approverd/%.o: ALL_CFLAGS += $(addprefix -I,$(APPROVERD_FOLDERS))
$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(ALL_CFLAGS) -c -o $@ $<

# The interface descriptions are served as they are written.
$(BUILD)/obj/io_pamjit_%.c: jit-reaperd/shared/io.pamjit.%.varlink
	@mkdir -p $(@D)
	$(Q){ echo 'extern const char io_pamjit_$*_varlink[]; const char io_pamjit_$*_varlink[] ='; \
	  sed 's/\\/\\\\/g; s/"/\\"/g; s/.*/"&\\n"/' $<; echo ';'; } >$@
$(VARLINK_OBJ): %.o: %.c
	$(Q)$(CC) $(ALL_CFLAGS) -c -o $@ $<
.PRECIOUS: $(BUILD)/obj/io_pamjit_%.c

# ---- tests ----
UNIT_TESTS = $(patsubst tests/unit/%.c,$(BUILD)/tests/%,$(wildcard tests/unit/test-*.c))
TEST_INCLUDES = -Ijit-reaperd/reaperd $(addprefix -I,$(APPROVERD_FOLDERS)) -Ijit-reaperd/jitctl -Itests/unit
TEST_LIBS = -lsystemd -ljansson -ljq -lcurl -lcrypto -linih

$(BUILD)/tests/test-%: tests/unit/test-%.c $(ARCHIVES)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(TEST_INCLUDES) $(ALL_LDFLAGS) -o $@ $< $(ARCHIVES) $(TEST_LIBS)

$(BUILD)/fuzz/fuzz-%: tests/fuzz/fuzz-%.c $(ARCHIVES)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(TEST_INCLUDES) $(ALL_LDFLAGS) -fsanitize=fuzzer -o $@ $< $(ARCHIVES) $(TEST_LIBS)

unit-tests: $(UNIT_TESTS)
fuzzers: $(patsubst tests/fuzz/%.c,$(BUILD)/fuzz/%,$(wildcard tests/fuzz/fuzz-*.c))

SHELL = /bin/bash
.DELETE_ON_ERROR:
.PHONY: all help deps install uninstall demo check check-unit check-pam check-host check-tickets unit-tests fuzzers bench fuzz lint format clean

help:
	@sed -n 's/^## //p' Makefile

## make                 builds everything into build/
## make deps            installs what building and testing need (Debian 12 and 13; README has the list for others)
BUILD_DEPS = gcc make pkg-config libc6-dev libpam0g-dev libsystemd-dev libssl-dev libjansson-dev libjq-dev libcurl4-openssl-dev libinih-dev
RUN_DEPS = libpam-systemd libnss-systemd openssh-client sudo
TEST_DEPS = mmdebstrap systemd-container clang clang-tidy clang-format cppcheck valgrind libnss-wrapper mandoc shellcheck jq \
	python3 openssl curl nghttp2-server libclang-rt-14-dev binutils iproute2 procps util-linux
deps:
	@tests/install-deps.sh $(BUILD_DEPS) $(RUN_DEPS) $(TEST_DEPS)

## make demo            the main job on a disposable real host (as root)
demo: deps
	@$(MAKE) --no-print-directory -j$(JOBS) all
	@tests/host/demo.sh

## make check           every test (as root); make check-unit, check-pam, check-host, check-tickets: a part of them
check: deps
	@CI=true tests/check.sh $(BUILD)
check-unit check-pam check-host check-tickets:
	@CI=true tests/check.sh $(BUILD) $@

## make bench           figures beside what a user would do otherwise: build/bench.json (as root)
bench: all
	tests/bench/run.sh $(BUILD)
## make fuzz            each fuzzer for FUZZ_SEC seconds
FUZZ_SEC ?= 10
fuzz:
	tests/fuzz/run.sh $(BUILD) $(FUZZ_SEC)
## make lint            warnings of two compilers, clang-tidy, cppcheck, mandoc, shellcheck, linked libraries, exports
lint:
	tests/unit/lint.sh $(BUILD)
## make format          clang-format over all C
format:
	clang-format -i $$(git ls-files '*.c' '*.h')

## make install         PREFIX=/usr DESTDIR=: binaries, module, units, man pages, defaults
MAN5 = jit-reaperd/shared/jit.conf.5 jit-reaperd/approverd/jit-provider.5
MAN8 = pam_jit/pam_jit.8 jit-reaperd/reaperd/jit-reaperd.8 jit-reaperd/approverd/jit-approverd.8
install: all
	install -d $(addprefix $(DESTDIR),$(PREFIX)/bin $(LIBEXECDIR) $(PAMDIR) $(UNITDIR) $(COMPLETIONDIR) $(PREFIX)/lib/tmpfiles.d \
	  $(PREFIX)/share/doc/pam_jit) \
	  $(addprefix $(DESTDIR)$(MANDIR)/,man1 man5 man8)
	install -d -m 0755 $(DESTDIR)$(SYSCONFDIR)/jit $(DESTDIR)$(SYSCONFDIR)/jit/roles.d $(DESTDIR)$(SYSCONFDIR)/jit/keys.d \
	  $(DESTDIR)$(SYSCONFDIR)/jit/providers.d
	install -m 0755 $(BUILD)/jitctl $(DESTDIR)$(PREFIX)/bin/
	install -m 0755 $(BUILD)/jit-reaperd $(BUILD)/jit-approverd $(DESTDIR)$(LIBEXECDIR)/
	install -m 0644 $(BUILD)/pam_jit.so $(DESTDIR)$(PAMDIR)/
	install -m 0644 jit-reaperd/approverd/policy.jq $(DESTDIR)$(LIBEXECDIR)/
	install -m 0644 jit-reaperd/*/*.service jit-reaperd/*/*.socket $(DESTDIR)$(UNITDIR)/
	install -m 0644 jit-reaperd/reaperd/pam_jit.tmpfiles $(DESTDIR)$(PREFIX)/lib/tmpfiles.d/pam_jit.conf
	install -m 0644 jit-reaperd/jitctl/jitctl.bash $(DESTDIR)$(COMPLETIONDIR)/jitctl
	install -m 0644 jit-reaperd/jitctl/jitctl.1 $(DESTDIR)$(MANDIR)/man1/
	install -m 0644 $(MAN5) $(DESTDIR)$(MANDIR)/man5/
	install -m 0644 $(MAN8) $(DESTDIR)$(MANDIR)/man8/
	cp -r examples $(DESTDIR)$(PREFIX)/share/doc/pam_jit/
	sed -i 's|@LIBEXECDIR@|$(LIBEXECDIR)|' $(DESTDIR)$(UNITDIR)/jit-reaperd.service $(DESTDIR)$(UNITDIR)/jit-approverd.service
## make uninstall       takes away what install put there, and nothing else; /etc/jit and /var/lib/jit stay
uninstall:
	rm -f $(addprefix $(DESTDIR),$(PREFIX)/bin/jitctl $(PAMDIR)/pam_jit.so $(COMPLETIONDIR)/jitctl $(MANDIR)/man1/jitctl.1 \
	  $(addprefix $(MANDIR)/man5/,$(notdir $(MAN5))) $(addprefix $(MANDIR)/man8/,$(notdir $(MAN8))) $(PREFIX)/lib/tmpfiles.d/pam_jit.conf \
	  $(addprefix $(UNITDIR)/,jit-reaperd.service jit-reaperd.socket jit-approverd.service jit-approverd.socket))
	rm -rf $(DESTDIR)$(LIBEXECDIR) $(DESTDIR)$(PREFIX)/share/doc/pam_jit

clean:
	rm -rf $(BUILD)/obj $(BUILD)/tests $(BUILD)/*.a $(BINARIES)

-include $(shell find $(BUILD)/obj $(BUILD)/tests -name '*.d' 2>/dev/null)
