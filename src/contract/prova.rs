//! A made-up operation, in unit tests alone: it returns its text. This file has everything the operation
//! takes besides its rows and its service function.

use super::bind::bind;

/// Its schema: a text in, a text out.
pub const SCHEMA: &str = r#"<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:prova" elementFormDefault="qualified">
  <xs:element name="Prova">
    <xs:complexType><xs:sequence><xs:element name="Testo" type="xs:string"/></xs:sequence></xs:complexType>
  </xs:element>
  <xs:element name="ProvaResponse">
    <xs:complexType><xs:sequence><xs:element name="Testo" type="xs:string"/></xs:sequence></xs:complexType>
  </xs:element>
</xs:schema>"#;

/// Its WSDL: one operation, one port.
pub const WSDL: &str = r#"<wsdl:definitions xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/" xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/">
  <wsdl:types><xsd:import xmlns:xsd="http://www.w3.org/2001/XMLSchema" namespace="urn:prova" schemaLocation="Prova.xsd"/></wsdl:types>
  <wsdl:message name="Prova_InputMessage"/>
  <wsdl:message name="Prova_OutputMessage"/>
  <wsdl:portType name="IProva"><wsdl:operation name="Prova"/></wsdl:portType>
  <wsdl:binding name="BasicHttpBinding_IProva">
    <soap:binding transport="http://schemas.xmlsoap.org/soap/http"/>
  </wsdl:binding>
  <wsdl:service name="Prova">
    <wsdl:port name="BasicHttpBinding_IProva">
      <soap:address location="https://localhost:8443/prova"/>
    </wsdl:port>
  </wsdl:service>
</wsdl:definitions>
"#;

/// Both the request and the reply.
pub struct Prova {
    /// The text to return.
    pub testo: String,
}

bind!(struct Prova { > testo "Testo" });
