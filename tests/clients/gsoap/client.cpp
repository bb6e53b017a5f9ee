// What ../README.md asks of a client, with gSOAP: the DSU is read into the generated classes and written from them again.

#include "ports.h"  // the two services, in the version of SOAP that this was generated for

#include <cstring>
#include <fstream>
#include <iostream>
#include <map>
#include <sstream>

SOAP_NMAC struct Namespace namespaces[] = {{nullptr, nullptr, nullptr, nullptr}};  // each class has its own

static std::string variable(const char *name) { return getenv(name); }

static std::string file(const std::string &name) {
    std::ifstream in(name, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(in), {});
}

static void say(const std::string &name, const std::string &value) { std::cout << name << '\t' << value << '\n'; }

static std::string base64(soap *context, const void *bytes, size_t size) {
    return size ? soap_s2base64(context, static_cast<const unsigned char *>(bytes), nullptr, static_cast<int>(size)) : "";
}

static std::string base64(soap *context, const xsd__base64Binary &bytes) { return base64(context, bytes.__ptr, bytes.__size); }

// A context with the certificate of an ente; `run` put certificate and key into one file. The server's name is checked too, by default.
static soap *connection(const std::string &ente, soap_mode mode) {
    soap *context = soap_new1(mode | SOAP_C_UTFSTRING);
    const std::string authority = variable("VARCO_PKI") + "/ca.pem";
    context->recv_timeout = context->send_timeout = context->connect_timeout = 20;
    const std::string identity = ente + "-id.pem";
    if (soap_ssl_client_context(context, SOAP_SSL_DEFAULT | SOAP_SSL_NO_DEFAULT_CA_PATH, identity.c_str(), nullptr, authority.c_str(), nullptr, nullptr)) {
        soap_print_fault(context, stderr);
        exit(1);
    }
    return context;
}

// A call that must not fail did.
template <class Port> static void need(Port &port, int status) {
    if (status == SOAP_OK) return;
    port.soap_stream_fault(std::cerr);
    exit(1);
}

static int transmit(TrasmissioneDSU &port, std::string &text, bool mtom, _dsu__TrasmissioneDSUResponse &reply) {
    _dsu__TrasmissioneDSU call;
    if (mtom) {
        auto bytes = soap_new_xsd__base64Binary(port.soap);
        bytes->__ptr = reinterpret_cast<unsigned char *>(text.data());
        bytes->__size = static_cast<int>(text.size());
        bytes->type = soap_strdup(port.soap, "application/xml");  // with a type it is an attachment
        call.__union_TrasmissioneDSU = SOAP_UNION__dsu__union_TrasmissioneDSU_XmlDichiarazione;
        call.union_TrasmissioneDSU.XmlDichiarazione = bytes;
    } else {
        auto dsu = soap_new_riforma__TypeDichiarazione(port.soap);
        std::istringstream in(text);
        port.soap->is = &in;
        need(port, soap_read_riforma__TypeDichiarazione(port.soap, dsu));
        port.soap->is = nullptr;
        call.__union_TrasmissioneDSU = SOAP_UNION__dsu__union_TrasmissioneDSU_riforma__Dichiarazione;
        call.union_TrasmissioneDSU.riforma__Dichiarazione = dsu;
    }
    return port.TrasmissioneDSU(&call, reply);
}

static auto indicatore(Consultazione &port, const char *person) {
    auto benefit = isee__PrestazioneDaErogareType__A1_x002e07;
    auto state = isee__StatoDomandaPrestazioneType__Da_x0020Erogare;
    std::string day = variable("VARCO_DAY"), protocol = "perché/€ à";
    auto search = soap_new_set_isee__RicercaCFType(port.soap, person, &day, &benefit, &protocol, &state);
    auto request = soap_new_set_isee__ConsultazioneIndicatoreRequestType(port.soap, isee__TipoIndicatoreSinteticoEnum__Ordinario, search);
    auto call = soap_new_set__isee__ConsultazioneIndicatore(port.soap, request);
    auto reply = soap_new__isee__ConsultazioneIndicatoreResponse(port.soap);
    need(port, port.ConsultazioneIndicatore(call, *reply));
    return reply->ConsultazioneIndicatoreResult;
}

static auto attestazione(Consultazione &port, const std::string &protocol, const char *person) {
    auto benefit = isee__PrestazioneDaErogareType__A1_x002e07;
    auto request = soap_new_isee__ConsultazioneAttestazioneRequestType(port.soap);
    request->__union_ConsultazioneAttestazioneRequestType = SOAP_UNION__isee__union_ConsultazioneAttestazioneRequestType_RicercaProtDSU;
    auto search = soap_new_set_isee__RicercaProtDSUType(port.soap, protocol, person, &benefit, nullptr, nullptr);
    request->union_ConsultazioneAttestazioneRequestType.RicercaProtDSU = search;
    auto call = soap_new_set__isee__ConsultazioneAttestazione(port.soap, request);
    auto reply = soap_new__isee__ConsultazioneAttestazioneResponse(port.soap);
    need(port, port.ConsultazioneAttestazione(call, *reply));
    return reply->ConsultazioneAttestazioneResult;
}

// gSOAP's HTTP takes a status other than 200, 400 and 500 for an error of its own; a case wants to see what came with it.
static int (*parse)(soap *);
static int any_status(soap *context) {
    const int error = parse(context);
    return context->error = error >= 300 && error < 600 ? SOAP_OK : error;
}

// A line of cases.tsv: its bytes as they are, with gSOAP's HTTP.
static void send(const std::string &line, std::map<std::string, soap *> &open) {
    std::istringstream in(line);
    std::string name, ente, path, type, action, headers, transfer, connect, body;
    for (std::string *column : {&name, &ente, &path, &type, &action, &headers, &transfer, &connect, &body}) std::getline(in, *column, '\t');
    std::string extra = headers == "-" ? "" : headers;
    for (size_t at; (at = extra.find(';')) != std::string::npos;) extra.replace(at, 1, "\r\n");
    // In the place of gSOAP's own header, which is always in quotes.
    if (action != "-") extra += (extra.empty() ? "" : "\r\n") + ("SOAPAction: " + action);
    // gSOAP reads over the 100, but does not wait for it.
    if (transfer == "expect") extra += (extra.empty() ? "" : "\r\n") + std::string("Expect: 100-continue");

    const bool close = connect == "close";
    soap *kept = open[ente], *context = close || !kept ? connection(ente, close ? SOAP_IO_DEFAULT : SOAP_IO_KEEPALIVE) : kept;
    if (!close) open[ente] = context;
    // Stored, to be counted before it is sent; or in chunks.
    soap_clr_omode(context, SOAP_IO);
    soap_set_omode(context, transfer == "chunked" ? SOAP_IO_CHUNK : SOAP_IO_STORE);
    context->http_content = soap_strdup(context, type.c_str());
    context->http_extra_header = soap_strdup(context, extra.c_str());
    if (context->fparse != any_status) {
        parse = context->fparse;
        context->fparse = any_status;
    }
    const std::string bytes = file("cases/" + body), url = variable("VARCO_URL") + path;
    size_t size = 0;
    const char *reply = nullptr;
    if (soap_connect_command(context, SOAP_POST_FILE, url.c_str(), nullptr) || soap_send_raw(context, bytes.data(), bytes.size()) ||
        soap_end_send(context) || soap_begin_recv(context) || !(reply = soap_http_get_body(context, &size)) || soap_end_recv(context)) {
        soap_stream_fault(context, std::cerr);
        exit(1);
    }
    say("case." + name, std::to_string(context->status) + '\t' + base64(context, reply, size));
    soap_closesock(context);  // keeps it open where that was agreed
    soap_end(context);
    if (close) soap_free(context);
}

int main() {
    const bool mtom = variable("VARCO_MTOM") == "1";
    const std::string url = variable("VARCO_URL"), dsu_url = url + "/isee/TrasmissioneDSU/v1", isee_url = url + "/isee/ConsultazioneISEE/v1";
    // Strict: what comes is checked against the schema.
    const soap_mode mode = SOAP_IO_KEEPALIVE | SOAP_XML_STRICT | (mtom ? SOAP_ENC_MTOM : 0);
    std::string text = file("dsu.xml");
    TrasmissioneDSU caf(connection("caf", mode), dsu_url.c_str());
    _dsu__TrasmissioneDSUResponse accepted, refused;
    need(caf, transmit(caf, text, mtom, accepted));
    const auto result = accepted.TrasmissioneDSUResult;
    say("trasmissione.IdRichiesta", std::to_string(result->IdRichiesta));
    say("trasmissione.Esito", soap_dsu__EsitoEnum2s(caf.soap, result->Esito));
    if (!result->Accettazione) return 0;
    const std::string protocol = result->Accettazione->ProtocolloDSU;
    say("trasmissione.ProtocolloDSU", protocol);
    say("trasmissione.IstanteRicezione", soap_dateTime2s(caf.soap, result->Accettazione->IstanteRicezione));
    say("trasmissione.Impronta", result->Accettazione->Impronta);
    say("trasmissione.XmlRicevuta", base64(caf.soap, result->Accettazione->XmlRicevuta));

    Consultazione comune(connection("comune", mode), isee_url.c_str());
    const auto known = indicatore(comune, "FRRGLI84E52H501O");
    say("indicatore.IdRichiesta", std::to_string(known->IdRichiesta));
    say("indicatore.Esito", soap_isee__EsitoEnum2s(comune.soap, known->Esito));
    if (known->XmlEsitoIndicatore) say("indicatore.XmlEsitoIndicatore", base64(comune.soap, *known->XmlEsitoIndicatore));
    const auto attested = attestazione(comune, protocol, "GLLSFO14B60H501C");
    say("attestazione.IdRichiesta", std::to_string(attested->IdRichiesta));
    say("attestazione.Esito", soap_isee__EsitoEnum2s(comune.soap, attested->Esito));
    if (attested->XmlEsitoAttestazione) say("attestazione.XmlEsitoAttestazione", base64(comune.soap, *attested->XmlEsitoAttestazione));
    const auto unknown = indicatore(comune, "RSSMRA80A01H501U");
    say("assente.Esito", soap_isee__EsitoEnum2s(comune.soap, unknown->Esito));
    if (unknown->DescrizioneErrore) say("assente.DescrizioneErrore", *unknown->DescrizioneErrore);

    TrasmissioneDSU other(connection("comune", mode), dsu_url.c_str());
    if (transmit(other, text, mtom, refused) != SOAP_OK && other.soap_fault()) {
        const char *code = *soap_faultcode(other.soap), *colon = strchr(code, ':');
        say("fault.faultcode", colon ? colon + 1 : code);
        say("fault.faultstring", other.soap_fault_string());
    }

    std::map<std::string, soap *> open;
    std::ifstream cases("cases.tsv");
    for (std::string line; std::getline(cases, line);) send(line, open);
}
