# Everything a newcomer types. `make help` lists it; each target first installs what it needs (deploy/prerequisites).

PREFIX  ?= /usr
DESTDIR ?=
FILTER  ?=

PROGRAMS := vrrpd ipvsd checkd scriptd busd lbctl
SCRIPTS  := $(shell git ls-files 2>/dev/null | xargs -r grep -lE '^\#!(/bin/|/usr/bin/env )(ba)?sh' 2>/dev/null)
MAKEFLAGS += --no-print-directory
export PREFIX DESTDIR

.PHONY: help build test demo lint format generate bench fuzz install package clean prerequisites-build prerequisites-test prerequisites-bench

help: 
	@echo 'make demo              two directors, two real servers, a client: failover shown and verified (about 90 s)'
	@echo 'make test              lint, then every test; FILTER=REGEX for some, deploy/test host|lab for one place'
	@echo 'make build             release programs in .build/release: $(PROGRAMS)'
	@echo 'make install           after a build; DESTDIR= and PREFIX=$(PREFIX)'
	@echo 'make package           after a build: .build/evenkeel_VERSION_ARCHITECTURE.deb'
	@echo 'make lint              swift format, shellcheck, exposure of the systemd units'
	@echo 'make format            swift format, in place'
	@echo 'make generate          Sources/Bus/API from Sources/Bus/interfaces'
	@echo 'make bench             Evenkeel beside its peers; tables into docs/BENCHMARKS.md'
	@echo 'make fuzz              every decoder under libFuzzer'
	@echo 'deploy/soak            checkd with two thousand servers for ten minutes'
	@echo 'make clean             remove what was built'

build: prerequisites-build
	@swift build -c release --static-swift-stdlib
	@deploy/link-daemons

test: prerequisites-test lint
	@swift build --build-tests
	@EVENKEEL_TOOLS=1 swift build --product bench
	@deploy/test all '$(FILTER)'

demo: prerequisites-test
	@swift build -c release --static-swift-stdlib
	@deploy/link-daemons
	@deploy/demo

lint: prerequisites-test
	@echo '── lint: swift format, shellcheck, what the units may do'
	@swift format lint --strict --parallel --recursive Package.swift Sources Tests
	@shellcheck $(SCRIPTS)
	@deploy/lint-units

format:
	@swift format --in-place --parallel --recursive Package.swift Sources Tests

generate: prerequisites-build
	@EVENKEEL_TOOLS=1 swift run generate

bench: prerequisites-bench
	@deploy/bench

fuzz: prerequisites-test
	@deploy/fuzz

# Not a dependency on `build`: `sudo make install` must not build as root.
install:
	@deploy/install

package:
	@deploy/package

clean:
	@rm -rf .build .build-*

prerequisites-build prerequisites-test prerequisites-bench: prerequisites-%:
	@deploy/prerequisites $*
