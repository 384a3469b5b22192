# kscore: make help

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

BUILD ?= release
O := build/$(BUILD)
PREFIX ?= /usr/local
CC = gcc
PACKAGES := rdkafka jansson
TEST_PACKAGES := check avro-c

ROOMS := core consumer schemas scoring producer pipeline cli
SOURCES := $(foreach room,$(ROOMS),$(wildcard $(room)/*.c))
UNIT := $(wildcard tests/unit/*.c)
FAULT := $(wildcard tests/fault/*.c)
BROKER := $(wildcard tests/broker/*.c)
HARNESS := $(wildcard tests/*.c)
FUZZ := $(wildcard tests/fuzz/*.c)
BENCH := $(wildcard bench/*.c)

# A build variant is a folder below build/ with flags of its own.
FLAGS_release := -O2 -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fPIE -fno-plt
LINK_release := -pie -Wl,-z,relro,-z,now
FLAGS_asan := -O1 -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
LINK_asan := -fsanitize=address,undefined
FLAGS_fuzz := -O1 -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
LINK_fuzz := -fsanitize=fuzzer,address,undefined
ifeq ($(BUILD),fuzz)
CC = clang
endif

WARNINGS := -Wall -Wextra -Wshadow -Wpointer-arith -Wstrict-prototypes -Wmissing-prototypes \
	-Wwrite-strings -Wformat=2 -Wundef -Wvla -Wno-format-nonliteral $(if $(WERROR),-Werror)
COMMIT := $(shell git describe --always --dirty 2>/dev/null || echo unknown)
CPPFLAGS += -I. -D_GNU_SOURCE
CFLAGS += -std=gnu11 -g $(WARNINGS) $(FLAGS_$(BUILD))
LIBS = $(shell pkg-config --libs $(PACKAGES)) -lm -lpthread
TEST_LIBS = $(shell pkg-config --libs $(TEST_PACKAGES))

OBJECTS := $(SOURCES:%.c=$(O)/%.o)
test_objects = $(patsubst %.c,$(O)/%.o,$(1) $(HARNESS))

# The scoring code adds floats in the library's order, one rounding each: no fused multiply-add.
$(O)/scoring/%.o: CFLAGS += -ffp-contract=off -O3

.PHONY: all help deps build demo test test-unit test-asan test-fault test-broker test-long lint bench \
	fuzz install clean

build: deps $(O)/kscore ## build kscore into build/release

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 22

deps: ## check for libraries and tools, install what is missing (Debian, Ubuntu)
	@tools/deps build

$(O)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(O)/cli/version.o: CPPFLAGS += -DKSCORE_BUILD='"$(COMMIT)"'

$(O)/kscore: $(OBJECTS) $(O)/main.o
	$(CC) $(CFLAGS) $(LINK_$(BUILD)) -o $@ $^ $(LIBS)

$(O)/unit: $(OBJECTS) $(call test_objects,$(UNIT))
	$(CC) $(CFLAGS) $(LINK_$(BUILD)) -o $@ $^ $(TEST_LIBS) $(LIBS)

$(O)/fault: $(OBJECTS) $(call test_objects,$(FAULT))
	$(CC) $(CFLAGS) $(LINK_$(BUILD)) -o $@ $^ $(TEST_LIBS) $(LIBS)

$(O)/broker: $(OBJECTS) $(call test_objects,$(BROKER))
	$(CC) $(CFLAGS) $(LINK_$(BUILD)) -o $@ $^ $(TEST_LIBS) $(LIBS)

clean: ## delete everything that was built
	rm -rf build

-include $(shell find $(O) -name '*.d' 2>/dev/null)
