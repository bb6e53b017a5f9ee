//! The files of the contract, embedded, and their serving: `?wsdl` (one port, SOAP 1.1), `?wsdl=1.2` (both)
//! and `?xsd=NAME`, with the address of the request.

use super::catalogue::{Endpoint, Operation, Service};

/// Name and text of every schema: those common to several services, then those of each service's own
/// messages.
pub fn schemas() -> Vec<(&'static str, &'static str)> {
    let mut schemas = vec![
        (
            "ISEE_TipiComuni.xsd",
            include_str!("../../wsdl/ISEE_TipiComuni.xsd"),
        ),
        (
            "ISEE_Dichiarazione.xsd",
            include_str!("../../wsdl/ISEE_Dichiarazione.xsd"),
        ),
        ("ISEE_Esiti.xsd", include_str!("../../wsdl/ISEE_Esiti.xsd")),
        ("Ricevuta.xsd", include_str!("../../wsdl/Ricevuta.xsd")),
    ];
    schemas.extend(Service::ALL.map(Service::schema));
    schemas
}

/// The document for `query` at `path`, answered by `endpoint`. `None`: no such document. `authority` is the
/// requested host, with its port.
pub fn serve(endpoint: Endpoint, path: &str, query: &str, authority: &str) -> Option<String> {
    let base = format!("https://{authority}{path}");
    let (name, value) = query.split_once('=').unwrap_or((query, ""));
    let text = match (name.to_ascii_lowercase().as_str(), value) {
        ("wsdl" | "singlewsdl", "" | "1.1") => description(endpoint, &base),
        ("wsdl", "1.2") => with_soap12(&description(endpoint, &base)),
        ("xsd", value) => schemas()
            .into_iter()
            .find(|(known, _)| *known == value)?
            .1
            .to_owned(),
        _ => return None,
    };
    Some(text.replace("schemaLocation=\"", &format!("schemaLocation=\"{base}?xsd=")))
}

/// The WSDL of an endpoint. At the path of one operation it describes this operation alone.
fn description(endpoint: Endpoint, base: &str) -> String {
    let text = endpoint.service.wsdl().replace(
        &format!("https://localhost:8443{}", endpoint.service.path()),
        base,
    );
    let Some(only) = endpoint.only else { return text };
    let others = endpoint.service.operations().filter(|other| *other != only);
    others.fold(text, without)
}

/// A WSDL without an operation: without its messages, and without its parts of portType and binding.
fn without(text: String, operation: Operation) -> String {
    let name = operation.name();
    let mut kept = String::with_capacity(text.len());
    let mut until: Option<&str> = None;
    for line in text.lines() {
        let trimmed = line.trim_start();
        match until {
            Some(end) if trimmed == end => until = None,
            Some(_) => {}
            None if trimmed.starts_with("<wsdl:message ") && trimmed.contains(&format!("_{name}_")) => {
                until = Some("</wsdl:message>")
            }
            None if trimmed == format!("<wsdl:operation name=\"{name}\">") => {
                until = Some("</wsdl:operation>")
            }
            None => {
                kept.push_str(line);
                kept.push('\n');
            }
        }
    }
    kept
}

/// A WSDL with a second binding and a second port, for SOAP 1.2, after the first ones: generators take the
/// first.
fn with_soap12(text: &str) -> String {
    let text = text.replace(
        " xmlns:soap=\"http://schemas.xmlsoap.org/wsdl/soap/\"",
        " xmlns:soap=\"http://schemas.xmlsoap.org/wsdl/soap/\" xmlns:soap12=\"http://schemas.xmlsoap.org/wsdl/soap12/\"",
    );
    let text = again(&text, "  <wsdl:binding ", "  </wsdl:binding>\n");
    again(&text, "    <wsdl:port ", "    </wsdl:port>\n")
}

/// The text with its piece from `start` to `end` a second time, for SOAP 1.2, after the first.
fn again(text: &str, start: &str, end: &str) -> String {
    let found = text
        .find(start)
        .and_then(|from| Some((from, from + text.get(from..)?.find(end)? + end.len())));
    let Some((from, to)) = found else {
        return text.to_owned();
    };
    let second = text[from..to]
        .replace("<soap:", "<soap12:")
        .replace("BasicHttpBinding_", "Soap12_");
    format!("{}{second}{}", &text[..to], &text[to..])
}

/// Whether a `Host` header may be repeated in a document: a name or an address, and a port.
pub fn is_authority(host: &str) -> bool {
    !host.is_empty()
        && host.len() <= 255
        && host
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b':' | b'[' | b']'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::{Document, DocumentLimits, Element, parse};

    const WSDL: &str = "http://schemas.xmlsoap.org/wsdl/";

    fn served(path: &str, query: &str) -> String {
        let endpoint = Endpoint::at(path, &[]).unwrap();
        serve(endpoint, path, query, "varco.example:9443").unwrap()
    }

    fn find<'d, 's>(document: &'d Document<'s>, local: &str) -> Vec<Element<'d, 's>> {
        fn walk<'d, 's>(element: Element<'d, 's>, local: &str, out: &mut Vec<Element<'d, 's>>) {
            if element.is(WSDL, local) {
                out.push(element);
            }
            element.children().for_each(|child| walk(child, local, out));
        }
        let mut out = Vec::new();
        walk(document.root(), local, &mut out);
        out
    }

    #[test]
    fn addresses_are_those_that_were_asked() {
        for service in Service::ALL {
            let wsdl = served(service.path(), "wsdl");
            assert!(wsdl.contains(&format!(
                "location=\"https://varco.example:9443{}\"",
                service.path()
            )));
            assert!(wsdl.contains(&format!(
                "schemaLocation=\"https://varco.example:9443{}?xsd=",
                service.path()
            )));
            assert!(!wsdl.contains("localhost"));
        }
        let endpoint = Endpoint {
            service: Service::TrasmissioneDsu,
            only: None,
        };
        assert!(serve(endpoint, "/p", "xsd=ISEE_Dichiarazione.xsd", "h").is_some());
        assert!(
            serve(endpoint, "/p", "xsd=../secret", "h").is_none()
                && serve(endpoint, "/p", "wsdl=2.0", "h").is_none()
        );
        assert!(!is_authority("a\"b") && is_authority("[::1]:8443"));
    }

    #[test]
    fn one_port_unless_both_are_asked_for() {
        for service in Service::ALL {
            let one = served(service.path(), "wsdl");
            let document = parse(&one, &DocumentLimits::default()).unwrap();
            let ports = find(&document, "port");
            assert_eq!(ports.len(), 1);
            assert!(
                ports[0]
                    .attribute("name")
                    .unwrap()
                    .starts_with("BasicHttpBinding_I")
            );
            let both = served(service.path(), "wsdl=1.2");
            let document = parse(&both, &DocumentLimits::default()).unwrap();
            let names: Vec<_> = find(&document, "port")
                .iter()
                .map(|port| port.attribute("name").unwrap().to_owned())
                .collect();
            assert_eq!(names.len(), 2);
            assert!(names[1].starts_with("Soap12_I"), "{names:?}");
            let bindings = find(&document, "binding");
            assert_eq!(bindings.len(), 2);
            let soap12 = |element: Element<'_, '_>| {
                element
                    .children()
                    .any(|child| child.namespace() == "http://schemas.xmlsoap.org/wsdl/soap12/")
            };
            assert!(!soap12(bindings[0]) && soap12(bindings[1]));
        }
    }

    #[test]
    fn every_operation_is_described_and_at_its_own_path_alone() {
        let messages = |wsdl: &str| find(&parse(wsdl, &DocumentLimits::default()).unwrap(), "message").len();
        for service in Service::ALL {
            let wsdl = served(service.path(), "wsdl");
            let document = parse(&wsdl, &DocumentLimits::default()).unwrap();
            let port_type = find(&document, "portType")[0];
            let described: Vec<&str> = port_type
                .children()
                .filter_map(|operation| operation.attribute("name"))
                .collect();
            assert_eq!(
                described,
                service.operations().map(Operation::name).collect::<Vec<_>>()
            );
            assert_eq!(messages(&wsdl), 2 * described.len());
        }
        for operation in Service::ConsultazioneIsee.operations() {
            let wsdl = served(
                &format!("/isee/ConsultazioneISEE/v2/{}", operation.name()),
                "wsdl",
            );
            let document = parse(&wsdl, &DocumentLimits::default()).unwrap();
            let names: Vec<_> = find(&document, "operation")
                .iter()
                .map(|found| found.attribute("name").unwrap().to_owned())
                .collect();
            assert_eq!(names, [operation.name(), operation.name()]);
            assert_eq!(messages(&wsdl), 2);
        }
    }
}
