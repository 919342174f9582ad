# Weir. `make run` shows it working, `make test` proves it; both install what they miss first.
BUILD ?= build
JOBS ?= $(shell nproc)
export CTEST_OUTPUT_ON_FAILURE = 1

.PHONY: all run stop build test test-build asan tsan torture bench fuzz format tidy docs deps clean install

all: build

# What tests and tools need, too; `make run` does with less.
deps:
	@tools/deps.sh test

build:
	@tools/deps.sh run
	@tools/build.sh $(BUILD) -DCMAKE_BUILD_TYPE=RelWithDebInfo -DWEIR_TESTS=OFF

test-build: deps
	@tools/build.sh $(BUILD) -DCMAKE_BUILD_TYPE=RelWithDebInfo -DWEIR_TESTS=ON

run: build
	@WEIR_BUILD=$(BUILD) tools/run.sh

stop:
	@tools/stop.sh

asan: deps
	@tools/build.sh $(BUILD)/asan -DWEIR_SANITIZE=ON

tsan: deps
	@tools/build.sh $(BUILD)/tsan -DWEIR_TSAN=ON

# Unit tests and the benchmark are compiled once, in the sanitizer build. Beside it comes what npm fetches, of
# which the release build packs some.
test:
	@tools/deps.sh packages
	@tools/deps.sh test & fetch=$$!; tools/build.sh $(BUILD)/asan -DWEIR_SANITIZE=ON; built=$$?; wait $$fetch && exit $$built
	@tools/build.sh $(BUILD) -DCMAKE_BUILD_TYPE=RelWithDebInfo -DWEIR_TESTS=OFF
	@tools/test.sh $(BUILD)

# TORTURE='kill --minutes 60 --seed 7' for one of them, longer, again.
torture: asan
	@/usr/bin/python3 tests/torture/torture.py $(TORTURE)

bench: test-build
	@bench/run.sh $(BUILD)

fuzz: deps
	@tools/fuzz.sh $(BUILD)/fuzz

format:
	@git ls-files '*.c' '*.h' | xargs clang-format -i

tidy: test-build
	@python3 tools/tidy.py --build $(BUILD)

docs: build
	@WEIR_BUILD=$(BUILD) tools/docs.sh

clean:
	rm -rf $(BUILD)
