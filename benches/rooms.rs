//! Single rooms: `cargo bench --bench rooms`. The whole port is in `port.rs`.

#![allow(missing_docs, reason = "a program")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "what is measured must work")]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use varco::commands::requests;
use varco::contract::bind::ElementContent as _;
use varco::contract::catalogue::Operation;
use varco::contract::{Contract, ISEE_NS};
use varco::digest::sha256;
use varco::isee::compute::ordinario;
use varco::isee::dsu::Dichiarazione;
use varco::isee::feed::NoFeed;
use varco::isee::rules::Rules;
use varco::ledger::batch::{self, Raw};
use varco::ledger::seal::{Sealing, open, seal};
use varco::ledger::{
    Blinding, Body, Commitments, Directory, Keys, Kind, Leaf, Retention, Secret, new_exchange,
};
use varco::xml::{self, DocumentLimits, canonical};

const PRESENTED: &str = "2026-03-02";

/// The sample DSU with so many accounts that it has that many bytes, in its envelope.
fn dsu_of(bytes: usize) -> String {
    let sample = requests::dsu("CAF00001-BENCH1-2026-N0000001", PRESENTED);
    let (before, after) = sample.split_once("</PatrimonioMobiliare>").unwrap();
    let account = |number: usize| {
        format!(
            "<Rapporto TipoRapporto=\"01\" Identificativo=\"IT00X{number:022}\" CodiceFiscaleOperatore=\"01234567897\" Saldo3112=\"4200\" ConsistenzaMedia=\"3900\"/>\n"
        )
    };
    let room = (bytes - sample.len()) / account(0).len();
    let accounts: String = (0..room).map(account).collect();
    requests::trasmissione(&format!("{before}{accounts}</PatrimonioMobiliare>{after}"))
}

/// What is done with a DSU before anybody looks at what it says; from 16 KiB to 10 MB, to see that it grows
/// with the size and no faster.
fn dsu(criterion: &mut Criterion) {
    let contract = Contract::compile().unwrap();
    // The port takes no more than 2 MiB and 120,000 nodes in one DSU.
    let limits = DocumentLimits {
        nodes: usize::MAX,
        ..DocumentLimits::default()
    };
    for (name, bytes) in [
        ("16 KiB", 16 << 10),
        ("160 KiB", 160 << 10),
        ("10 MB", 10_000_000),
    ] {
        let text = dsu_of(bytes);
        let document = xml::parse(&text, &limits).unwrap();
        let body = varco::soap::open(&document).unwrap().root;
        let declaration = body.children().next().unwrap();
        let root = contract.schemas().root(ISEE_NS, "Dichiarazione").unwrap();

        let mut group = criterion.benchmark_group(format!("dsu of {name}"));
        group.throughput(Throughput::Bytes(text.len() as u64));
        if bytes > 1 << 20 {
            group.sample_size(10);
        }
        group.bench_function("parse", |bencher| {
            bencher.iter(|| xml::parse(black_box(&text), &limits).unwrap().len())
        });
        group.bench_function("validate", |bencher| {
            bencher.iter(|| {
                assert!(
                    contract
                        .schemas()
                        .validate(declaration, root)
                        .violations
                        .is_empty()
                )
            })
        });
        let decode = || Dichiarazione::decode(black_box(declaration)).unwrap();
        group.bench_function("decode", |bencher| bencher.iter(decode));
        group.bench_function("validate and decode", |bencher| {
            bencher.iter(|| {
                assert!(
                    contract
                        .schemas()
                        .validate(declaration, root)
                        .violations
                        .is_empty()
                );
                decode()
            });
        });
        group.bench_function("canonical form and fingerprint", |bencher| {
            bencher.iter(|| sha256(canonical::exclusive(black_box(declaration)).as_bytes()));
        });
        // All of the above but the parsing, as the port does it.
        group.bench_function("read", |bencher| {
            bencher.iter(|| contract.read(Operation::TrasmissioneDsu, black_box(body)).is_ok())
        });
        group.finish();
    }

    let text = dsu_of(16 << 10);
    let document = xml::parse(&text, &limits).unwrap();
    let body = varco::soap::open(&document).unwrap().root;
    let dsu = Dichiarazione::decode(body.children().next().unwrap()).unwrap();
    let (rules, presented) = (Rules::embedded().unwrap(), PRESENTED.parse().unwrap());
    let rules = rules.on(presented).unwrap();
    criterion.bench_function("ordinary indicator", |bencher| {
        bencher.iter(|| ordinario(black_box(&dsu), presented, rules, &NoFeed).unwrap())
    });
}

fn ledger(criterion: &mut Criterion) {
    let entry = Raw {
        leaf: vec![b'x'; 1200],
        sealed: vec![b'y'; 400].into(),
    };
    let entries = vec![entry; 16];
    criterion.bench_function("batch of 16 entries", |bencher| {
        bencher.iter(|| batch::encode(1, black_box(&entries)))
    });

    let home = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let now = "2026-03-02T09:00:00Z".parse().unwrap();
    let (id, exchange) = (new_exchange(now).unwrap(), new_exchange(now).unwrap());
    let directory = Directory::create(home.path(), id).unwrap();
    let keys = Keys::open(&directory.keys(), false).unwrap();
    let secret = Secret {
        cf: vec![requests::GIULIA.to_owned()],
        address: Some("127.0.0.1".to_owned()),
        application: Some("DOM-1".to_owned()),
        ..Secret::default()
    };
    let sealing = Sealing {
        ledger: id,
        exchange,
        ordinal: 0,
        retention: Retention::Consultazione,
        ente: "comune",
        at: now,
    };
    let sealed = || seal(&keys, &sealing, Blinding::new().unwrap(), black_box(&secret)).unwrap();
    let mut leaf = Leaf {
        v: 1,
        ledger: id,
        seq: 1,
        recorded: now.to_string(),
        body: Body::new(Kind::Exchange, Retention::Consultazione, exchange, now),
    };
    criterion.bench_function("seal and open", |bencher| {
        bencher.iter(|| {
            let (bytes, commitment) = sealed();
            leaf.body.commit = Some(Commitments {
                request: None,
                reply: None,
                sealed: Some(commitment),
            });
            open(&keys, &leaf, &bytes).unwrap()
        });
    });
}

criterion_group!(rooms, dsu, ledger);
criterion_main!(rooms);
