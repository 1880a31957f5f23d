# What people run. `make run` is all that a fresh Debian machine with Go and npm needs.

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
# The icons that pages name: {{icon "mail"}}
ICONS = $(shell grep -rhoE 'icon "[a-z0-9-]+"' templates | cut -d'"' -f2 | sort -u)

.PHONY: run build vendor install install-npm install-postgres

run: install build ## install what is missing, build and serve
	@exec bin/skychimp serve

build: vendor ## bin/skychimp
	go build -trimpath -ldflags "-X main.version=$(VERSION)" -o bin/skychimp .

install: install-npm install-postgres

install-npm: node_modules/.package-lock.json

node_modules/.package-lock.json: package-lock.json
	npm ci --no-fund --no-audit
	@touch $@

install-postgres: ## only needed while DATABASE_URL is empty
	@if [ -n "$$DATABASE_URL" ] || command -v postgres >/dev/null || ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1; then exit 0; fi; \
	if ! command -v apt-get >/dev/null; then echo "Install PostgreSQL 15 or newer, or set DATABASE_URL." >&2; exit 1; fi; \
	if [ "$$(id -u)" = 0 ]; then as=""; elif sudo -n true 2>/dev/null; then as="sudo"; \
	else echo "Run: sudo apt-get install postgresql (or set DATABASE_URL)" >&2; exit 1; fi; \
	$$as apt-get update -q && $$as env DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends postgresql

# Nobody else's code is committed: it comes from npm, pinned by package-lock.json.
vendor: install-npm ## copy the parts of others into static/vendor
	@mkdir -p static/vendor/icons
	@cp node_modules/htmx.org/dist/htmx.min.js node_modules/@picocss/pico/css/pico.min.css \
		node_modules/easymde/dist/easymde.min.js node_modules/easymde/dist/easymde.min.css static/vendor/
	@rm -f static/vendor/icons/*
	@for icon in $(ICONS); do cp node_modules/lucide-static/icons/$$icon.svg static/vendor/icons/ || exit 1; done
