# Every target that a person may want carries a comment behind two #;
# `make help` prints those.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
GO ?= go

# Pinned, so that a check means the same tomorrow. They are run, not required:
# go.mod holds only what the program itself needs.
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
ERRORLINT   := github.com/polyfloyd/go-errorlint@v1.8.0
MISSPELL    := github.com/golangci/misspell/cmd/misspell@v0.8.0
GOVULNCHECK := golang.org/x/vuln/cmd/govulncheck@v1.6.0

# How long each fuzz target runs, in seconds.
FUZZ ?= 5

# How long a soak loads the server.
FOR ?= 1h

# How long the campaign of faults lasts on each database.
CHAOS ?= 30m

.PHONY: help
help: ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: ## start the server on SQLite and the embedded Redis, data in ./data
	$(GO) run ./cmd/stagebridge serve

.PHONY: demo
demo: ## send a story's worth of signed events through everything, with simulated vendors
	$(GO) run ./cmd/stagebridge demo

.PHONY: build
build: ## build the static binary bin/stagebridge
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '-s -w' -o bin/stagebridge ./cmd/stagebridge

.PHONY: test
test: ## run all tests and say what they skipped for want of a service
	$(GO) test ./...
	@scripts/skipped

.PHONY: chaos
chaos: ## kill, freeze, cut, wipe and restart everything under load and see that nothing is lost (CHAOS=30m)
	@scripts/chaos -for $(CHAOS)

.PHONY: simulation
simulation: ## live two years with 10,000 people and hold every stage and segment against the raw events
	STAGEBRIDGE_SIMULATION=full $(GO) test ./jobs -run 'TestSimulation' -v -count=1 -timeout 240m

.PHONY: check
check: fmt vet lint fresh tools vulnerable race fuzz ## everything a change must pass; what CI runs

.PHONY: fmt
fmt: ## list files that gofmt would change
	@unformatted=$$(gofmt -l .); \
	if [ -n "$$unformatted" ]; then printf 'not formatted (gofmt -w .):\n%s\n' "$$unformatted" >&2; exit 1; fi

.PHONY: vet
vet: ## run go vet
	$(GO) vet ./...

# staticcheck: code nobody uses, misused standard library, impossible conditions.
# errorlint: errors compared with == or wrapped without %w, which break the
#   branching on sentinels that every layer relies on.
# misspell: spelling, since most of what an operator reads is our own text; not
#   in tests, which misspell on purpose.
.PHONY: lint
lint: ## run the three linters
	$(GO) run $(STATICCHECK) ./...
	$(GO) run $(ERRORLINT) ./...
	git ls-files -z -- '*.go' ':!*_test.go' '*.md' '*.yaml' '*.html' Makefile scripts config.example.env | xargs -0 $(GO) run $(MISSPELL) -error

# Their dependencies are kept out of the program's go.mod. The go command does not
# see that a file outside their module has changed, so nothing is cached.
.PHONY: tools
tools: ## test what needs modules of its own: the docs site with every link, the Kubernetes manifests
	$(GO) -C tools vet ./...
	$(GO) -C tools test -count=1 ./...

.PHONY: vulnerable
vulnerable: ## look for known vulnerabilities in what the program calls; needs vuln.go.dev, and says so without it
	@scripts/vulnerable $(GOVULNCHECK)

.PHONY: generate
generate: ## write the generated files (connector docs and tables) again
	$(GO) generate ./...

.PHONY: fresh
fresh: ## fail when a generated file is stale
	@scripts/fresh

# The race detector needs cgo and a C compiler; the program itself never does.
# Where a test starts the shipped program as a process of its own, the detector
# would watch the test only: these run without it.
.PHONY: race
race: ## run all tests with the race detector
	CGO_ENABLED=1 $(GO) test -race -timeout 30m ./...
	$(GO) test ./chaos ./browser
	@scripts/skipped

.PHONY: fuzz
fuzz: ## run each fuzz target for $(FUZZ) seconds
	@scripts/fuzz $(FUZZ)

.PHONY: bench
bench: ## measure ingest, processing and delivery on this machine, on PostgreSQL and Redis too where they are installed
	@if command -v redis-server >/dev/null && { command -v initdb >/dev/null || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1; }; then \
		scripts/services $(GO) run ./cmd/stagebridge bench; \
	else \
		$(GO) run ./cmd/stagebridge bench; \
	fi

.PHONY: soak
soak: ## load a server for an hour at half its maximum and see that memory, files and goroutines stay flat (FOR=1h)
	@if command -v redis-server >/dev/null && { command -v initdb >/dev/null || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1; }; then \
		scripts/services $(GO) run ./cmd/stagebridge bench soak -for $(FOR); \
	else \
		$(GO) run ./cmd/stagebridge bench soak -for $(FOR); \
	fi

.PHONY: release
release: ## build all archives, bills of materials and checksums into dist: make release VERSION=1.2.3
	$(GO) run ./scripts/release -version '$(VERSION)' -o dist

.PHONY: reproducible
reproducible: ## build one target twice, in two folders, and compare every byte; COLD=1 shares no cache
	@scripts/reproducible

.PHONY: screenshots
screenshots: ## make the pictures of README and docs anew from the story of the demo; needs Chromium
	STAGEBRIDGE_TEST_REQUIRE=chromium STAGEBRIDGE_PICTURES=yes $(GO) test -count=1 -run '^TestPictures$$' ./browser

.PHONY: site
site: ## make the website of the documentation in dist/site: make site VERSION=1.2.3
	$(GO) -C tools run ./site -version '$(or $(VERSION),next)' -o ../dist/site

.PHONY: services
services: ## start a PostgreSQL and a Redis for the tests until Ctrl-C
	@scripts/services
