# ocirt: how the programs are built. Tests and checks are in build-aux/check.mk, installing and
# releasing in build-aux/install.mk. It works as it stands; ./configure only writes config.mk, which
# replaces the defaults below. `make help` lists the targets.

-include config.mk

ifeq ($(MAKELEVEL),0)
MAKEFLAGS += -j$(shell nproc)   # a -j on the command line wins over this one
endif
MAKEFLAGS += --no-builtin-rules --no-builtin-variables --no-print-directory
.SUFFIXES:
.DELETE_ON_ERROR:

ifeq ($(filter-out default undefined,$(origin CXX)),)
CXX := g++
endif
ifeq ($(filter-out default undefined,$(origin AR)),)
AR := ar
endif
STRIP      ?= strip
PKG_CONFIG ?= pkg-config
# For size: a command's resident memory is its text, which the kernel maps around each page that is
# touched. Of the default bundle's run -O2 made 2628 KiB, -Os 1810, in no more
# time; -Oz is 8 KB less than -Os.
CXXFLAGS   ?= -Oz -g
LDFLAGS    ?=
STATIC     ?= 1
SANITIZE   ?=
BUILD      ?= build
VERSION    := $(shell cat build-aux/version)

# ---- flags ----------------------------------------------------------------------------------------
is_clang := $(findstring clang,$(shell $(CXX) --version 2>/dev/null))
is_x86   := $(filter x86_64% i%86%,$(shell $(CXX) -dumpmachine 2>/dev/null))

comma    := ,
common   := -std=gnu++23 -I. -Wall -Wextra -Wshadow -Werror -ffunction-sections -fdata-sections -MMD -MP
# Not among the flags that the stamp below compares: a copied tree keeps its objects.
no_paths := -ffile-prefix-map=$(CURDIR)=.
hardening := -U_FORTIFY_SOURCE $(if $(filter -O0,$(CXXFLAGS)),,-D_FORTIFY_SOURCE=2) -fstack-protector-strong -fstack-clash-protection \
            $(if $(is_x86),-fcf-protection)
link     := -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -Wl,--gc-sections -pie

ifneq ($(SANITIZE),)
# The sanitizers bring their own shared runtime, and fortified calls hide errors from them.
override STATIC := 0
# GCC warns of uninitialised members of an empty std::expected in code that only the sanitizers make.
hardening := -fsanitize=$(SANITIZE) -fno-sanitize-recover=all -fno-omit-frame-pointer \
             $(if $(is_clang),,-Wno-maybe-uninitialized)
link     += -fsanitize=$(SANITIZE)
endif

# Counters in a file that all processes of a program map: they count on through fork, _exit and SIGKILL.
COVERAGE   ?=
ifneq ($(COVERAGE),)
# Clang's runtime for it wants the C library that it was made for.
override MUSL :=
counted  := -fprofile-instr-generate=$(CURDIR)/$(BUILD)/counts/%m%c.profraw
hardening += $(counted) -fcoverage-mapping -mllvm -runtime-counter-relocation
link     += $(counted)
endif

hosted   := $(common) -isystem $(BUILD)/gen $(CXXFLAGS) $(hardening) -fPIE -D_GLIBCXX_ASSERTIONS $(LIBS_CFLAGS) $(CPPFLAGS)
# Debuggers unwind by .debug_frame; what exceptions would need takes 150 KB of every process.
# GCC's copies of functions for what single callers hand them would be 50 KB, most of them of std::string's.
product  := $(hosted) -fno-exceptions -fno-rtti \
            $(if $(is_clang),,-fno-ipa-cp -fno-ipa-sra -fno-partial-inlining) \
            $(if $(SANITIZE),,-fno-asynchronous-unwind-tables -fno-unwind-tables)
# GoogleTest wants exceptions and RTTI, so the tests keep them. They are compiled for the compiler's time,
# half of that of -Oz: what they test is optimised, they are not.
TEST_CXXFLAGS ?= -O0 -g1
test     := $(filter-out -D_FORTIFY_SOURCE=2 $(CXXFLAGS),$(hosted)) $(TEST_CXXFLAGS) $(GTEST_CFLAGS)
# ocirt-init runs without a C library. GCC would turn the loop inside memcpy into a call of memcpy.
# Small, not fast (54 KB for 70): it is copied for every container, and what it does is system calls.
bare     := $(common) -Oz -g -ffreestanding -fno-exceptions -fno-rtti -fno-stack-protector \
            -U_FORTIFY_SOURCE -fno-asynchronous-unwind-tables -fno-threadsafe-statics -fpie \
            $(if $(is_clang),,-fno-tree-loop-distribute-patterns)

# Relative relocations as a bit map, 1 KB in place of 90. glibc applies them to static programs from 2.36 on.
relr := $(if $(shell $(CXX) -Wl,--help 2>/dev/null | grep pack-relative-relocs),-Wl$(comma)-z$(comma)pack-relative-relocs)
# Ours (src/base/terminate.cc), in place of the library's with its demangler.
terminate := _ZN9__gnu_cxx27__verbose_terminate_handlerEv
# What protoc-c writes is C. Small, not fast: it is tables, and functions that only the tables call.
messages := -x c -std=gnu17 -isystem $(BUILD)/gen -Os -ffunction-sections -fdata-sections -MMD -MP -fPIE \
            $(LIBS_CFLAGS) -fno-asynchronous-unwind-tables

# A static program reaches main a millisecond earlier than one with four shared libraries.
ifeq ($(STATIC),1)
program_link := $(filter-out -pie,$(link)) -static-pie -Wl,-u,$(terminate) $(relr) \
                $(if $(SANITIZE),,-Wl,--no-eh-frame-hdr -Wl$(comma)-T$(comma)build-aux/no-unwinding.ld)
LIBS ?= -lseccomp -lyajl_s -lcap

# The C library of these programs: musl, where it is installed. glibc's brings 680 KB of locales, of character sets and
# of the loader into each of them and 6 system calls before main; musl 60 KB and none of those (docs/performance.md).
# Objects are compiled with glibc's headers all the same, once for programs and tests: src/musl/glibc_names.cc.
MUSL ?= $(wildcard /usr/lib/$(firstword $(subst -, ,$(shell $(CXX) -dumpmachine)))-linux-musl/libc.a)
ifneq ($(MUSL),)
musl_src     := $(wildcard src/musl/*.cc)
musl         := $(BUILD)/bare/src/musl/start.o $(patsubst %.cc,$(BUILD)/obj/%.o,$(filter-out %/start.cc,$(musl_src)))
program_link += -nostdlib
program_libs  = $(shell $(CXX) -print-file-name=libstdc++.a) $(MUSL) $(shell $(CXX) -print-libgcc-file-name)
endif
else
program_link := $(link)
LIBS ?= $(shell $(PKG_CONFIG) --libs libseccomp yajl libcap)
endif
WIRE_LIBS  ?= -lprotobuf-c
YAML_LIBS  ?= -lyaml
GTEST_LIBS ?= -lgtest_main -lgmock -lgtest -pthread

# ---- sources --------------------------------------------------------------------------------------
under   = $(if $(wildcard $1),$(sort $(shell find $(wildcard $1) -name "$2")))
code_in = $(filter-out %_test.cc,$(foreach f,$(call under,$1,*.cc),$(if $(filter fuzz_%,$(notdir $f)),,$f)))
objects = $(patsubst %,$(BUILD)/obj/%.o,$(basename $1))

spec_src := $(call code_in,oci-spec)
# What other programs ask of ocirt-net, and what else of it does without its library: tested with src.
net_words := $(patsubst %,src/net/%.cc,request pod_request pod_client subnet pool pod_hosts netlink_answer json cni)
lib_src  := $(call code_in,src/base src/sys src/bare src/linux src/plan src/container src/pod) $(net_words)
wire_src := $(call code_in,src/wire)
protos   := $(call under,src/wire,*.proto)
init_src := $(strip $(call code_in,src/init src/bare) $(call under,src/init src/bare,*.S))

# A program is three lines: its name, its sources, and its name once more in PROGRAMS. One that speaks
# ttrpc has NAME_archives = $(wire_lib) and NAME_libs = $(WIRE_LIBS) as well.
PROGRAMS  := ocirt ocirt-shim ocirt-pod
ocirt_src := $(call code_in,src/cli)
ocirt-shim_src      := $(call code_in,src/shim)
ocirt-shim_archives  = $(wire_lib)
ocirt-shim_libs      = $(WIRE_LIBS)
# The same program under the name by which containerd looks for it.
LINKS := containerd-shim-ocirt-v2
shared := $(patsubst %,src/cli/%.cc,duration options table version)
ocirt-pod_src       := $(call code_in,src/podfile src/podcli) $(shared)
ocirt-pod_archives   = $(wire_lib)
ocirt-pod_libs       = $(YAML_LIBS) $(WIRE_LIBS)

# Programs that ocirt runs for rare needs (src/sys/companion.h), with libraries that cannot be linked
# statically. Left out where the library is missing; ocirt then says that it is not supported.
MNL ?= $(if $(shell $(PKG_CONFIG) --exists libmnl && echo yes),1,0)
ifeq ($(MNL),1)
HELPERS   += ocirt-net
endif
ocirt-net_src  := $(filter-out $(net_words),$(call code_in,src/net))
ocirt-net_libs  = $(shell $(PKG_CONFIG) --libs libmnl) $(filter -lyajl%,$(LIBS))
SYSTEMD ?= $(if $(shell $(PKG_CONFIG) --exists libsystemd && echo yes),1,0)
ifeq ($(SYSTEMD),1)
HELPERS   += ocirt-systemd
endif
ocirt-systemd_src  := $(call code_in,src/systemd)
ocirt-systemd_libs  = $(shell $(PKG_CONFIG) --libs libsystemd)

# MERGE=tests or all: sources of a folder are compiled together (build-aux/merge), by a sixth of the work and without
# what only one file alone tells. For checks; the programs that are installed are compiled file by file.
MERGE   ?=
# What takes the place of a function that a library's headers declare; what rules name, or is a part of several programs.
lonely  := src/init/entry.cc src/base/terminate.cc
alone   := %/main.cc src/base/version.cc $(shared) $(lonely)
# $(call units,programs|tests,LIST,SOURCES)
units    = $(if $(filter all $1,$(MERGE)),$(call merge,$1/$2,$(filter-out $(alone),$3)) $(filter $(alone),$3),$3)
merge    = $(if $2,$(shell build-aux/merge $(BUILD)/merged/$1 $2)$(if $(filter 0,$(.SHELLSTATUS)),,$(error build-aux/merge failed)))
spec_units := $(call units,programs,spec,$(spec_src))
lib_units  := $(call units,programs,lib,$(lib_src))
wire_units := $(call units,programs,wire,$(wire_src))
$(foreach p,$(PROGRAMS) $(HELPERS),$(eval $p_units := $(call units,programs,$p,$($p_src))))

spec_lib := $(BUILD)/liboci-spec.a
wire_lib := $(BUILD)/libocirt-wire.a
lib      := $(BUILD)/libocirt.a
init     := $(BUILD)/ocirt-init
libs     := $(lib) $(spec_lib)

.PHONY: all libs help FORCE
all: $(PROGRAMS:%=$(BUILD)/%) $(HELPERS:%=$(BUILD)/%) $(LINKS:%=$(BUILD)/%)
libs: $(libs)

# ---- rules ----------------------------------------------------------------------------------------
V ?= 0
ifeq ($(V),0)
say = @printf '  %-7s %s\n' '$1' '$@';
endif

define compile
@mkdir -p $(@D)
$(call say,$1)$(CXX) $2 $(extra) $(no_paths) -c -o $@ $<
endef

define archive
@mkdir -p $(@D); rm -f $@
$(call say,AR)$(AR) rcsD $@ $(filter %.o,$^)
endef

# A stamp is a file that changes when the text that it holds does, and what was made with the old
# text is then made anew: flags and compiler, the list of sources, the version.
define stamp
$(BUILD)/stamp/$1: FORCE
	@mkdir -p $$(@D); echo '$$($1_text)' > $$@.new; \
	if cmp -s $$@.new $$@; then rm $$@.new; else mv $$@.new $$@; fi
endef
flags_text   := $(CXX) $(product) | $(test) | $(bare) | $(messages) | $(program_link) $(LDFLAGS) $(LIBS) $(MUSL)
sources_text := $(spec_src) $(lib_src) $(wire_src) $(protos) $(init_src) $(musl_src) $(foreach p,$(PROGRAMS) $(HELPERS),$($p_src))
commit_text   = $(shell sh build-aux/commit-id)
$(foreach s,flags sources commit,$(eval $(call stamp,$s)))
flags   := $(BUILD)/stamp/flags
sources := $(BUILD)/stamp/sources

# Messages: src/wire/NAME.proto becomes src/wire/NAME.pb-c.h and .c below build/gen. All of them are there
# before the first object is made; from then on the .d files say who includes which.
PROTOC_C ?= protoc-c
generated := $(protos:%.proto=$(BUILD)/gen/%.pb-c.h)
.SECONDARY: $(generated) $(generated:.h=.c)
$(BUILD)/gen/%.pb-c.h $(BUILD)/gen/%.pb-c.c: %.proto
	@mkdir -p $(@D)
	$(call say,PROTOC)$(PROTOC_C) -I. --c_out=$(BUILD)/gen $<
$(BUILD)/gen/%.o: $(BUILD)/gen/%.pb-c.c $(flags) | $(generated)
	$(call say,C)$(CXX) $(messages) $(no_paths) -c -o $@ $<

$(BUILD)/obj/%_test.o: %_test.cc $(flags) | $(generated)
	$(call compile,TEST,$(test))
$(BUILD)/obj/tests/%.o: tests/%.cc $(flags) | $(generated)
	$(call compile,TEST,$(test))
$(BUILD)/obj/$(BUILD)/merged/tests/%.o: $(BUILD)/merged/tests/%.cc $(flags) | $(generated)
	$(call compile,TEST,$(test))
$(BUILD)/obj/%.o: %.cc $(flags) | $(generated)
	$(call compile,CXX,$(product))
$(BUILD)/bare/%.o: %.cc $(flags)
	$(call compile,BARE,$(bare))
$(BUILD)/bare/%.o: %.S $(flags)
	$(call compile,BARE,$(bare))

$(wire_lib): $(call objects,$(wire_units)) $(protos:%.proto=$(BUILD)/gen/%.o) $(sources)
	$(archive)
$(spec_lib): $(call objects,$(spec_units)) $(sources)
	$(archive)
$(lib): $(call objects,$(lib_units)) $(if $(init_src),$(BUILD)/obj/src/container/init_image.o) $(sources)
	$(archive)

# The program that becomes the container's first process, and its bytes inside ocirt. In two segments
# rather than four: 5 KB of padding that would be copied, and two mappings, less for every container.
# (Nothing makes a part of its data read-only: it relocates itself.)
$(init).debug: $(patsubst %,$(BUILD)/bare/%.o,$(basename $(init_src))) $(sources)
	$(call say,LINK)$(CXX) -nostdlib -static-pie -Wl,--gc-sections -Wl,-z,noexecstack \
	  -Wl,-z,norelro -Wl,-z,noseparate-code -Wl,--build-id=none -o $@ $(filter %.o,$^)
$(init): $(init).debug
	$(call say,STRIP)$(STRIP) -s -o $@ $<
$(BUILD)/obj/src/container/init_image.o: src/container/init_image.S $(init)
	@mkdir -p $(@D)
	$(call say,EMBED)$(CXX) -I. -DINIT_IMAGE='"$(init)"' -c -o $@ $<

# The version reaches one file only, so that a commit rebuilds one object.
$(BUILD)/obj/src/base/version.o: $(BUILD)/stamp/commit build-aux/version
$(BUILD)/obj/src/base/version.o: private extra = -DOCIRT_VERSION='"$(VERSION)"' \
  -DOCIRT_COMMIT='"$(commit_text)"'

# The fortified functions themselves.
$(BUILD)/obj/src/musl/glibc_names.o: private extra = -U_FORTIFY_SOURCE

# The linker writes a program piece by piece, and so the page cache has it in single pages; written
# from begin to end it lies there in large ones, and is mapped in fewer and quicker faults: `exec`
# took 1.76 ms instead of 1.86 (docs/performance.md).
define program
$(BUILD)/$1: $$(musl) $$(call objects,$$($1_units)) $$($1_archives) $$(libs)
	$$(call say,LINK)$$(CXX) $$(program_link) $$(LDFLAGS) -o $$@.linked $$^ $$($1_libs) $$(LIBS) \
	  $$(program_libs) && rm -f $$@ && cp $$@.linked $$@ && rm $$@.linked
endef
$(foreach p,$(PROGRAMS),$(eval $(call program,$p)))

$(LINKS:%=$(BUILD)/%): $(BUILD)/ocirt-shim
	@ln -sf ocirt-shim $@

# Their C++ library is linked in: loading it would take longer than everything else that they do.
define helper
$(BUILD)/$1: $$(call objects,$$($1_units)) $$(libs)
	$$(call say,LINK)$$(CXX) $$(link) $$(if $$(SANITIZE),,-static-libstdc++ -static-libgcc) \
	  $$(LDFLAGS) -o $$@ $$^ $$($1_libs)
endef
$(foreach p,$(HELPERS),$(eval $(call helper,$p)))

define newline


endef

help:
	@sed -n 's/^#? //p' Makefile

#? all          build/ocirt and what it is made of (the default)
#? deps         install the packages that demo and check need (Debian; DEPS=build|demo|check|engines|vm)
#? demo         install what is missing, build, and show a container's life
#? check        install what is missing, then every test and check below
#? check-vm     the tests in a virtual machine, where systemd makes the cgroups (VM_SUITES="vm vm7 peers")
#? unit         tests beside the code; no root needed
#? check-faults every system call of every command fails once, natively and under v2
#? soak         20,000 containers and 20,000 programs in them, natively and under v2 (SOAK=20000)
#? check-engines  podman, buildah, docker and containerd by themselves, beside their default runtime
#? check-peers  the test suites of runc and crun, beside the runtimes that they were written for
#? conformance  tests of the specification, as root (RUNTIME=/path tests another runtime)
#? sanitize     unit and conformance tests with AddressSanitizer and UBSan
#? clang        the programs by clang++-19, not optimised, and a container's life with them
#? fuzz         fuzz the readers, by libFuzzer and by AFL++ (FUZZ_RUNS inputs or FUZZ_SECONDS each)
#? layers       includes point downward only; kernel words in few folders only
#? budget       system calls, memory, libraries and size of one container
#? requirements every MUST of the specification has a test (SPEC_DOCUMENTS=folder with its documents)
#? coverage     the lines and branches that the tests reach, by folder and file (10 minutes)
#? completions  what the shells offer is what the program takes
#? tidy         clang-format and clang-tidy; `make format` rewrites the sources
#? analyze      clang-tidy with its static analyzer on every file (half an hour of one core)
#? cppcheck     what cppcheck finds, less tests/tools/cppcheck-suppressions
#? valgrind     the tests beside the code under valgrind, less those of tests/tools/valgrind-left-out
#? bench        compare with other runtimes, and the shim with containerd's (bench-shim: that alone)
#? install      PREFIX=/usr/local DESTDIR=; `make uninstall` removes it
#? dist         ocirt-VERSION.tar.gz
#? clean        remove build/
#?
#? Variables: MERGE=tests|all (sources of a folder compiled together: sooner, for checks) CXX CXXFLAGS LDFLAGS STATIC=1|0 MUSL=FILE (empty: the system's C library) SYSTEMD=1|0 BUILD=build V=1

include build-aux/check.mk
include build-aux/install.mk

-include $(call under,$(BUILD)/obj $(BUILD)/bare $(BUILD)/gen,*.d)
