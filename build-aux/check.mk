# Tests and checks. Every suite is one line of tests/tools/suites; tests/tools/run-tests runs those of
# a name, counts their tests, and closes with "N passed, N failed, N skipped".

CLANG ?= 19

export BUILD
ifdef RUNTIME
export RUNTIME
endif
ifdef FUZZ_RUNS
export FUZZ_RUNS
endif
ifdef FUZZ_SECONDS
export FUZZ_SECONDS
endif

.PHONY: deps check check-faults soak check-peers check-engines check-vm unit unit-programs test-programs conformance layers requirements budget bench bench-shim fuzz \
        coverage coverage-build sanitize sanitize-build clang clang-build tidy tidy-check analyze cppcheck valgrind format format-check demo completions

deps:
	@build-aux/install-deps $(or $(DEPS),check)

# Nothing here may be a prerequisite that is built before the packages are there, hence the two steps.
check:
	@build-aux/install-deps check
	@tests/tools/run-tests all

# In a virtual machine with systemd and all controllers, which is made once in VM; see tests/vm/README.md.
VM ?= build/vm
VM_SUITES ?= vm vm7 peers
check-vm:
	@build-aux/install-deps vm
	@$(MAKE) all $(BUILD)/test/conformance-test $(BUILD)/test/src-test
	@VM=$(VM) SUITES=tests/vm/suites tests/tools/run-tests $(VM_SUITES)

demo:
	@build-aux/install-deps demo
	@$(MAKE) all
	@tests/demo/demo.sh $(abspath $(BUILD)/ocirt)
	@tests/demo/pods.sh $(abspath $(BUILD)/ocirt-pod)

# ---- test programs: every *_test.cc under a top folder is one program -----------------------------
ifeq ($(STATIC),1)
TEST_LIBS ?= -lseccomp -lyajl -lcap
else
TEST_LIBS ?= $(LIBS)
endif

define test_program
test_programs += $(BUILD)/test/$1-test
$(BUILD)/test/$1-test: $(call objects,$2) $3 $(sources)
	@mkdir -p $$(@D)
	$$(call say,LINK)$$(CXX) $$(link) $$(LDFLAGS) -o $$@ $$(filter %.o %.a,$$^) \
	  $$(YAML_LIBS) $$(WIRE_LIBS) $$(TEST_LIBS) $$(GTEST_LIBS)
endef

unit_spec   := $(call under,oci-spec,*_test.cc)
unit_src    := $(call under,src,*_test.cc)
support     := $(call under,tests/support,*.cc)
support_units := $(call units,tests,support,$(support))
conformance := $(call under,tests/oci-conformance tests/cli tests/security,*_test.cc)
sources_text += $(unit_spec) $(unit_src) $(conformance) $(support)
$(eval $(call test_program,oci-spec,$(call units,tests,oci-spec,$(unit_spec)),$(spec_lib)))
# The command lines are tested with the rest of src: of a program all but its main.cc.
$(eval $(call test_program,src,$(call units,tests,src,$(unit_src)) \
  $(filter-out %/main.cc,$(sort $(foreach p,$(PROGRAMS),$($p_units)))),$(wire_lib) $(libs)))
$(eval $(call test_program,conformance,$(call units,tests,conformance,$(conformance)) $(support_units),$(libs)))
# What tests of pods, of faults and of many lives have in common.
pod_support := $(patsubst %,tests/pods/%.cc,pod_fixture task_fixture raw_client)
pod_support_units := $(call units,tests,pod-support,$(pod_support))
pod_tests   := $(filter-out $(pod_support),$(call under,tests/pods,*.cc))
fault_tests := $(filter-out %/fault_run.cc,$(call under,tests/faults,*.cc))
soak_tests  := $(call under,tests/soak,*.cc)
sources_text += $(pod_support) $(pod_tests) $(fault_tests) tests/faults/fault_run.cc $(soak_tests)
define pod_program
$(call test_program,$1,$(call units,tests,$1,$2) $(pod_support_units) $(support_units),$(wire_lib) $(libs))
endef
$(eval $(call pod_program,pods,$(pod_tests)))
$(eval $(call pod_program,faults,$(fault_tests)))
$(eval $(call pod_program,soak,$(soak_tests)))
test_programs += $(BUILD)/test/fault-run
$(BUILD)/test/faults-test: | $(BUILD)/test/fault-run
$(BUILD)/test/fault-run: $(call objects,tests/faults/fault_run.cc) $(sources)
	@mkdir -p $(@D)
	$(call say,LINK)$(CXX) $(link) $(LDFLAGS) -o $@ $(filter %.o,$^)

unit-programs: $(BUILD)/test/oci-spec-test $(BUILD)/test/src-test
test-programs: $(test_programs)

unit: unit-programs
	@tests/tools/run-tests unit

# RUNTIME=/path/to/another runs the same tests against that runtime.
conformance: all $(BUILD)/test/conformance-test
	@tests/tools/run-tests conformance

layers completions requirements:
	@tests/tools/run-tests $@

budget: all $(BUILD)/test/pods-test
	@tests/tools/run-tests budget

# Not a part of `make check`: it fetches other programs' tests, and takes about ten minutes.
check-peers:
	@build-aux/install-deps peers
	@$(MAKE) all
	@tests/peers/run $(abspath $(BUILD)/ocirt)

# Every engine with its default runtime and with ocirt, in one table (build/log/compare-*.log): half an hour, and an
# hour more in the virtual machine.
check-engines:
	@build-aux/install-deps engines
	@$(MAKE) all
	@SUITES=tests/engines/suites tests/tools/run-tests all

# Natively and under v2.
check-faults: all $(BUILD)/test/faults-test
	@SUITES=tests/faults/suites tests/tools/run-tests all

# So many lives and programs, natively and under v2, and what is left of them: build/log/soak.md.
SOAK ?= 20000
soak: all $(BUILD)/test/soak-test
	@rm -f $(BUILD)/log/soak.md; mkdir -p $(BUILD)/log
	@SOAK=$(SOAK) SOAK_TABLE=$(abspath $(BUILD)/log/soak.md) SUITES=tests/soak/suites tests/tools/run-tests $(or $(SOAK_SUITES),all); \
	  status=$$?; cat $(BUILD)/log/soak.md; exit $$status

bench: all
	@tests/bench/run $(abspath $(BUILD)/ocirt)
	@tests/bench/scale $(abspath $(BUILD)/ocirt)
	@tests/bench/shim $(abspath $(BUILD)/ocirt)
bench-shim: all
	@tests/bench/shim $(abspath $(BUILD)/ocirt)

# ---- the same tree by other means -----------------------------------------------------------------
# Not optimised: it compiles in a third of the time, and no mistake is optimised away. Folders at once (MERGE), and
# with what a fuzzer counts, so that the fuzz programs are of the same objects. The tests that run
# programs are those of the ordinary build: what they run is what is to be watched.
sanitize-build:
	@$(MAKE) BUILD=build/sanitize CXX=clang++-$(CLANG) SANITIZE=fuzzer-no-link,address,undefined CXXFLAGS='-O0 -g1' \
	  MERGE=all all unit-programs fuzz-programs
sanitize: sanitize-build $(BUILD)/test/conformance-test $(BUILD)/test/pods-test
	@tests/tools/run-tests sanitize

# What the tests reach of what is compiled with a C library: not ocirt-init, whose processes have none.
coverage-build:
	@$(MAKE) BUILD=build/covered CXX=clang++-$(CLANG) COVERAGE=1 CXXFLAGS='-O1 -g0' all unit-programs
coverage:
	@build-aux/install-deps coverage
	@$(MAKE) coverage-build all $(BUILD)/test/conformance-test $(BUILD)/test/pods-test
	@tests/coverage/run build/covered

# Not optimised: what matters is what the compiler says of the source.
clang-build:
	@$(MAKE) BUILD=build/clang CXX=clang++-$(CLANG) CXXFLAGS='-O0 -g1' MERGE=all all
clang: clang-build
	@tests/tools/run-tests clang

# ---- fuzzing: every fuzz_*.cc is one program ------------------------------------------------------
fuzz_src := $(call under,oci-spec src,fuzz_*.cc)
fuzz_programs := $(foreach f,$(fuzz_src),$(BUILD)/$(basename $(notdir $f)))
# $(call fuzz_program,PROGRAM,SOURCE,ENGINE,FLAGS)
define fuzz_program
$1: $(call objects,$2 $(if $(filter src/podfile/%,$2),$(call units,programs,fuzz,$(call code_in,src/podfile)))) \
    $(if $(filter src/%,$2),$(wire_lib) $(libs),$(spec_lib)) $3
	@mkdir -p $$(@D)
	$$(call say,LINK)$$(CXX) $$(link) $4 -o $$@ $$^ $$(YAML_LIBS) $$(WIRE_LIBS) $$(TEST_LIBS)
endef
# The same objects for two engines: libFuzzer is of the compiler, AFL++ has its runtime and a main of ours.
# (Where that is installed; its suite is skipped otherwise, and says so.)
AFL_RUNTIME ?= $(wildcard /usr/lib/afl/afl-compiler-rt.o)
ifneq ($(AFL_RUNTIME),)
fuzz_programs += $(foreach f,$(fuzz_src) planted,$(BUILD)/afl/$(basename $(notdir $f)))
endif
afl_main := $(BUILD)/obj/tests/fuzz/afl_main.o
$(afl_main): private extra = -O2 -fno-sanitize=all -fno-sanitize-coverage=inline-8bit-counters,pc-table,trace-cmp,indirect-calls
$(foreach f,$(fuzz_src),$(eval $(call fuzz_program,$(BUILD)/$(basename $(notdir $f)),$f,,-fsanitize=fuzzer)))
$(foreach f,$(fuzz_src),$(eval $(call fuzz_program,$(BUILD)/afl/$(basename $(notdir $f)),$f,$(afl_main) $(AFL_RUNTIME),)))
$(eval $(call fuzz_program,$(BUILD)/afl/planted,tests/fuzz/planted.cc,$(afl_main) $(AFL_RUNTIME),))

.PHONY: fuzz-programs
fuzz-programs: $(fuzz_programs)
fuzz: sanitize-build
	@tests/tools/run-tests fuzz

# ---- style ----------------------------------------------------------------------------------------
headers      := $(call under,oci-spec src,*.h)
format_files := $(call under,oci-spec src tests,*.h) $(call under,oci-spec src tests,*.cc)
tidy_src     := $(sort $(spec_src) $(lib_src) $(wire_src) $(foreach p,$(PROGRAMS) $(HELPERS),$($p_src)))
tidy_bare    := $(filter %.cc,$(call code_in,src/init))
tidy_flags   := -xc++ -std=gnu++23 -I. -isystem $(BUILD)/gen -fno-exceptions -fno-rtti -DOCIRT_VERSION='""' \
                -DOCIRT_COMMIT='""'

tidy_files   := $(tidy_src) $(tidy_bare)
# Most of clang-tidy's time are the headers of the C++ library, which each file has: folders at once (build-aux/merge)
# take a fifth of it. The static analyzer, whose time is that of the functions, passes over what is included. In
# `make check` it looks at the files that call the kernel, in `make analyze` at all of them.
# (Only where they are wanted: no other goal needs python3 for it.)
ifneq ($(filter tidy-check analyze $(BUILD)/tidy/%,$(MAKECMDGOALS)),)
tidy_units   := $(lonely) $(call merge,tidy,$(filter-out $(lonely),$(tidy_src))) $(call merge,tidy-bare,$(filter-out $(lonely),$(tidy_bare)))
endif
analyzed     := $(filter src/init/% src/sys/%,$(tidy_files))

# $(call tidy_rule,NAME,CHECKS)
define tidy_rule
$(BUILD)/$1/%.ok: %.cc .clang-tidy $(headers) $(if $(filter tidy,$1),$(tidy_files)) | $(generated)
	@mkdir -p $$(@D); clang-tidy-$(CLANG) --quiet --checks=$2 $$< -- $$(tidy_flags) > $$@.log 2>&1 \
	  || { grep -v 'warnings\? generated' $$@.log; exit 1; }; rm $$@.log; touch $$@
endef
$(eval $(call tidy_rule,tidy,-clang-analyzer-*$(comma)-bugprone-suspicious-include))
$(eval $(call tidy_rule,analyze,-*$(comma)clang-analyzer-*$(comma)-clang-analyzer-optin.performance.Padding))
$(BUILD)/analyze/src/init/%.ok $(BUILD)/tidy/src/init/%.ok: tidy_flags += -ffreestanding
$(BUILD)/tidy/$(BUILD)/merged/tidy-bare/%.ok: tidy_flags += -ffreestanding

tidied     := $(patsubst %.cc,$(BUILD)/tidy/%.ok,$(tidy_units))
tidy-check: $(tidied) $(patsubst %.cc,$(BUILD)/analyze/%.ok,$(analyzed))
analyze: $(tidied) $(patsubst %.cc,$(BUILD)/analyze/%.ok,$(tidy_files))
# A minute, and no finding that is not in the list of what it takes for one.
cppcheck: $(generated)
	@build-aux/install-deps cppcheck
	@cppcheck -q --std=c++20 --language=c++ --enable=warning,performance,portability --error-exitcode=1 \
	  -I. -I$(BUILD)/gen --suppressions-list=tests/tools/cppcheck-suppressions --suppress=missingInclude \
	  $(filter-out %_test.cc,$(tidy_files))
# A quarter of an hour: tests beside the code, but for those that use calls that valgrind does not know.
valgrind: unit-programs
	@build-aux/install-deps valgrind
	@tests/tools/valgrind $(BUILD)/test
format-check:
	@clang-format-$(CLANG) --dry-run --Werror $(format_files)
format:
	@clang-format-$(CLANG) -i $(format_files)
tidy: format-check
	@tests/tools/run-tests tidy
