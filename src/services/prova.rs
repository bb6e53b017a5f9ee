//! The service function of a made-up operation, in unit tests alone.

use super::prepared::Prepared;
use crate::contract::catalogue::Operation;
use crate::contract::message;
use crate::contract::prova::Prova;

/// Answers with the request's text.
pub(super) fn perform(request: &Prova) -> Prepared {
    Prepared {
        reply: message("ProvaResponse", Operation::Prova.namespace(), request, false),
        ..Prepared::default()
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject as _;

    use super::*;
    use crate::clock::Clock;
    use crate::commands::demo::accreditamento;
    use crate::commands::{ente, init, pki};
    use crate::config::SEGMENT_BYTES;
    use crate::contract::Contract;
    use crate::gateway::node::Node;
    use crate::ledger::disk::RealDisk;
    use crate::ledger::new_exchange;
    use crate::registry::Identified;
    use crate::registry::ente::Tipo;
    use crate::services::{self, Asked};
    use crate::sii::Occasion;
    use crate::soap::{self, Bounds, Media, MessageText};
    use crate::tls::Peer;
    use crate::tls::authorities::Authorities;
    use crate::xml::{DocumentLimits, parse};

    /// Rows aside, an operation takes fewer than sixty lines, its description included. With them it is read,
    /// granted, performed, and answered by its schema.
    #[test]
    fn an_operation_is_its_rows_and_fewer_than_sixty_lines() {
        let home = tempfile::tempdir().unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .unwrap();
        let (clock, data) = (Clock::system(), home.path().join("data"));
        let issued = pki::demo(&home.path().join("pki"), clock.now()).unwrap();
        let directory = init::create(&data, &clock).unwrap();
        let commands = accreditamento::commands(
            ("caf", "Un CAF", "01234567897"),
            Tipo::Caf,
            &issued.caf.fingerprint,
            "Prova",
            &[],
        );
        for command in commands {
            runtime
                .block_on(ente::apply_all(&data, vec![command], "prova", &clock))
                .unwrap();
        }
        let node = Node::open(&directory, &clock, Arc::new(RealDisk), SEGMENT_BYTES).unwrap();

        let (contract, limits, text) = (
            Contract::compile().unwrap(),
            DocumentLimits::default(),
            MessageText::new(),
        );
        let request = soap::envelope(
            soap::Version::V11,
            "<Prova xmlns=\"urn:prova\"><Testo>ciao</Testo></Prova>",
        );
        let bounds = Bounds {
            xml: &limits,
            whole: usize::MAX,
        };
        let message = soap::read(request.as_bytes(), &Media::of("text/xml").unwrap(), bounds, &text).unwrap();
        let body = message.call().unwrap().root;
        let operation = Operation::by_root(body.namespace(), body.local()).unwrap();
        let (request, _) = contract.read(operation, body).unwrap();
        let certificate = CertificateDer::from_pem_slice(issued.caf.certificate.as_bytes()).unwrap();
        let peer = Peer::unverified(&[certificate], &Authorities::from(Vec::new())).unwrap();
        let Identified::Caller(caller) = node.registry.identify(&peer, clock.today()).unwrap() else {
            panic!("not let in")
        };
        assert!(
            caller
                .clone()
                .admit(Operation::ConsultazioneIndicatore, clock.today())
                .is_err()
        );
        let admission = caller
            .admit(operation, clock.today())
            .unwrap()
            .from_office(None)
            .unwrap();
        let received = clock.now();
        let occasion = Occasion {
            exchange: new_exchange(received).unwrap(),
            received,
            today: clock.today(),
            ordinal: 1,
            beside: false,
            returned: &[],
        };
        let asked = Asked {
            operation,
            request: &request,
            body,
            bytes: &[],
            contract: &contract,
            soglie: &[],
        };
        let prepared = runtime
            .block_on(services::perform(&node.services, admission, asked, occasion))
            .unwrap();
        assert!(
            prepared.reply.contains("<Testo>ciao</Testo>"),
            "{}",
            prepared.reply
        );
        let reply = parse(&prepared.reply, &limits).unwrap();
        let root = contract
            .schemas()
            .root(operation.namespace(), operation.response())
            .unwrap();
        assert!(
            contract
                .schemas()
                .validate(reply.root(), root)
                .violations
                .is_empty()
        );
        node.close();

        let read = |file: &str| {
            std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(file)).unwrap()
        };
        let own = read("contract/prova.rs")
            + read("services/prova.rs")
                .split("#[cfg(test)]\nmod tests")
                .next()
                .unwrap();
        let elsewhere = ["contract/mod.rs", "services/mod.rs"]
            .map(|file| read(file).lines().filter(|line| line.contains("rova")).count());
        let lines =
            own.lines().filter(|line| !line.trim().is_empty()).count() + 2 * elsewhere.iter().sum::<usize>();
        assert!((40..60).contains(&lines), "{lines} lines");
    }
}
