# kscore: make help

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
QUIET := $(findstring s,$(firstword -$(MAKEFLAGS)))
MAKEFLAGS += --no-builtin-rules -j$(shell nproc)

BUILD ?= release
O := build/$(BUILD)
PREFIX ?= /usr/local
CC = gcc
PACKAGES := rdkafka jansson libcurl libmicrohttpd zlib
TEST_PACKAGES := check avro-c

ROOMS := core consumer schemas scoring producer pipeline http cli
SOURCES := $(foreach room,$(ROOMS),$(wildcard $(room)/*.c))
UNIT := $(wildcard tests/unit/*.c)
FAULT := $(wildcard tests/fault/*.c)
BROKER := $(wildcard tests/broker/*.c)
MODEL := $(wildcard tests/model/*.c)
HARNESS := $(wildcard tests/*.c)
FUZZ := $(wildcard tests/fuzz/*.c)
BENCH := $(wildcard bench/*.c)

# A build variant is a folder below build/ with flags of its own.
FLAGS_release := -O2 -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fPIE -fno-plt
LINK_release := -pie -Wl,-z,relro,-z,now
FLAGS_asan := -O1 -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
LINK_asan := -fsanitize=address,undefined
FLAGS_tsan := -O1 -fsanitize=thread -fno-omit-frame-pointer
LINK_tsan := -fsanitize=thread
FLAGS_emulated := $(FLAGS_release)
LINK_emulated := $(LINK_release)
FLAGS_fuzz := -O1 -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
LINK_fuzz := -fsanitize=fuzzer,address,undefined
ifeq ($(BUILD),fuzz)
CC = clang
endif

WARNINGS := -Wall -Wextra -Wshadow -Wpointer-arith -Wstrict-prototypes -Wmissing-prototypes \
	-Wwrite-strings -Wformat=2 -Wundef -Wvla -Wno-format-nonliteral $(if $(WERROR),-Werror)
COMMIT = $(shell git describe --always --dirty 2>/dev/null || echo unknown)
# V=1 shows the commands, -s nothing.
say = $(if $(V)$(QUIET),,@echo "  $(1)"; )
CPPFLAGS += -I. -D_GNU_SOURCE
CFLAGS += -std=gnu11 -g $(WARNINGS) $(FLAGS_$(BUILD))
LIBS = $(shell pkg-config --libs $(PACKAGES)) -lm -lpthread
TEST_LIBS = $(shell pkg-config --libs $(TEST_PACKAGES))

OBJECTS := $(SOURCES:%.c=$(O)/%.o)
test_objects = $(patsubst %.c,$(O)/%.o,$(1) $(HARNESS))
# Only the scoring code differs in `emulated`: the rest is release's.
ifeq ($(BUILD),emulated)
OBJECTS := $(filter $(O)/scoring/%,$(OBJECTS))
test_objects =
BORROWED = $(patsubst %.c,build/release/%.o,$(filter-out scoring/%,$(SOURCES)) $(UNIT) $(FUZZ) $(HARNESS))
build/release/unit: always ; @env -u MAKEFLAGS $(MAKE) -s BUILD=release $@
$(O)/unit: | build/release/unit
endif

# The scoring code adds floats in the library's order, one rounding each: no fused multiply-add.
$(O)/scoring/%.o: CFLAGS += -ffp-contract=off -O3
# What only some processors have, in files of its own: scoring/kernel.c asks before it goes there.
# Asked when they are compiled: when this is read there may be no compiler yet (tools/deps).
is_x86 = $(filter x86_64-%,$(shell $(CC) -dumpmachine))
$(O)/scoring/bits_avx2.o: VECTORS = $(if $(is_x86),-mavx2 -mbmi)
$(O)/scoring/bits_avx512.o $(O)/scoring/bits_avx512_alone.o: VECTORS = $(if $(is_x86),-mbmi -mavx512f -mavx512bw -mavx512vl -mavx512vbmi)
# The variant `emulated` has them on every processor: SIMDe's headers in place of the compiler's.
ifeq ($(BUILD),emulated)
VECTORS_emulated := -Itests/emulated -D__AVX2__ -D__AVX512VBMI__ -DSIMDE_NO_NATIVE -Wno-psabi
$(O)/scoring/bits_avx512.o $(O)/scoring/bits_avx512_alone.o: CPPFLAGS += -D__AVX512VL__
$(O)/scoring/kernel.o: CPPFLAGS += '-D__builtin_cpu_supports(feature)=1'
endif
$(O)/scoring/bits_avx%.o: CFLAGS += $(or $(VECTORS_emulated),$(VECTORS))

# Else gcc joins the interpreter's dispatches again where their tails are alike (38 down to 17): 5 %.
ifneq ($(CC),clang)
$(O)/schemas/plan_run.o: CFLAGS += -fno-crossjumping
endif

.PHONY: always help deps deps-test deps-page deps-bench deps-fuzz build demo test test-faults test-long lint bench fuzz fuzz-targets install clean

build: $(O)/kscore ## build kscore into build/release

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 22

deps: ## check for libraries and tools, install what is missing (Debian, Ubuntu)
	@tools/deps build

# Nothing is compiled before what it needs is there.
$(O)/%.o: %.c | deps
	@mkdir -p $(@D)
	$(call say,cc $<)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

# Every score names its build: it follows the commit.
$(O)/cli/version.o: CPPFLAGS += -DKSCORE_BUILD='"$(COMMIT)"'
$(O)/cli/version.o: $(O)/commit
$(O)/commit: always | deps
	@mkdir -p $(@D); echo "$(COMMIT)" | cmp -s - $@ || echo "$(COMMIT)" > $@

# It carries the demo's bundle.
$(O)/cli/demo_bundle.o: $(wildcard examples/payments/bundle/*)

# It carries the page.
$(O)/http/page.o: http/page.html

# It carries the schema of scores.
$(O)/schemas/score_schema.o: schemas/score.avsc

# glibc's malloc keeps the holes of every backlog in an arena for each thread: after half an hour of
# faults 101 MiB for 3 in use, and rising; jemalloc does not, and is faster (docs/faults.md). Not for
# the sanitizers, which bring their own, nor for the tests' programs.
MALLOC_release = $(shell pkg-config --libs jemalloc)

$(O)/kscore: $(OBJECTS) $(O)/main.o
	$(call say,link $@)$(CC) $(CFLAGS) $(LINK_$(BUILD)) -o $@ $^ $(MALLOC_$(BUILD)) $(LIBS)

# Preloaded, it breaks kscore for the verifier's own test.
$(O)/broken.so: tests/preload/broken.c
	@mkdir -p $(@D)
	$(call say,link $@)$(CC) $(CPPFLAGS) $(CFLAGS) -fPIC -shared -o $@ $<

# A kscore that counts wrong, for the suite invariant.
$(O)/unsound: $(OBJECTS) $(O)/main.o $(O)/tests/preload/unsound.o
	$(call say,link $@)$(CC) $(CFLAGS) $(LINK_$(BUILD)) -Wl,--wrap=ring_retire -o $@ $^ $(LIBS)

# Fuzz targets are replayed over their corpora by the unit suites.
$(O)/unit: $(OBJECTS) $(call test_objects,$(UNIT) $(FUZZ))
	$(call say,link $@)$(CC) $(CFLAGS) $(LINK_$(BUILD)) -o $@ $^ $(BORROWED) $(TEST_LIBS) $(LIBS)

$(O)/fault: $(OBJECTS) $(call test_objects,$(FAULT))
	$(call say,link $@)$(CC) $(CFLAGS) $(LINK_$(BUILD)) -o $@ $^ $(TEST_LIBS) $(LIBS)

$(O)/broker: $(OBJECTS) $(call test_objects,$(BROKER)) | $(O)/unsound
	$(call say,link $@)$(CC) $(CFLAGS) $(LINK_$(BUILD)) -o $@ $^ $(TEST_LIBS) $(LIBS)

# The pipeline without its clients: what tests/model defines is not taken from the archive. Time is the model's.
$(O)/model: $(MODEL:%.c=$(O)/%.o) $(O)/tests/harness.o $(O)/kscore.a
	$(call say,link $@)$(CC) $(CFLAGS) $(LINK_$(BUILD)) -Wl,--wrap=clock_gettime,--wrap=nanosleep -o $@ $^ $(TEST_LIBS) $(LIBS)

$(O)/kscore.a: $(OBJECTS)
	$(call say,ar $@)rm -f $@; ar rcsT $@ $^

demo: build ## the whole story in one process, on librdkafka's embedded broker
	@$(O)/kscore demo

test: deps-test ## every suite, on a real broker too; one: make test S=ledger C=gaps BUILD=asan
	@tests/run "$(S)" "$(C)" "$(if $(S),$(BUILD))"

test-faults: deps-test build $(O)/broken.so ## each fault once, both delivery modes; and the tests of the verifier and of the verdict on memory
	@tests/faults.py --self-test
	@tests/soak.py --self-test
	@tests/faults.py

test-long: deps-test ## what takes longer: long fuzzing, a second librdkafka
	@tests/run-long

deps-test: ; @tools/deps test
deps-page: ; @tools/deps page
deps-bench: ; @tools/deps bench
deps-fuzz: ; @tools/deps fuzz

lint: ## house rules, formatting, warnings as errors, static analysis
	@tools/deps lint
	@tools/lint
	@tests/lint_test

# What a benchmark compares with is used where it is installed.
XGBOOST_LIBS = $(if $(wildcard /usr/include/xgboost/c_api.h),-lxgboost)

$(O)/bench_kafka: MALLOC = $(MALLOC_$(BUILD)) # the bare pass-through has the same
$(O)/bench_forest $(O)/bench_load: $(O)/bench/library.o $(O)/bench/library_onnx.o
$(O)/bench_%: $(OBJECTS) $(O)/bench/bench_%.o $(O)/bench/synthetic.o $(O)/bench/timing.o
	$(call say,link $@)$(CC) $(CFLAGS) $(LINK_$(BUILD)) -o $@ $^ $(MALLOC) $(TEST_LIBS) $(LIBS) $(XGBOOST_LIBS)

bench: deps-bench build $(O)/bench_kafka $(O)/bench_decode $(O)/bench_forest $(O)/bench_load ## CPU per message, decoding, scoring, loading: a table
	@bench/run $(O)

FUZZ_SECONDS ?= 60

$(O)/fuzz_%: $(OBJECTS) $(O)/tests/fuzz/fuzz_%.o
	$(call say,link $@)$(CC) $(CFLAGS) $(LINK_fuzz) -o $@ $^ $(TEST_LIBS) $(LIBS)

$(O)/tests/fuzz/%.o: CPPFLAGS += $(if $(filter fuzz,$(BUILD)),-DKSCORE_FUZZER)

fuzz: deps-fuzz ## every fuzz target for FUZZ_SECONDS (60)
	@$(MAKE) BUILD=fuzz fuzz-targets

fuzz-targets: $(patsubst tests/fuzz/fuzz_%.c,$(O)/fuzz_%,$(FUZZ))
	@for target in $^; do name=$${target##*/fuzz_}; mkdir -p build/corpus/$$name; \
		echo "fuzz $$name, $(FUZZ_SECONDS) s"; \
		$$target -max_total_time=$(FUZZ_SECONDS) -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
			-artifact_prefix=build/corpus/$$name- \
			build/corpus/$$name tests/fuzz/corpus/$$name 2>build/corpus/$$name.log \
			|| { tail -40 build/corpus/$$name.log; exit 1; }; done

install: build ## kscore into PREFIX (/usr/local)
	install -D -m 755 $(O)/kscore $(DESTDIR)$(PREFIX)/bin/kscore
	install -D -m 755 tools/kscore_bundle.py $(DESTDIR)$(PREFIX)/bin/kscore-bundle
	install -D -m 644 deploy/kscore.service $(DESTDIR)$(PREFIX)/share/doc/kscore/kscore.service
	install -D -m 644 config.example.ini $(DESTDIR)$(PREFIX)/share/doc/kscore/config.example.ini
	install -D -m 644 schemas/score.avsc $(DESTDIR)$(PREFIX)/share/doc/kscore/score.avsc

clean: ## delete everything that was built
	rm -rf build

# Objects are kept for the next build although rules chain through them.
.SECONDARY:

-include $(shell find $(O) -name '*.d' 2>/dev/null)
