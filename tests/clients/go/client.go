// Go with nothing but its standard library: encoding/xml makes the messages from values, net/http carries them.
package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"io"
	"log"
	"mime"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"os"
	"path/filepath"
	"strings"
	"time"
)

var (
	soap12    = os.Getenv("VARCO_SOAP") == "1.2"
	mtom      = os.Getenv("VARCO_MTOM") == "1"
	namespace = map[bool]string{false: "http://schemas.xmlsoap.org/soap/envelope/", true: "http://www.w3.org/2003/05/soap-envelope"}[soap12]
)

// base64Binary is xs:base64Binary: encoding/xml has no type for it.
type base64Binary []byte

func (b *base64Binary) UnmarshalText(text []byte) (err error) {
	*b, err = base64.StdEncoding.DecodeString(string(text))
	return err
}

// document is a file with XML: encoding/xml takes it apart and writes it again, names, attributes and text.
type document string

func (d document) MarshalXML(encoder *xml.Encoder, _ xml.StartElement) error {
	decoder := xml.NewDecoder(bytes.NewReader(must(os.ReadFile(string(d)))))
	for {
		token, err := decoder.Token()
		if err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		switch it := token.(type) {
		case xml.ProcInst:
			continue // the XML declaration, which an envelope has for itself
		case xml.StartElement:
			// Declarations of namespaces are read as attributes, and written by themselves: once is enough.
			var attributes []xml.Attr
			for _, attribute := range it.Attr {
				if attribute.Name.Local != "xmlns" && attribute.Name.Space != "xmlns" {
					attributes = append(attributes, attribute)
				}
			}
			it.Attr = attributes
			token = it
		}
		if err := encoder.EncodeToken(token); err != nil {
			return err
		}
	}
}

type trasmissioneDSU struct {
	XMLName          xml.Name `xml:"urn:varco:trasmissione-dsu:1 TrasmissioneDSU"`
	Dichiarazione    document `xml:",omitempty"`
	XmlDichiarazione *include `xml:"XmlDichiarazione>Include"`
}

type include struct {
	XMLName xml.Name `xml:"http://www.w3.org/2004/08/xop/include Include"`
	Href    string   `xml:"href,attr"`
}

type consultazioneIndicatore struct {
	XMLName        xml.Name  `xml:"http://inps.it/ConsultazioneISEE ConsultazioneIndicatore"`
	TipoIndicatore string    `xml:"request>TipoIndicatore"`
	RicercaCF      ricercaCF `xml:"request>RicercaCF"`
}

type ricercaCF struct {
	CodiceFiscale                  string
	DataValidita                   string `xml:",omitempty"`
	PrestazioneDaErogare           string `xml:",omitempty"`
	ProtocolloDomandaEnteErogatore string `xml:",omitempty"`
	StatodomandaPrestazione        string `xml:",omitempty"`
}

type consultazioneAttestazione struct {
	XMLName        xml.Name       `xml:"http://inps.it/ConsultazioneISEE ConsultazioneAttestazione"`
	RicercaProtDSU ricercaProtDSU `xml:"request>RicercaProtDSU"`
}

type ricercaProtDSU struct {
	ProtocolloDSU             string
	CodiceFiscaleBeneficiario string
	PrestazioneDaErogare      string `xml:",omitempty"`
}

// reply is what the body of any reply may hold.
type reply struct {
	Trasmissione struct {
		esito
		ProtocolloDSU    string       `xml:"Accettazione>ProtocolloDSU"`
		IstanteRicezione time.Time    `xml:"Accettazione>IstanteRicezione"`
		Impronta         string       `xml:"Accettazione>Impronta"`
		XmlRicevuta      base64Binary `xml:"Accettazione>XmlRicevuta"`
	} `xml:"Body>TrasmissioneDSUResponse>TrasmissioneDSUResult"`
	Indicatore struct {
		esito
		XmlEsitoIndicatore base64Binary
	} `xml:"Body>ConsultazioneIndicatoreResponse>ConsultazioneIndicatoreResult"`
	Attestazione struct {
		esito
		XmlEsitoAttestazione base64Binary
	} `xml:"Body>ConsultazioneAttestazioneResponse>ConsultazioneAttestazioneResult"`
	Faultcode   string `xml:"Body>Fault>faultcode"`
	Faultstring string `xml:"Body>Fault>faultstring"`
	Code        string `xml:"Body>Fault>Code>Value"`
	Reason      string `xml:"Body>Fault>Reason>Text"`
}

type esito struct {
	IdRichiesta       int32
	Esito             string
	DescrizioneErrore string
}

// must ends the run where the client itself cannot go on.
func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}

// say prints a fact.
func say(name string, value any) {
	switch it := value.(type) {
	case base64Binary:
		value = base64.StdEncoding.EncodeToString(it)
	case time.Time:
		value = it.Format(time.RFC3339Nano)
	}
	fmt.Printf("%s\t%v\n", name, value)
}

// as makes the HTTP client of an ente: its certificate, and the authority of the port's.
func as(ente string) *http.Client {
	pki := os.Getenv("VARCO_PKI")
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(must(os.ReadFile(filepath.Join(pki, "ca.pem")))) {
		log.Fatal("no certificate in ca.pem")
	}
	own := must(tls.LoadX509KeyPair(filepath.Join(pki, ente+".pem"), filepath.Join(pki, ente+".key")))
	// Without a time to wait for it, net/http would not wait for `100 Continue` at all.
	return &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{
		TLSClientConfig:       &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{own}},
		ExpectContinueTimeout: 10 * time.Second,
	}}
}

// envelope makes the XML of a request.
func envelope(body any) []byte {
	// The names are values, since they differ with the version.
	type wrapped struct {
		XMLName xml.Name
		Content any
	}
	name := func(local string) xml.Name { return xml.Name{Space: namespace, Local: local} }
	text := must(xml.Marshal(wrapped{name("Envelope"), wrapped{name("Body"), body}}))
	return append([]byte(xml.Header), text...)
}

// call sends a request, with MTOM as a package that has the attachment as its second part, and reads the reply.
func call(client *http.Client, service, action string, body any, attachment []byte) (said reply) {
	content, kind, parameters := envelope(body), "text/xml", map[string]string{}
	if soap12 {
		// SOAP 1.2 has no SOAPAction: the action is a parameter of the type.
		kind, parameters["action"] = "application/soap+xml", action
	}
	if mtom {
		content, kind = packed(content, mime.FormatMediaType(kind, parameters), attachment)
	} else {
		parameters["charset"] = "utf-8"
		kind = mime.FormatMediaType(kind, parameters)
	}
	request := must(http.NewRequest("POST", os.Getenv("VARCO_URL")+"/isee/"+service+"/v1", bytes.NewReader(content)))
	request.Header.Set("Content-Type", kind)
	if !soap12 {
		request.Header.Set("SOAPAction", `"`+action+`"`)
	}
	response := must(client.Do(request))
	defer response.Body.Close()
	if err := xml.NewDecoder(response.Body).Decode(&said); err != nil {
		log.Fatalf("%s: %v", response.Status, err)
	}
	return said
}

// packed makes a package of MTOM around an envelope of the type `kind`.
func packed(envelope []byte, kind string, attachment []byte) ([]byte, string) {
	var content bytes.Buffer
	writer := multipart.NewWriter(&content)
	part := func(kind, id string, content []byte) {
		must(must(writer.CreatePart(textproto.MIMEHeader{
			"Content-Type": {kind}, "Content-Transfer-Encoding": {"binary"}, "Content-ID": {"<" + id + ">"},
		})).Write(content))
	}
	root := map[string]string{"charset": "UTF-8", "type": kind}
	part(mime.FormatMediaType("application/xop+xml", root), "envelope@go", envelope)
	if attachment != nil {
		part("application/octet-stream", "dsu@go", attachment)
	}
	must(0, writer.Close())
	return content.Bytes(), mime.FormatMediaType("multipart/related", map[string]string{
		"boundary": writer.Boundary(), "type": "application/xop+xml", "start": "<envelope@go>", "start-info": kind,
	})
}

func transmit(client *http.Client) reply {
	const action = "urn:varco:trasmissione-dsu:1/TrasmissioneDSU"
	if mtom {
		reference := trasmissioneDSU{XmlDichiarazione: &include{Href: "cid:dsu@go"}}
		return call(client, "TrasmissioneDSU", action, reference, must(os.ReadFile("dsu.xml")))
	}
	return call(client, "TrasmissioneDSU", action, trasmissioneDSU{Dichiarazione: "dsu.xml"}, nil)
}

func ask(client *http.Client, operation string, body any) reply {
	return call(client, "ConsultazioneISEE", "http://inps.it/ConsultazioneISEE/ISvcConsultazione/"+operation, body, nil)
}

// send sends a case, and prints what came back.
func send(clients map[string]*http.Client, line string) {
	column := strings.Split(line, "\t")
	name, ente, path, kind, action, headers, transfer, connection := column[0], column[1], column[2], column[3], column[4], column[5], column[6], column[7]
	// net/http knows the length of a bytes.Reader; of anything else it does not, and sends chunks.
	content := must(os.ReadFile(filepath.Join("cases", column[8])))
	var body io.Reader = bytes.NewReader(content)
	if transfer == "chunked" {
		body = io.MultiReader(body)
	}
	request := must(http.NewRequest("POST", os.Getenv("VARCO_URL")+path, body))
	request.Header.Set("Content-Type", kind)
	if action != "-" {
		request.Header.Set("SOAPAction", action)
	}
	if headers != "-" {
		for _, header := range strings.Split(headers, ";") {
			key, value, _ := strings.Cut(header, ":")
			request.Header.Set(strings.TrimSpace(key), strings.TrimSpace(value))
		}
	}
	if transfer == "expect" {
		request.Header.Set("Expect", "100-continue")
	}
	client := clients[ente]
	if connection == "close" {
		client = as(ente)
		request.Close = true
	}
	response := must(client.Do(request))
	defer response.Body.Close()
	answer := must(io.ReadAll(response.Body))
	say("case."+name, fmt.Sprintf("%d\t%s", response.StatusCode, base64.StdEncoding.EncodeToString(answer)))
}

func main() {
	log.SetFlags(0)
	const ordinario, benefit = "Ordinario", "A1.07"
	clients := map[string]*http.Client{"caf": as("caf"), "comune": as("comune")}
	comune := clients["comune"]
	day := os.Getenv("VARCO_DAY")

	trasmissione := transmit(clients["caf"]).Trasmissione
	say("trasmissione.IdRichiesta", trasmissione.IdRichiesta)
	say("trasmissione.Esito", trasmissione.Esito)
	say("trasmissione.ProtocolloDSU", trasmissione.ProtocolloDSU)
	say("trasmissione.IstanteRicezione", trasmissione.IstanteRicezione)
	say("trasmissione.Impronta", trasmissione.Impronta)
	say("trasmissione.XmlRicevuta", trasmissione.XmlRicevuta)

	indicatore := ask(comune, "ConsultazioneIndicatore", consultazioneIndicatore{TipoIndicatore: ordinario, RicercaCF: ricercaCF{
		CodiceFiscale: "FRRGLI84E52H501O", DataValidita: day, PrestazioneDaErogare: benefit,
		ProtocolloDomandaEnteErogatore: "perché/€ à", StatodomandaPrestazione: "Da Erogare",
	}}).Indicatore
	say("indicatore.IdRichiesta", indicatore.IdRichiesta)
	say("indicatore.Esito", indicatore.Esito)
	say("indicatore.XmlEsitoIndicatore", indicatore.XmlEsitoIndicatore)

	attestazione := ask(comune, "ConsultazioneAttestazione", consultazioneAttestazione{RicercaProtDSU: ricercaProtDSU{
		trasmissione.ProtocolloDSU, "GLLSFO14B60H501C", benefit,
	}}).Attestazione
	say("attestazione.IdRichiesta", attestazione.IdRichiesta)
	say("attestazione.Esito", attestazione.Esito)
	say("attestazione.XmlEsitoAttestazione", attestazione.XmlEsitoAttestazione)

	assente := ask(comune, "ConsultazioneIndicatore", consultazioneIndicatore{TipoIndicatore: ordinario, RicercaCF: ricercaCF{
		CodiceFiscale: "RSSMRA80A01H501U", DataValidita: day, PrestazioneDaErogare: benefit,
	}}).Indicatore
	say("assente.Esito", assente.Esito)
	say("assente.DescrizioneErrore", assente.DescrizioneErrore)

	// One of SOAP 1.1 and one of SOAP 1.2: the other is empty.
	fault := transmit(comune)
	code := fault.Faultcode + fault.Code
	say("fault.faultcode", code[strings.Index(code, ":")+1:])
	say("fault.faultstring", fault.Faultstring+fault.Reason)

	for _, line := range strings.Split(strings.TrimSpace(string(must(os.ReadFile("cases.tsv")))), "\n") {
		send(clients, line)
	}
}
