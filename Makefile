# shunt: build, try, test. "make help" lists what there is.
#
# Everything built goes to bin/. The tools that tests and the demo need are
# pinned in tools/ and kept in a cache, so that they are built once.

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS := -s -w -X github.com/shunt-fleet/shunt/internal/version.Version=$(VERSION)
GOBUILD := CGO_ENABLED=0 go build -trimpath -buildvcs=false

# A worker runs containers with its own containerd only on Linux, as root.
HOST := $(shell uname -s)
REAL := $(if $(filter Linux,$(HOST)),$(if $(filter 0,$(shell id -u)),yes))

# Packages whose tests import internal/testenv (or what stands on it) need real parts: root and
# containerd, or the built programs. Of these, the ones named e2e ride with
# real processes. All others are unit tests.
TESTS = go list -f '{{.ImportPath}} {{join .TestImports " "}} {{join .XTestImports " "}} ' ./...
UNIT_PACKAGES = $(shell $(TESTS) | grep -v -E '/internal/(testenv|registrytest) ' | cut -d' ' -f1)
CONFORMANCE_PACKAGES = $(shell $(TESTS) | grep -E '/internal/(testenv|registrytest) ' | cut -d' ' -f1 | grep -v -e e2e -e test/chaos -e test/compose -e test/faults)
E2E_PACKAGES = $(shell $(TESTS) | grep -E '/internal/(testenv|registrytest) ' | cut -d' ' -f1 | grep e2e)

# Where those tests find the real parts. Exported only to them.
ENVIRONMENT = SHUNT_BIN=$(CURDIR)/bin SHUNT_TOOLS=$(if $(REAL),$(CURDIR)/bin/tools) SHUNT_NATS_CLI=$(CURDIR)/bin/tools/nats SHUNT_REGISTRY=$(CURDIR)/bin/tools/registry

VET_PLATFORMS := linux/amd64 linux/arm64 windows/amd64 windows/arm64 darwin/amd64 darwin/arm64
STAGES := fmt-check lint vet test-unit test-race test-conformance test-faults test-e2e test-chaos compose-test

.DEFAULT_GOAL := build
.PHONY: sim-nightly session help build toybox tools nats registry demo bench test compose-context mutants test-windows $(STAGES) $(VET_PLATFORMS:%=vet/%) fmt schema tidy clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

##: build

build: toybox ## worker, placer, shunt and the program of the demo's images, into bin/
	$(GOBUILD) -ldflags "$(LDFLAGS)" -o bin/ ./cmd/worker ./cmd/placer ./cmd/shunt

toybox: ## only the program of the demo's images, for both Linux architectures
	GOOS=linux GOARCH=amd64 $(GOBUILD) -ldflags "-s -w" -o bin/toybox-linux-amd64 ./internal/toybox/program
	GOOS=linux GOARCH=arm64 $(GOBUILD) -ldflags "-s -w" -o bin/toybox-linux-arm64 ./internal/toybox/program

tools: ## containerd, its shim, runc and the CNI plugins, pinned, into bin/tools (Linux; once, then from the cache)
ifeq ($(HOST),Linux)
	@mkdir -p bin/tools/cni
	@dir=$$(tools/build containerd) && install -C -m 755 $$dir/* bin/tools/
	@dir=$$(tools/build runc) && install -C -m 755 $$dir/* bin/tools/
	@dir=$$(tools/build cni) && install -C -m 755 $$dir/* bin/tools/cni/
else
	@echo "tools: containerd, runc and the CNI plugins are left out: they are built on Linux, and this is $(HOST)"
endif

nats: ## the stock NATS command line, pinned, into bin/tools
	@mkdir -p bin/tools
	@dir=$$(tools/build nats) && install -C -m 755 $$dir/* bin/tools/

registry: ## the distribution registry, pinned, into bin/tools
	@mkdir -p bin/tools
	@dir=$$(tools/build registry) && install -C -m 755 $$dir/* bin/tools/

##: try

demo: build $(if $(REAL),tools) ## the story, told by real parts: a refusal, a reroute, a container
	bin/shunt demo

bench: build $(if $(REAL),tools) ## all benchmarks
	$(ENVIRONMENT) go test -run '^$$' -bench . -benchmem -p 1 ./...

##: test

test: ## everything below, in order; says at the end what ran and what was left out
	@MAKE="$(MAKE)" tools/stages $(STAGES)

fmt-check: ## gofmt has nothing to change
	@bad=$$(gofmt -l .) || exit 1; [ -z "$$bad" ] || { echo "not formatted (make fmt):"; echo "$$bad"; exit 1; }

lint: ## golangci-lint, pinned, with .golangci.yml
	@dir=$$(tools/build lint) && $$dir/golangci-lint run ./...

vet: $(VET_PLATFORMS:%=vet/%) ## go vet for linux, windows and darwin, amd64 and arm64

$(VET_PLATFORMS:%=vet/%): vet/%:
	CGO_ENABLED=0 GOOS=$(*D) GOARCH=$(*F) go vet ./...

test-unit: ## tests that need nothing but Go
	go test $(UNIT_PACKAGES)

test-race: ## the same under the race detector
	CGO_ENABLED=1 go test -race $(UNIT_PACKAGES)

test-conformance: build tools toybox registry ## tests against the real containerd, under the race detector
	@pkgs="$(CONFORMANCE_PACKAGES)"; [ -n "$$pkgs" ] || { tools/stages --left-out $@ "no package has such tests"; exit 0; }; \
	set -x; $(ENVIRONMENT) CGO_ENABLED=1 go test -race -count=1 -p 1 -timeout 20m $$pkgs

test-e2e: build tools nats registry ## the ride with real processes, real NATS and real containerd
	@pkgs="$(E2E_PACKAGES)"; [ -n "$$pkgs" ] || { tools/stages --left-out $@ "no package has such tests"; exit 0; }; \
	set -x; $(ENVIRONMENT) go test -count=1 -p 1 -timeout 15m $$pkgs

WINE_PACKAGES = ./pkg/messages ./pkg/runtime/containerd/... ./internal/worker/guard

test-windows: ## tests that need nothing but Go, compiled for Windows, under Wine, which is installed on Debian
	@code=0; dir=$$(tools/wine) || code=$$?; [ $$code != 3 ] || { tools/stages --left-out $@ "Wine is not here"; exit 0; }; [ $$code = 0 ] || exit $$code; \
	set -x; CGO_ENABLED=0 GOOS=windows GOARCH=amd64 go test -count=1 -p 1 -timeout 5m -overlay $$dir/overlay.json -exec $$dir/exec $(WINE_PACKAGES)

compose-context: build tools ## what the image of docker-compose.test.yml is built from, into bin/compose
	@mkdir -p bin/compose/bin/tools/cni
	$(GOBUILD) -ldflags "-s -w" -o bin/compose/bin/ ./test/compose/node github.com/nats-io/nats-server/v2
	@install -C -m 755 bin/worker bin/placer bin/toybox-linux-$$(go env GOARCH) bin/compose/bin/
	@install -C -m 755 bin/tools/containerd bin/tools/containerd-shim-runc-v2 bin/tools/runc bin/compose/bin/tools/
	@install -C -m 755 bin/tools/cni/* bin/compose/bin/tools/cni/
	@install -C -m 644 test/compose/Dockerfile test/compose/nats.conf bin/compose/

compose-test: $(if $(REAL),compose-context) ## a fleet of several hosts in Docker: killed, cut off, paused and judged
	$(ENVIRONMENT) go test -count=1 -timeout 10m -v -artifacts -outputdir $(CURDIR)/bin ./test/compose

mutants: ## take each safeguard out and see that some test notices
	go run ./internal/mutants

test-faults: build tools ## a fault at every call to containerd, full disks, two hundred containers: what is left is counted
	$(ENVIRONMENT) go test -count=1 -timeout 30m ./test/faults

test-chaos: build tools ## jobs while processes are killed -9 at random, and a checker's verdict; SHUNT_CHAOS_JOBS=300 SHUNT_CHAOS_FOR=150s: the full run
	$(ENVIRONMENT) go test -count=1 -v -timeout 20m ./test/chaos

sim-nightly: build ## the simulation, seed after seed, until it is stopped or a guarantee breaks
	bin/shunt sim --runs 0 --quiet --seed $$(date +%s)

##: care

session: build tools nats ## record docs/first-half-hour.md and the README's demo anew
	$(ENVIRONMENT) go test -count=1 -run 'TestFirstHalfHour|TestDemo' ./test/e2e -record

fmt: ## format everything, imports included
	@dir=$$(tools/build lint) && $$dir/golangci-lint fmt ./...

schema: ## generate the JSON Schemas again from pkg/messages
	go generate ./pkg/messages/...

tidy: ## go mod tidy, here and where a tool allows it
	go mod tidy
	cd tools/containerd && go mod tidy
	cd tools/runc && go mod tidy
	cd tools/cni && go mod tidy
	cd tools/registry && go mod tidy
	cd tools/lint && go mod tidy

clean: ## remove bin/ (the cache of tools stays)
	rm -rf bin
