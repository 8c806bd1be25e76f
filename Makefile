# SPDX-License-Identifier: MIT
#
# belay's build. It needs only GNU make and no configuration. It finds sources by their directories.
#
#   make                        libraries, command, benchmarks and examples; all below build/
#   make check                  every test; T="sync io": those with "sync" or "io" in the path
#   make check-programs         the test programs, without the test scripts
#   make conformance            the traces in tests/conformance
#   make services               the examples with other libraries that pkg-config finds
#   make check-services         tests of these examples, on real servers: script/test --services
#   make man                    the manual pages, from the headers' comments
#   make build/compile_commands.json    for clangd and other tools; `make' updates it, too
#   make install                to DESTDIR PREFIX (/usr/local) LIBDIR (PREFIX/lib), BINDIR,
#                               INCLUDEDIR, LIBEXECDIR, MANDIR (PREFIX/share/man)
#   make uninstall              removes what make install installed
#   make clean
#
#   CC=clang  CC=musl-gcc  CC=aarch64-linux-gnu-gcc     CXX follows CC; qemu-user runs the programs
#   SAN=address,undefined  SAN=thread                   sanitizers, in everything
#   BUILD=DIR                   where to build; each combination of the above needs its own
#   RUN="valgrind -q"           the command that runs test programs
#   URING=static|shared|no      how liburing is linked; default: the first of these that works
#   CFLAGS, CXXFLAGS, CPPFLAGS, LDFLAGS; WERROR=-Werror (warnings are errors); V=1 (shows commands)

quote = '$(subst ','\'',$1)'

# ---- tools and flags ----

ifeq ($(origin CC),default)
CC := cc
endif

# The C++ compiler that belongs to CC, for tests only. musl-gcc has none.
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

# One set of objects serves both libraries, so all are position-independent. Thread-local variables
# have their model by attribute.
library_flags = -std=gnu11 $(warnings) -fvisibility=hidden -fPIC -Iinclude -Isrc $(defines)
program_flags := -std=gnu11 $(warnings) -fvisibility=hidden -Iinclude
# Tests optimize less than the library, which halves the time of their build.
test_flags = -Iinclude -Isrc -Itests $(defines) $(if $(filter -O2 -O3,$(CFLAGS)),-O1)
# The objects do not name the build directory, so that builds in two directories are identical.
same_anywhere := $(call quote,-ffile-prefix-map=$(CURDIR)=.)
# gcc up to version 10 passes only this option on to the assembler.
same_assembly := $(call quote,-fdebug-prefix-map=$(CURDIR)=.)
# clang's assembler ignores both options for the working directory, but has an option of its own.
same_assembly += $(shell $(CC) -fdebug-compilation-dir=. -E -x c /dev/null >/dev/null 2>&1 && \
	echo -fdebug-compilation-dir=.)
pointer_size := $(shell echo __SIZEOF_POINTER__ | \
	$(CC) $(CPPFLAGS) $(CFLAGS) -E -P -x c - 2>/dev/null)
# If glibc has several layouts of struct stat, the build uses the one with 64 bits: see
# <belay/file.h>.
hash := \#
stat_condition := defined(__GLIBC__) && !defined(__OFF_T_MATCHES_OFF64_T)
stat_source := $(hash)include <sys/types.h>\n$(hash)if $(stat_condition)\nseveral\n$(hash)endif\n
several_stats := $(filter several,$(shell printf '$(stat_source)' | $(CC) -E -P - 2>/dev/null))
wide := $(if $(several_stats),-D_FILE_OFFSET_BITS=64 -D_TIME_BITS=64)
compile := $(CC) $(wide) $(CPPFLAGS) $(CFLAGS) $(same_anywhere) $(sanitize)
compile_cxx := $(CXX) $(wide) $(CPPFLAGS) $(CXXFLAGS) $(same_anywhere) $(sanitize)

# If the compiler finds liburing 2.3 or later, the build includes io_uring. URING says how:
#   static   its static library becomes part of ours; programs do not need liburing when they run
#   shared   our shared library needs the shared liburing
#   no       epoll is the only back end
# By default, the build takes the first of these that works. A value of URING that does not work is
# an error.
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

# Apart from liburing, the libraries need only the C library.
libs := $(uring) -pthread -lm
# glibc before 2.34 has these libraries separately.
test_libs := $(libs) -ldl -lutil

ifeq ($(origin RUN),undefined)
# An emulator runs the programs of another machine, with the libraries of Debian's cross compiler.
triplet := $(patsubst %-gcc,%,$(filter %-linux-gnu-gcc %-linux-gnueabihf-gcc,$(notdir $(CC))))
foreign := $(filter-out $(shell uname -m),$(firstword $(subst -, ,$(triplet))))
ifneq ($(foreign),)
RUN := qemu-$(subst i686,i386,$(foreign)) -L /usr/$(triplet)
# In qemu-i386 the child of a fork() runs without end. Most x86-64 kernels run i386 programs.
loader := /usr/i686-linux-gnu/lib/ld-linux.so.2
ifeq ($(foreign),i686)
can_load := $(shell $(loader) --version 2>/dev/null)
RUN := $(if $(can_load),$(loader) --library-path $(dir $(loader)),$(RUN))
endif
endif
ifeq ($(SAN),thread)
# Thread sanitizer cannot work with addresses spread as widely as newer kernels spread them.
RUN := $(if $(shell setarch -R true 2>/dev/null && echo yes),setarch -R)
endif
endif

# ---- sources and objects ----

find = $(sort $(shell find $1 -name '$2' 2>/dev/null))
number = $(shell sed -n 's/^\#define BELAY_VERSION_$1 *//p' include/belay/base.h)

version := $(call number,MAJOR).$(call number,MINOR).$(call number,PATCH)
# Before 1.0 each minor version is a library of its own, as in src/belay.map and
# belayConfigVersion.cmake.
major := $(call number,MAJOR)
soname := libbelay.so.$(if $(filter 0,$(major)),0.$(call number,MINOR),$(major))
sofile := libbelay.so.$(version)

library_objects := $(patsubst %,$(BUILD)/obj/%.o,$(call find,src,*.c) $(call find,src,*.S))
cli_objects := $(patsubst %,$(BUILD)/obj/%.o,$(call find,cli,*.c))
bench_objects := $(patsubst %,$(BUILD)/obj/%.o,$(sort $(wildcard bench/*.c)))
bench_io_objects := $(patsubst %,$(BUILD)/obj/%.o,$(sort $(wildcard bench/io/*.c)))
objects := $(library_objects) $(cli_objects) $(bench_objects) $(bench_io_objects)

libraries := $(BUILD)/libbelay.a $(BUILD)/$(sofile)
programs := $(if $(cli_objects),$(BUILD)/belay) $(if $(bench_objects),$(BUILD)/belay-bench)
programs += $(patsubst $(BUILD)/obj/bench/io/%.c.o,$(BUILD)/belay-%,$(bench_io_objects))
# Examples that use other libraries have a rule of their own: see `services'.
beside := $(sort $(wildcard examples/embed/*.c examples/libraries/*.c))
examples := $(patsubst %.c,$(BUILD)/%,$(filter-out $(beside),$(sort $(wildcard examples/*/*.c))))

# Each script and each source directly in tests/ or tests/PART/ is a test; tests/list has all of
# them. Scripts use sources that are no tests. make builds those in tests/PART/programs/, and the
# scripts build those in tests/PART/parts/.
test_sources := $(sort $(wildcard tests/*.c tests/*/*.c))
test_sources_cxx := $(sort $(wildcard tests/*.cc tests/*/*.cc))
test_programs := $(test_sources:%.c=$(BUILD)/%)
test_programs += $(if $(CXX),$(test_sources_cxx:%.cc=$(BUILD)/%_cc))
service_scripts := $(sort $(wildcard tests/services/*.sh))
test_scripts := $(filter-out $(service_scripts),$(sort $(wildcard tests/*.sh tests/*/*.sh)))
test_helpers := $(patsubst %.c,$(BUILD)/%,$(sort $(wildcard tests/*/programs/*.c)))
test_helpers_cxx := $(sort $(wildcard tests/*/programs/*.cc))
test_helpers += $(if $(CXX),$(patsubst %.cc,$(BUILD)/%_cc,$(test_helpers_cxx)))

is_chosen = $(strip $(foreach word,$(T),$(findstring $(word),$1)))
chosen = $(if $(T),$(foreach t,$1,$(if $(call is_chosen,$t),$t)),$1)
chosen_programs := $(call chosen,$(test_programs))
chosen_scripts := $(call chosen,$(test_scripts))

# ---- rules ----

ifndef V
Q := @
endif
# Prints what make builds, except under make -s.
say = $(if $(findstring s,$(firstword -$(MAKEFLAGS))),,\
	@printf '  %-8s %s\n' '$1' $(call quote,$(if $2,$2,$@)))

.PHONY: all tests check check-programs check-services conformance services list-tests man
.PHONY: install install-files uninstall clean FORCE
.DELETE_ON_ERROR:
.SECONDARY:
.SUFFIXES:

all: $(libraries) $(programs) $(examples) $(BUILD)/compile_commands.json man

# Updates a file only if the flags, or the set of sources, differ from those of the last build. All
# that depends on the file is then stale.
record = @mkdir -p $(@D); printf '%s\n' $(call quote,$1) | cmp -s - $@ || \
	printf '%s\n' $(call quote,$1) >$@

uring_hint := $(if $(URING),,$(comma) by default; URING=static$(comma) shared or no chooses)

$(BUILD)/flags: FORCE
	$(call record,$(compile) | $(compile_cxx) | $(LDFLAGS) | $(WERROR) | $(uring))
	$(call say,uring,$(uring_found)$(uring_hint))
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

# The archive is removed and filled by appending. Replacing would treat two objects with the same
# file name as one.
$(BUILD)/libbelay.a: $(library_objects) $(BUILD)/sources
	$(call say,ar)
	@rm -f $@
	$(Q)$(AR) qcsD $@ $(library_objects)
	@echo '$(if $(uring),-luring)' >$(@D)/needs

# nodelete keeps the library loaded, because an abandoned lookup may still run in a thread.
$(BUILD)/$(sofile): $(library_objects) src/belay.map $(BUILD)/sources
	$(call say,link)
	$(Q)$(compile) $(LDFLAGS) -shared -Wl,-soname,$(soname) \
		-Wl,--version-script=src/belay.map -Wl,-z,nodelete $(if $(SAN),,-Wl,-z,defs) \
		$(library_objects) $(uring) -pthread -o $@
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

# Installed examples link the static library, so they need no path to the shared one.
$(BUILD)/examples/documents/%: examples/documents/%.c $(BUILD)/libbelay.a $(BUILD)/flags
	$(call say,example,$<)
	@mkdir -p $(@D)
	$(Q)$(compile) $(warnings) -Iinclude -MMD -MP -MF $@.d $< $(LDFLAGS) \
		$(BUILD)/libbelay.a $(libs) -o $@

# Built as a user builds a program: public headers, the shared library, and no option
# that selects extensions.
$(BUILD)/examples/%: examples/%.c $(BUILD)/$(sofile) $(BUILD)/flags
	$(call say,example,$<)
	@mkdir -p $(@D)
	$(Q)$(compile) $(warnings) -Iinclude -MMD -MP -MF $@.d $< $(LDFLAGS) -L$(BUILD) -lbelay \
		-Wl,-rpath,'$$ORIGIN/../..' -pthread -o $@

# The same with another library. make looks for the library only if these examples are a goal.
package_glib := glib-2.0
package_sd_event := libsystemd
package_cares := libcares
package = $(or $(package_$(basename $(notdir $1))),$(basename $(notdir $1)))
found = $(foreach f,$1,$(if $(shell pkg-config --exists $(call package,$f) && echo yes),$f))

$(beside:%.c=$(BUILD)/%): $(BUILD)/examples/%: examples/%.c $(BUILD)/$(sofile) $(BUILD)/flags
	$(call say,example,$<)
	@mkdir -p $(@D)
	$(Q)$(compile) $(warnings) -Iinclude $$(pkg-config --cflags $(call package,$<)) \
		-MMD -MP -MF $@.d $< $(LDFLAGS) -L$(BUILD) -lbelay -Wl,-rpath,'$$ORIGIN/../..' \
		$$(pkg-config --libs $(call package,$<)) -pthread -o $@

services: $(libraries)
	@$(MAKE) --no-print-directory all $(patsubst %.c,$(BUILD)/%,$(call found,$(beside)))

# Linked with the static library, where tests reach hidden symbols.
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

-include $(objects:.o=.d)
-include $(addsuffix .d,$(examples) $(beside:%.c=$(BUILD)/%) $(test_programs) $(test_helpers))

# ---- for editors ----

# The compilation database, which clangd finds in build/ by itself. Each group is the flags, after
# an equals sign, and the sources.
group = $(call quote,=$(strip $(compile) $1)) $2
test_programs_flags = -std=gnu11 $(warnings) $(test_flags)

$(BUILD)/compile_commands.json: script/compile_commands.awk $(BUILD)/flags $(BUILD)/sources
	$(call say,json)
	@awk -v directory=$(call quote,$(CURDIR)) -f $< -- \
		$(call group,$(library_flags),$(call find,src,*.c)) \
		$(call group,$(program_flags) -Icli,$(call find,cli,*.c)) \
		$(call group,$(program_flags) -Isrc,$(wildcard bench/*.c bench/io/*.c)) \
		$(call group,$(warnings) -Iinclude,$(filter-out $(beside),$(wildcard examples/*/*.c))) \
		$(call group,$(test_programs_flags),$(test_sources) $(wildcard tests/*/programs/*.c)) \
		>$@.new
	@mv $@.new $@

# ---- manual pages ----

man: $(BUILD)/man/made

man_sources := script/man script/man.awk script/headers.awk docs/man/belay.1 debian/changelog

$(BUILD)/man/made: $(man_sources) $(call find,include,*.h)
	$(call say,man,$(@D))
	$(Q)script/man $(@D)
	@touch $@

# ---- tests ----

# The keeper runs a test and ends all processes that the test started. It is always built for this
# machine, even if the tests are for another.
HOSTCC ?= $(or $(shell command -v cc),$(firstword $(CC)))
keeper := $(BUILD)/tests/runner/parts/keeper

$(keeper): tests/runner/parts/keeper.c
	$(call say,test,$<)
	@mkdir -p $(@D)
	$(Q)$(HOSTCC) -O1 -g -Wall -Wextra $< -o $@

# The conditions under which tests run, as tests/unfit names them. "ucontext" is in the list if the
# build uses that switch, whether by request or by default.
by_ucontext = $(shell echo '$(hash)include "switch/switch.h"' | $(compile) -Isrc -E -dM -x c - | \
	sed -n 's/^.define BLY_SWITCH_UCONTEXT .*/ucontext/p')
under = $(strip $(subst $(comma), ,$(SAN)) \
	$(foreach w,valgrind qemu,$(if $(findstring $w,$(RUN)),$w)) \
	$(patsubst qemu-%,%,$(filter qemu-%,$(notdir $(firstword $(RUN))))) \
	$(by_ucontext) $(if $(filter 4,$(pointer_size)),32-bit) \
	$(foreach w,musl clang,$(if $(findstring $w,$(CC)),$w)))

# The environment of tests. It gives scripts all that they need to build programs that this build
# can run.
test_environment = BUILD=$(call quote,$(abspath $(BUILD))) \
	CC=$(call quote,$(CC)) CXX=$(call quote,$(CXX)) SAN=$(call quote,$(SAN)) \
	CFLAGS=$(call quote,$(strip $(wide) $(CPPFLAGS) $(CFLAGS))) LIBS=$(call quote,$(libs)) \
	RUN=$(call quote,$(RUN)) UNDER=$(call quote,$(under)) MAKE=$(call quote,$(MAKE))

# For tests/list.sh.
list-tests:
	@printf '%s\n' $(test_scripts) $(service_scripts) $(test_sources) $(test_sources_cxx)

tests: $(test_programs) $(test_helpers) $(keeper)

# Scripts run first, because the longest tests are among them.
check: all $(chosen_programs) $(test_helpers) $(keeper)
	@$(test_environment) tests/run $(chosen_scripts) $(chosen_programs)

check-programs: all $(chosen_programs) $(keeper)
	@$(test_environment) tests/run $(chosen_programs)

check-services: services $(keeper)
	@$(test_environment) tests/run $(call chosen,$(service_scripts))

conformance: $(programs)
	@$(RUN) $(BUILD)/belay check $(sort $(wildcard tests/conformance/*.vectors))

# ---- installing ----

installing = BUILD=$(call quote,$(BUILD)) DESTDIR=$(call quote,$(DESTDIR)) \
	PREFIX=$(call quote,$(PREFIX)) LIBDIR=$(call quote,$(LIBDIR)) \
	BINDIR=$(call quote,$(BINDIR)) INCLUDEDIR=$(call quote,$(INCLUDEDIR)) \
	LIBEXECDIR=$(call quote,$(LIBEXECDIR)) MANDIR=$(call quote,$(MANDIR)) \
	VERSION=$(version) SONAME=$(soname) SOFILE=$(sofile) script/install

install: all
	@$(MAKE) --no-print-directory install-files

# Installs the files in BUILD, whatever the current flags are. BUILD/needs names the libraries that
# the static library needs.
install-files:
	$(call say,install,$(DESTDIR)$(PREFIX))
	@$(installing) install

uninstall:
	$(call say,remove,$(DESTDIR)$(PREFIX))
	@$(installing) uninstall

clean:
	rm -rf $(BUILD)
