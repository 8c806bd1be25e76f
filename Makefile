# SPDX-License-Identifier: MIT
#
# belay's build. Plain GNU make, nothing to configure; sources are found by their place.
#
#   make                        libraries, the command, the benchmarks, the examples; all below build/
#   make check                  every test; T="sync io" only those with "sync" or "io" in their path
#   make check-programs         those of them that are programs, without the scripts
#   make conformance            the traces in tests/conformance
#   make services               the examples beside other loops and libraries, of those that pkg-config finds
#   make check-services         their tests, against real servers: script/test --services
#   make man                    the manual pages, from the headers' comments
#   make install                to DESTDIR PREFIX (/usr/local) LIBDIR (PREFIX/lib), BINDIR, INCLUDEDIR, LIBEXECDIR,
#                               MANDIR (PREFIX/share/man); and uninstall
#   make clean
#
#   CC=clang  CC=musl-gcc  CC=aarch64-linux-gnu-gcc     CXX follows CC; other machines by qemu-user
#   SAN=address,undefined  SAN=thread                   sanitizers, in everything
#   BUILD=DIR                   where to build: keep one for each set of the above
#   RUN="valgrind -q"           what test programs are run by
#   URING=static|shared|no      how liburing becomes part of it; default: the first of these that works
#   CFLAGS, CXXFLAGS, CPPFLAGS, LDFLAGS; WERROR=-Werror (warnings are errors); V=1 (shows commands)

quote = '$(subst ','\'',$1)'

# ---- what it is built with ----

ifeq ($(origin CC),default)
CC := cc
endif

# The C++ compiler that goes with CC, for tests only. musl-gcc has none.
ifeq ($(origin CXX),default)
ifneq ($(findstring musl,$(CC)),)
CXX :=
else
CXX := $(patsubst cc,c++,$(subst gcc,g++,$(subst clang,clang++,$(CC))))
CXX := $(if $(shell command -v $(CXX) 2>/dev/null),$(CXX))
endif
endif

comma := ,
san_name := $(subst address,asan,$(firstword $(subst $(comma), ,$(SAN))))
san_name := $(subst thread,tsan,$(san_name))
BUILD := build$(if $(SAN),/$(san_name))

PREFIX ?= /usr/local
LIBDIR ?= $(PREFIX)/lib
BINDIR ?= $(PREFIX)/bin
INCLUDEDIR ?= $(PREFIX)/include
LIBEXECDIR ?= $(PREFIX)/libexec
MANDIR ?= $(PREFIX)/share/man

CFLAGS ?= -O2 -g
CXXFLAGS ?= -O2 -g
WERROR ?=
AR ?= ar

warnings := -Wall -Wextra $(WERROR)
sanitize := $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer)

# Position-independent for both libraries: thread-local variables have their model by attribute.
library_flags = -std=gnu11 $(warnings) -fvisibility=hidden -fPIC -Iinclude -Isrc $(defines)
program_flags := -std=gnu11 $(warnings) -fvisibility=hidden -Iinclude
test_flags = -Iinclude -Isrc -Itests $(defines)
# What is built says nothing of where: in two directories the same comes out.
same_anywhere := $(call quote,-ffile-prefix-map=$(CURDIR)=.)
# Up to its version 10 gcc hands only this one on to the assembler.
same_assembly := $(call quote,-fdebug-prefix-map=$(CURDIR)=.)
# clang's assembler takes neither for the directory itself, but has a name for it.
same_assembly += $(shell $(CC) -fdebug-compilation-dir=. -E -x c /dev/null >/dev/null 2>&1 && echo -fdebug-compilation-dir=.)
pointer_size := $(shell echo __SIZEOF_POINTER__ | $(CC) $(CPPFLAGS) $(CFLAGS) -E -P -x c - 2>/dev/null)
# Where glibc has several layouts of struct stat, the one with 64 bits: see <belay/file.h>.
hash := \#
stat_source := $(hash)include <sys/types.h>\n$(hash)if defined(__GLIBC__) && !defined(__OFF_T_MATCHES_OFF64_T)\nseveral\n$(hash)endif\n
wide := $(if $(filter several,$(shell printf '$(stat_source)' | $(CC) -E -P - 2>/dev/null)),-D_FILE_OFFSET_BITS=64 -D_TIME_BITS=64)
compile := $(CC) $(wide) $(CPPFLAGS) $(CFLAGS) $(same_anywhere) $(sanitize)
compile_cxx := $(CXX) $(wide) $(CPPFLAGS) $(CXXFLAGS) $(same_anywhere) $(sanitize)

# io_uring is built in where the compiler has liburing, 2.3 or later. URING says how:
#   static   its static library becomes part of ours: what is built here does not need it when it runs
#   shared   our shared library needs its shared one
#   no       there is epoll alone
# Without it, the first of these that works. One that is asked for and does not work is an error.
uring_source := $(hash)include <liburing.h>\nint try(struct io_uring *ring) { \
	return io_uring_submit_and_get_events(ring) + IORING_SETUP_DEFER_TASKRUN; }\n
try_uring = $(shell out=$$(mktemp) && printf '$(uring_source)' | \
	$(compile) -fPIC -x c - -shared $(LDFLAGS) $1 -o $$out 2>/dev/null && echo '$1'; rm -f $$out)
uring_by_static := -l:liburing.a
uring_by_shared := -luring
ifneq ($(filter-out static shared no,$(URING))$(word 2,$(URING)),)
$(error URING=$(URING): it is static, shared or no)
endif
ifneq ($(URING),no)
uring := $(if $(URING),$(call try_uring,$(uring_by_$(URING))),$(or \
	$(call try_uring,$(uring_by_static)),$(call try_uring,$(uring_by_shared))))
endif
ifeq ($(uring),)
ifneq ($(filter static shared,$(URING)),)
ifneq ($(filter-out clean uninstall install-files,$(or $(MAKECMDGOALS),all)),)
$(error URING=$(URING): $(CC) finds no $(URING) liburing, 2.3 or later)
endif
endif
endif
uring_found := $(or $(if $(uring),$(if $(filter $(uring_by_static),$(uring)),static,shared)),no)
defines := $(if $(uring),,-DBLY_NO_URING)

# Otherwise the libraries need the C library alone.
libs := $(uring) -pthread -lm
# What was apart from the C library before glibc 2.34.
test_libs := $(libs) -ldl -lutil

ifeq ($(origin RUN),undefined)
# Another machine's programs are run by its emulator, with the libraries of Debian's cross compiler.
triplet := $(patsubst %-gcc,%,$(filter %-linux-gnu-gcc %-linux-gnueabihf-gcc,$(notdir $(CC))))
foreign := $(filter-out $(shell uname -m),$(firstword $(subst -, ,$(triplet))))
ifneq ($(foreign),)
RUN := qemu-$(subst i686,i386,$(foreign)) -L /usr/$(triplet)
endif
ifeq ($(SAN),thread)
# It cannot live with addresses that are spread as widely as newer kernels do.
RUN := $(if $(shell setarch -R true 2>/dev/null && echo yes),setarch -R)
endif
endif

# ---- what it is built from ----

find = $(sort $(shell find $1 -name '$2' 2>/dev/null))
number = $(shell sed -n 's/^\#define BELAY_VERSION_$1 *//p' include/belay/base.h)

version := $(call number,MAJOR).$(call number,MINOR).$(call number,PATCH)
# Before 1.0 each minor version is a library of its own, as in src/belay.map and belayConfigVersion.cmake.
soname := libbelay.so.$(if $(filter 0,$(call number,MAJOR)),0.$(call number,MINOR),$(call number,MAJOR))
sofile := libbelay.so.$(version)

library_objects := $(patsubst %,$(BUILD)/obj/%.o,$(call find,src,*.c) $(call find,src,*.S))
cli_objects := $(patsubst %,$(BUILD)/obj/%.o,$(call find,cli,*.c))
bench_objects := $(patsubst %,$(BUILD)/obj/%.o,$(sort $(wildcard bench/*.c)))
bench_io_objects := $(patsubst %,$(BUILD)/obj/%.o,$(sort $(wildcard bench/io/*.c)))
objects := $(library_objects) $(cli_objects) $(bench_objects) $(bench_io_objects)

libraries := $(BUILD)/libbelay.a $(BUILD)/$(sofile)
programs := $(if $(cli_objects),$(BUILD)/belay) $(if $(bench_objects),$(BUILD)/belay-bench)
programs += $(patsubst $(BUILD)/obj/bench/io/%.c.o,$(BUILD)/belay-%,$(bench_io_objects))
# Those beside other libraries have a rule of their own: see `services'.
beside := $(sort $(wildcard examples/embed/*.c examples/libraries/*.c))
examples := $(patsubst %.c,$(BUILD)/%,$(filter-out $(beside),$(sort $(wildcard examples/*/*.c))))

# Each script and each source directly in tests/ or tests/PART/ is a test; tests/list has all of them. Scripts use sources
# that are no tests: make builds those in tests/PART/programs/, the scripts build those in tests/PART/parts/.
test_sources := $(sort $(wildcard tests/*.c tests/*/*.c))
test_sources_cxx := $(sort $(wildcard tests/*.cc tests/*/*.cc))
test_programs := $(test_sources:%.c=$(BUILD)/%)
test_programs += $(if $(CXX),$(test_sources_cxx:%.cc=$(BUILD)/%_cc))
service_scripts := $(sort $(wildcard tests/services/*.sh))
test_scripts := $(filter-out $(service_scripts),$(sort $(wildcard tests/*.sh tests/*/*.sh)))
test_helpers := $(patsubst %.c,$(BUILD)/%,$(sort $(wildcard tests/*/programs/*.c)))
test_helpers += $(if $(CXX),$(patsubst %.cc,$(BUILD)/%_cc,$(sort $(wildcard tests/*/programs/*.cc))))

chosen = $(if $(T),$(foreach t,$1,$(if $(strip $(foreach word,$(T),$(findstring $(word),$t))),$t)),$1)
chosen_programs := $(call chosen,$(test_programs))
chosen_scripts := $(call chosen,$(test_scripts))

# ---- rules ----

ifndef V
Q := @
endif
# Says what is made, unless by make -s.
say = $(if $(findstring s,$(firstword -$(MAKEFLAGS))),,@printf '  %-8s %s\n' '$1' $(call quote,$(if $2,$2,$@)))

.PHONY: all check check-programs check-services conformance services list-tests tests man install install-files uninstall clean FORCE
.DELETE_ON_ERROR:
.SECONDARY:
.SUFFIXES:

all: $(libraries) $(programs) $(examples) man

# Other flags, or another set of sources, than the last time: what was built so is stale.
record = @mkdir -p $(@D); printf '%s\n' $(call quote,$1) | cmp -s - $@ || printf '%s\n' $(call quote,$1) >$@

$(BUILD)/flags: FORCE
	$(call record,$(compile) | $(compile_cxx) | $(LDFLAGS) | $(WERROR) | $(uring))
	$(call say,uring,$(uring_found)$(if $(URING),,$(comma) by default; URING=static$(comma) shared or no chooses))
$(BUILD)/sources: FORCE
	$(call record,$(objects))

$(BUILD)/obj/src/%.c.o: src/%.c $(BUILD)/flags
	$(call say,cc,$<)
	@mkdir -p $(@D)
	$(Q)$(compile) $(library_flags) -MMD -MP -c $< -o $@

$(BUILD)/obj/src/%.S.o: src/%.S $(BUILD)/flags
	$(call say,as,$<)
	@mkdir -p $(@D)
	$(Q)$(compile) $(same_assembly) -Iinclude -Isrc -MMD -MP -c $< -o $@

$(BUILD)/obj/cli/%.c.o: cli/%.c $(BUILD)/flags
	$(call say,cc,$<)
	@mkdir -p $(@D)
	$(Q)$(compile) $(program_flags) -Icli -MMD -MP -c $< -o $@

$(BUILD)/obj/bench/%.c.o: bench/%.c $(BUILD)/flags
	$(call say,cc,$<)
	@mkdir -p $(@D)
	$(Q)$(compile) $(program_flags) -Isrc -MMD -MP -c $< -o $@

# Appended to nothing, as replacing would take two files of one name for the same.
$(BUILD)/libbelay.a: $(library_objects) $(BUILD)/sources
	$(call say,ar)
	@rm -f $@
	$(Q)$(AR) qcsD $@ $(library_objects)
	@echo '$(if $(uring),-luring)' >$(@D)/needs

# Not to be unloaded: a look-up that was given up may still go on in a thread.
$(BUILD)/$(sofile): $(library_objects) src/belay.map $(BUILD)/sources
	$(call say,link)
	$(Q)$(compile) $(LDFLAGS) -shared -Wl,-soname,$(soname) -Wl,--version-script=src/belay.map -Wl,-z,nodelete \
		$(if $(SAN),,-Wl,-z,defs) $(library_objects) $(uring) -pthread -o $@
	@ln -sf $(sofile) $(@D)/$(soname)
	@ln -sf $(soname) $(@D)/libbelay.so

$(BUILD)/belay: $(cli_objects) $(BUILD)/libbelay.a $(BUILD)/sources
	$(call say,link)
	$(Q)$(compile) $(LDFLAGS) $(cli_objects) $(BUILD)/libbelay.a $(libs) -o $@

$(BUILD)/belay-bench: $(bench_objects) $(BUILD)/libbelay.a $(BUILD)/sources
	$(call say,link)
	$(Q)$(compile) $(LDFLAGS) $(bench_objects) $(BUILD)/libbelay.a $(libs) -o $@

$(BUILD)/belay-%: $(BUILD)/obj/bench/io/%.c.o $(BUILD)/libbelay.a
	$(call say,link)
	$(Q)$(compile) $(LDFLAGS) $< $(BUILD)/libbelay.a $(libs) -o $@

# Those that are installed find the library wherever they are, without a path in them.
$(BUILD)/examples/documents/%: examples/documents/%.c $(BUILD)/libbelay.a $(BUILD)/flags
	$(call say,example,$<)
	@mkdir -p $(@D)
	$(Q)$(compile) $(warnings) -Iinclude -MMD -MP -MF $@.d $< $(LDFLAGS) $(BUILD)/libbelay.a $(libs) -o $@

# As a user's program is built: public headers, the shared library, no extensions asked for.
$(BUILD)/examples/%: examples/%.c $(BUILD)/$(sofile) $(BUILD)/flags
	$(call say,example,$<)
	@mkdir -p $(@D)
	$(Q)$(compile) $(warnings) -Iinclude -MMD -MP -MF $@.d $< $(LDFLAGS) -L$(BUILD) -lbelay \
		-Wl,-rpath,'$$ORIGIN/../..' -pthread -o $@

# The same with another library, which is not looked for unless somebody asks for these.
package_glib := glib-2.0
package_sd_event := libsystemd
package_cares := libcares
package = $(or $(package_$(basename $(notdir $1))),$(basename $(notdir $1)))
found = $(foreach f,$1,$(if $(shell pkg-config --exists $(call package,$f) && echo yes),$f))

$(beside:%.c=$(BUILD)/%): $(BUILD)/examples/%: examples/%.c $(BUILD)/$(sofile) $(BUILD)/flags
	$(call say,example,$<)
	@mkdir -p $(@D)
	$(Q)$(compile) $(warnings) -Iinclude $$(pkg-config --cflags $(call package,$<)) -MMD -MP -MF $@.d $< $(LDFLAGS) \
		-L$(BUILD) -lbelay -Wl,-rpath,'$$ORIGIN/../..' $$(pkg-config --libs $(call package,$<)) -pthread -o $@

services: $(libraries)
	@$(MAKE) --no-print-directory all $(patsubst %.c,$(BUILD)/%,$(call found,$(beside)))

# Against the static library, where what is hidden can be reached.
$(BUILD)/tests/%: tests/%.c $(BUILD)/libbelay.a $(BUILD)/flags
	$(call say,test,$<)
	@mkdir -p $(@D)
	$(Q)$(compile) -std=gnu11 $(warnings) $(test_flags) -MMD -MP -MF $@.d $< $(LDFLAGS) \
		$(BUILD)/libbelay.a $(test_libs) -o $@

$(BUILD)/tests/%_cc: tests/%.cc $(BUILD)/libbelay.a $(BUILD)/flags
	$(call say,test,$<)
	@mkdir -p $(@D)
	$(Q)$(compile_cxx) -std=c++17 $(warnings) $(test_flags) -MMD -MP -MF $@.d $< $(LDFLAGS) \
		$(BUILD)/libbelay.a $(test_libs) -o $@

-include $(objects:.o=.d) $(addsuffix .d,$(examples) $(beside:%.c=$(BUILD)/%) $(test_programs) $(test_helpers))

# ---- manual pages ----

man: $(BUILD)/man/made

$(BUILD)/man/made: script/man script/man.awk script/headers.awk docs/man/belay.1 debian/changelog $(call find,include,*.h)
	$(call say,man,$(@D))
	$(Q)script/man $(@D)
	@touch $@

# ---- tests ----

# What runs a test and ends all that it started: for this machine, whatever is tested.
HOSTCC ?= $(or $(shell command -v cc),$(firstword $(CC)))
keeper := $(BUILD)/tests/runner/parts/keeper

$(keeper): tests/runner/parts/keeper.c
	$(call say,test,$<)
	@mkdir -p $(@D)
	$(Q)$(HOSTCC) -O1 -g -Wall -Wextra $< -o $@

# What tests are run under: what tests/unfit speaks of. "ucontext" is what was built, whoever chose it.
by_ucontext = $(shell echo '$(hash)include "switch/switch.h"' | $(compile) -Isrc -E -dM -x c - | \
	sed -n 's/^.define BLY_SWITCH_UCONTEXT .*/ucontext/p')
under = $(strip $(subst $(comma), ,$(SAN)) $(foreach w,valgrind qemu,$(if $(findstring $w,$(RUN)),$w)) \
	$(patsubst qemu-%,%,$(filter qemu-%,$(notdir $(firstword $(RUN))))) $(by_ucontext) $(if $(filter 4,$(pointer_size)),32-bit) \
	$(foreach w,musl clang,$(if $(findstring $w,$(CC)),$w)))

# For scripts in particular: all that they need to build what this build can run.
test_environment = BUILD=$(call quote,$(abspath $(BUILD))) CC=$(call quote,$(CC)) CXX=$(call quote,$(CXX)) \
	CFLAGS=$(call quote,$(strip $(wide) $(CPPFLAGS) $(CFLAGS))) SAN=$(call quote,$(SAN)) RUN=$(call quote,$(RUN)) UNDER=$(call quote,$(under)) LIBS=$(call quote,$(libs)) MAKE=$(call quote,$(MAKE))

# For tests/list.sh.
list-tests:
	@printf '%s\n' $(test_scripts) $(service_scripts) $(test_sources) $(test_sources_cxx)

tests: $(test_programs) $(test_helpers) $(keeper)

# Scripts first, as the longest are among them.
check: all $(chosen_programs) $(test_helpers) $(keeper)
	@$(test_environment) tests/run $(chosen_scripts) $(chosen_programs)

check-programs: all $(chosen_programs) $(keeper)
	@$(test_environment) tests/run $(chosen_programs)

check-services: services $(keeper)
	@$(test_environment) tests/run $(call chosen,$(service_scripts))

conformance: $(programs)
	@$(RUN) $(BUILD)/belay check $(sort $(wildcard tests/conformance/*.vectors))

# ---- installing ----

installing = BUILD=$(call quote,$(BUILD)) DESTDIR=$(call quote,$(DESTDIR)) PREFIX=$(call quote,$(PREFIX)) \
	LIBDIR=$(call quote,$(LIBDIR)) BINDIR=$(call quote,$(BINDIR)) INCLUDEDIR=$(call quote,$(INCLUDEDIR)) \
	LIBEXECDIR=$(call quote,$(LIBEXECDIR)) MANDIR=$(call quote,$(MANDIR)) VERSION=$(version) SONAME=$(soname) SOFILE=$(sofile) script/install

install: all
	@$(MAKE) --no-print-directory install-files

# Installs what is there, whatever the flags are now. What the static library needs stands beside it.
install-files:
	$(call say,install,$(DESTDIR)$(PREFIX))
	@$(installing) install

uninstall:
	$(call say,remove,$(DESTDIR)$(PREFIX))
	@$(installing) uninstall

clean:
	rm -rf $(BUILD)
