//! The files of the contract, embedded, and how they are served: `?wsdl` and `?xsd=NAME`, with the address that was asked.

use super::catalogue::Service;

/// Name and text of every schema.
pub fn schemas() -> [(&'static str, &'static str); 6] {
    [
        ("ISEE_TipiComuni.xsd", include_str!("../../wsdl/ISEE_TipiComuni.xsd")),
        ("ISEE_Dichiarazione.xsd", include_str!("../../wsdl/ISEE_Dichiarazione.xsd")),
        ("ISEE_Esiti.xsd", include_str!("../../wsdl/ISEE_Esiti.xsd")),
        ("ConsultazioneISEE.xsd", include_str!("../../wsdl/ConsultazioneISEE.xsd")),
        ("TrasmissioneDSU.xsd", include_str!("../../wsdl/TrasmissioneDSU.xsd")),
        ("Ricevuta.xsd", include_str!("../../wsdl/Ricevuta.xsd")),
    ]
}

fn wsdl(service: Service) -> &'static str {
    match service {
        Service::ConsultazioneIsee => include_str!("../../wsdl/ConsultazioneISEE.wsdl"),
        Service::TrasmissioneDsu => include_str!("../../wsdl/TrasmissioneDSU.wsdl"),
    }
}

/// The document that `query` asks for at `service`, or nothing. `authority` is the host that was asked, with its port.
pub fn serve(service: Service, query: &str, authority: &str) -> Option<String> {
    let base = format!("https://{authority}{}", service.path());
    let text = if query.eq_ignore_ascii_case("wsdl") || query.eq_ignore_ascii_case("singleWsdl") {
        wsdl(service).replace(&format!("https://localhost:8443{}", service.path()), &base)
    } else {
        let name = query.strip_prefix("xsd=")?;
        schemas().into_iter().find(|(known, _)| *known == name)?.1.to_owned()
    };
    Some(text.replace("schemaLocation=\"", &format!("schemaLocation=\"{base}?xsd=")))
}

/// Whether a `Host` header may be repeated in a document: a name or an address, and a port.
pub fn is_authority(host: &str) -> bool {
    !host.is_empty()
        && host.len() <= 255
        && host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b':' | b'[' | b']'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_those_that_were_asked() {
        let wsdl = serve(Service::ConsultazioneIsee, "wsdl", "varco.example:9443").unwrap();
        assert!(wsdl.contains("location=\"https://varco.example:9443/isee/ConsultazioneISEE/v1\""));
        assert!(wsdl.contains("schemaLocation=\"https://varco.example:9443/isee/ConsultazioneISEE/v1?xsd=ConsultazioneISEE.xsd\""));
        assert!(!wsdl.contains("localhost"));
        assert_eq!(wsdl.matches("<wsdl:port ").count(), 1);
        assert!(serve(Service::TrasmissioneDsu, "xsd=ISEE_Dichiarazione.xsd", "h").is_some());
        assert!(serve(Service::TrasmissioneDsu, "xsd=../secret", "h").is_none());
        assert!(!is_authority("a\"b") && is_authority("[::1]:8443"));
    }
}
