# What people run. `make run` is all that a fresh Debian machine with Go and npm needs.

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
# The icons that pages name: {{icon "mail"}}
ICONS = $(shell grep -rhoE 'icon "[a-z0-9-]+"' templates | cut -d'"' -f2 | sort -u)

.PHONY: run build vendor install install-npm install-postgres
.PHONY: help dev test race faults bench bench-pages bench-neighbours bench-readers bench-visitors check format lint screenshots install-tests

comma := ,

help: ## what there is to make
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: install build ## install what is missing, build and serve
	@exec bin/skychimp serve

build: vendor ## bin/skychimp
	go build -trimpath -ldflags "-s -w -X main.version=$(VERSION)" -o bin/skychimp .

dev: install vendor ## build and serve again at every change
	go run github.com/air-verse/air@v1.67.4

install: install-npm install-postgres

install-npm: node_modules/.package-lock.json

node_modules/.package-lock.json: package-lock.json
	npm ci --no-fund --no-audit
	@touch $@

# apt installs $(1) where it can, else says what to do.
define apt
if ! command -v apt-get >/dev/null; then echo "$(2)" >&2; exit 1; fi; \
if [ "$$(id -u)" = 0 ]; then as=""; elif sudo -n true 2>/dev/null; then as="sudo"; \
else echo "Run: sudo apt-get install $(1)" >&2; exit 1; fi; \
$$as apt-get update -q </dev/null && $$as env DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends $(1) </dev/null
endef
POSTGRES_HERE = command -v postgres >/dev/null || ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1

install-postgres: ## only needed while DATABASE_URL is empty
	@if [ -n "$$DATABASE_URL" ] || $(POSTGRES_HERE); then exit 0; fi; \
	$(call apt,postgresql,Install PostgreSQL 15 or newer$(comma) or set DATABASE_URL.)

# Nobody else's code is committed: it comes from npm, pinned by package-lock.json.
vendor: install-npm ## copy the parts of others into static/vendor
	@mkdir -p static/vendor/icons
	@cp node_modules/htmx.org/dist/htmx.min.js node_modules/@picocss/pico/css/pico.min.css \
		node_modules/easymde/dist/easymde.min.js node_modules/easymde/dist/easymde.min.css static/vendor/
	@node_modules/.bin/esbuild static/src/composer.js --bundle --minify --target=es2022 --log-level=warning --outfile=static/vendor/composer.js
	@rm -f static/vendor/icons/*
	@for icon in $(ICONS); do cp node_modules/lucide-static/icons/$$icon.svg static/vendor/icons/ || exit 1; done

# --- tests ---

# Tests make and delete thousands of files, which is cheap in memory (DECISIONS.md, Tests) where there are 3 GB,
# and where programs may start.
define in_memory
if [ "$$(df -k --output=avail /dev/shm 2>/dev/null | tail -n 1)" -gt 3000000 ] 2>/dev/null && [ -z "$$(findmnt -n -O noexec /dev/shm)" ]; then \
	export GOTMPDIR="$${GOTMPDIR:-$${TMPDIR:-/tmp}}" TMPDIR="$$(mktemp -d /dev/shm/skychimp-XXXXXX)"; chmod 1777 "$$TMPDIR"; trap 'rm -rf "$$TMPDIR"' EXIT; fi
endef

# They bring a Postgres and a browser of their own, whatever the environment names.
# `make check` vets; linking fifty packages without tables for debuggers saves a slow machine a minute.
test: install-tests vendor ## install what is missing and run all tests
	@$(in_memory); set -x; go test -vet=off -ldflags=-w -timeout 30m -parallel 4 ./...

race: install-tests vendor ## what runs concurrently, with the race detector
	go test -race -timeout 30m ./db/... ./domain/email/ ./handlers/jobs/ ./handlers/jobs/engine/ ./handlers/jobs/smtp/...

FAULTS ?= full
faults: install-tests vendor ## the whole matrix of faults, one line a row; takes hours, with FAULTS=5 five of each
	FAULTS=$(FAULTS) go test -count=1 -timeout 6h -parallel 4 -v -run '^TestFault' ./handlers/jobs/faulttest | grep --line-buffered -E '^(FAULT|FAIL|ok|panic|--- FAIL)|_test.go:'

bench: install-tests vendor ## emails/s, CPU and memory of the program; CLIENTS, CONNS, PROGRAMS, LATENCY and DKIM change the run
	go test -count=1 -timeout 3h -run '^$$' -bench '^BenchmarkRun$$' -benchtime 1x ./handlers/jobs/faulttest | grep -E '^(BENCH|ok|FAIL|panic)'
	go test -count=1 -run '^$$' -bench . ./domain/email ./handlers/jobs/smtp

bench-pages: install-tests vendor ## how long 50 people at work wait for each page, with 100,000 clients; takes a quarter of an hour, less with ASKS=100
	go test -count=1 -timeout 1h -run '^$$' -bench '^BenchmarkPages$$' -benchtime 1x ./handlers | grep -E '^(PAGE|ok|FAIL|panic)|_test.go:'

bench-neighbours: install-tests vendor ## how long others wait while one owner imports, previews, exports and searches without a pause; SECONDS=30 of each
	go test -count=1 -timeout 1h -run '^$$' -bench '^BenchmarkNeighbours$$' -benchtime 1x ./handlers/attacktest | grep -E '^(NEIGHBOURS|ok|FAIL|panic)|_test.go:'

bench-readers: install-tests vendor ## emails/s while 3,000 links and 7,000 pictures a second are asked for, and whether all is written down; CLIENTS, CLICKS, OPENS
	go test -count=1 -timeout 1h -run '^$$' -bench '^BenchmarkReaders$$' -benchtime 1x ./handlers/jobs/faulttest | grep -E '^(BENCH|ok|FAIL|panic)|_test.go:'
	go test -count=1 -run '^$$' -bench '^BenchmarkVisit$$' ./handlers

URL ?= http://localhost:8080
bench-visitors: ## requests/s and the slowest percent of what visitors ask the program for that runs at URL; needs wrk
	@for page in / /login /blog /healthz /readyz; do printf '%-10s' $$page; \
		wrk -t1 -c32 -d5s --latency $(URL)$$page | awk '/Requests\/sec/ {r = $$2} /99%/ {p = $$2} /Non-2xx/ {bad = $$0} END {print r "/s, p99 " p bad}'; done

screenshots: install-tests vendor ## every page as a picture in tmp/screenshots, and those of the README and the guides
	mkdir -p tmp/screenshots docs
	SCREENSHOTS=$(CURDIR)/tmp/screenshots go test -timeout 30m -count=1 -run '^(TestBrowser|TestGuides|TestDemo)$$' ./handlers/browsertest
	cp tmp/screenshots/mailing.png docs/mailing.png
	for lang in en ru; do for picture in tmp/screenshots/help-$$lang-*.png; do \
		cp $$picture templates/help/$$lang/$${picture#tmp/screenshots/help-$$lang-}; done; done

install-tests: install-npm
	@if ! { $(POSTGRES_HERE); }; then $(call apt,postgresql,Install PostgreSQL 15 or newer: the tests start one.); fi
	@if command -v chromium-headless-shell >/dev/null; then exit 0; fi; \
	if [ "$$(id -u)" = 0 ] && apt-get install -qy --no-install-recommends chromium-headless-shell fonts-dejavu-core </dev/null >/dev/null 2>&1; then exit 0; fi; \
	if command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null; then exit 0; fi; \
	$(call apt,chromium fonts-dejavu-core,Install Chromium: the tests drive it.)

GOLANGCI = go tool -modfile=.ci/lint/go.mod golangci-lint

lint: vendor ## golangci-lint; its first run builds it
	$(GOLANGCI) run

format: ## gofmt and the order of imports
	$(GOLANGCI) fmt

check: vendor ## all that CI asks for
	@test -z "$$(gofmt -l $$(git ls-files '*.go') | tee /dev/stderr)" || { echo "these files need gofmt (make format)" >&2; exit 1; }
	go mod tidy -diff
	go vet ./...
	$(MAKE) lint
	$(MAKE) test
