# Short names for the commands of every day. Each recipe is the command itself: nothing here that cannot be typed.

# The recipes there are.
default:
    @just --list --unsorted

# The port, with the arguments given: `just run --help`.
run *ARGS:
    cargo run --locked --release -- {{ ARGS }}

# A demo in varco-demo: its own certificates, its own ledger, synthetic people.
demo *ARGS:
    cargo run --locked --release -- demo {{ ARGS }}

# Everything, as continuous integration runs it.
test:
    tests/run

# The manual and the engineers' pages as a book, under target/book.
book:
    tests/install book
    mdbook build

# A release: tarball, Debian package, image, bill of materials, digests, under target/dist.
release:
    tests/install release
    deploy/release

# The checks that need no system package, under ten minutes.
quick:
    tests/run quick

# What the compiler and Clippy have to say, as errors.
lint:
    cargo clippy --workspace --all-targets --locked -- -D warnings

# Formats the sources.
fmt:
    cargo fmt --all

# The benchmarks, beside nginx and gSOAP: both are installed if missing.
bench *ARGS:
    tests/install bench
    cargo bench --locked {{ ARGS }}

# Licences, bans and sources of the dependencies.
deny:
    cargo deny --locked check bans licenses sources

# Known advisories on the dependencies; fetches the RustSec database.
advisories:
    cargo deny --locked check advisories

# The documentation of the code, private items included.
doc:
    RUSTDOCFLAGS="-D warnings" cargo doc --package varco --package varco-verify --no-deps --document-private-items --locked

# Two thousand kills with SIGKILL in the middle of writing; takes long.
kill9:
    VARCO_KILLS=2000 cargo nextest run --locked --profile full --test hard -E 'test(/^kill9::/)'

# Two hundred thousand requests of twenty enti, none of which may get another's answer.
identities:
    cargo build --locked --release
    VARCO_IDENTITIES=200000 VARCO_BIN="${CARGO_TARGET_DIR:-$PWD/target}/release/varco" cargo nextest run --locked --profile full --test it -E 'test(/^identities::/)'

# Two hundred thousand families of the independent model of the ISEE, others each time.
model:
    VARCO_MODEL=200000 VARCO_MODEL_SEED="$(date +%s)" cargo nextest run --locked --profile full --test it -E 'test(/^isee::modello::/)'

# Two thousand power cuts on a file system of its own, as root; takes long.
powercut:
    VARCO_CUTS=2000 cargo nextest run --locked --profile full --test hard -E 'test(/^powercut::/)'

# Instructions of single steps, under callgrind.
work:
    cargo nextest run --locked --profile full --test hard --no-capture -E 'test(/^work::/)'

# Ten thousand directories changed behind the port's back, none of which may be answered from wrongly; takes long.
mutations:
    VARCO_MUTATIONS=10000 cargo nextest run --locked --profile full --test it --no-capture -E 'test(what_was_changed)'

# Every reader of the ledger a thousand times beside a writer; none may report damage.
readings:
    VARCO_READINGS=5000 cargo nextest run --locked --profile full --test it -E 'test(readers_beside_a_writer)'

# What two of the longest requests at a time do to another ente's.
beside:
    cargo bench --locked --bench beside

# Whether another's DSU is told by the time that a refusal takes: medians of two thousand pairs.
timing:
    cargo build --locked --release
    VARCO_TIMING=2000 VARCO_BIN="${CARGO_TARGET_DIR:-$PWD/target}/release/varco" cargo nextest run --locked --test it --run-ignored only --no-capture -E 'test(same_time)'

# The same in the sizes that the port takes, for every kind of operation; takes long.
work-full:
    VARCO_WORK=full cargo nextest run --locked --profile full --test hard --no-capture -E 'test(/^work::/)'
