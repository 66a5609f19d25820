# Short names for the everyday commands; `just` lists them.
_default:
    @just --list

# Install what a build needs
setup:
    scripts/setup

# Build the program
build: setup
    cargo build --release --locked

# Everything that must pass: format, lints, tests
test:
    scripts/test

# Format, then lint and test
precommit: setup
    cargo fmt
    cargo clippy --all-targets --locked -- -D warnings
    cargo test --locked

# Measure speed
bench *ARGS:
    scripts/bench {{ARGS}}

# Measure speed and memory of a whole run without painting, beside ffmpeg (needs python3, ffmpeg)
bench-transcode *ARGS:
    scripts/bench_transcode {{ARGS}}

# Paint the presets' style plates again (needs numpy, pillow)
plates *ARGS:
    python3 scripts/paint_plates.py {{ARGS}}

# Draw and encode the demo clip again (needs numpy, ffmpeg)
demo *ARGS:
    python3 scripts/make_demo.py {{ARGS}}

# Paint the gallery and the README's picture again (needs ffmpeg)
gallery:
    scripts/make_gallery
