// What ../README.md asks of a client, with KDSoap: all messages in the generated classes, but for the DSU, which is in KDSoap's own values. The generated
// classes cannot hold it: they keep a decimal in a float (33.33 is sent as 33.33000183105469).

#include "dsu.h"
#include "isee.h"

#include <QtNetwork>
#include <QtXml>
#include <iostream>

#if SOAP12 // the second port of the WSDL
using Trasmissione = dsu::SvcTrasmissioneDSU::Soap12_ISvcTrasmissioneDSU;
using Consultazione = isee::SvcConsultazione::Soap12_ISvcConsultazione;
#else
using Trasmissione = dsu::SvcTrasmissioneDSU;
using Consultazione = isee::SvcConsultazione;
#endif

static void say(const QString &name, const QString &value) { std::cout << qPrintable(name) << '\t' << qUtf8Printable(value) << '\n'; }

// The text of a value of an enumeration.
template <class Enum> static QString text(const Enum &value) { return value.serialize(QString()).value().toString(); }

static QByteArray file(const QString &name) {
    QFile in(name);
    if (!in.open(QIODevice::ReadOnly)) qFatal("%s: %s", qPrintable(name), qPrintable(in.errorString()));
    return in.readAll();
}

// Only our authority is trusted; that the server must show a certificate in its own name is the default.
static QSslConfiguration identity(const QString &ente) {
    const QString pki = qEnvironmentVariable("VARCO_PKI") + '/';
    QSslConfiguration tls;
    tls.setCaCertificates(QSslCertificate::fromPath(pki + "ca.pem"));
    tls.setLocalCertificate(QSslCertificate::fromPath(pki + ente + ".pem").first());
    tls.setPrivateKey(QSslKey(file(pki + ente + ".key"), QSsl::Ec));
    return tls;
}

template <class Port> static void open(Port &port, const QString &service, const QString &ente) {
    port.setEndPoint(qEnvironmentVariable("VARCO_URL") + "/isee/" + service + "/v1");
    port.clientInterface()->setSslConfiguration(identity(ente));
    port.clientInterface()->setTimeout(20'000);
}

// A call that must not fail did.
template <class Port> static void need(const Port &port) {
    if (!port.lastError().isEmpty()) qFatal("%s", qPrintable(port.lastError()));
}

// An element in the values of KDSoap.
static KDSoapValue values(const QDomElement &element) {
    KDSoapValue value(element.localName(), element.firstChildElement().isNull() ? element.text() : QVariant());
    value.setNamespaceUri(element.namespaceURI());
    value.setQualified(true);
    const QDomNamedNodeMap attributes = element.attributes();
    for (int i = 0; i < attributes.count(); ++i) value.childValues().attributes() += KDSoapValue(attributes.item(i).nodeName(), attributes.item(i).nodeValue());
    for (auto child = element.firstChildElement(); !child.isNull(); child = child.nextSiblingElement()) value.childValues() += values(child);
    return value;
}

static KDSoapMessage transmit(Trasmissione &port) {
    QDomDocument document;
    document.setContent(file("dsu.xml"), true);
    KDSoapValue call("TrasmissioneDSU", QVariant());
    call.setNamespaceUri("urn:varco:trasmissione-dsu:1");
    call.setQualified(true);
    call.childValues() += values(document.documentElement());
    KDSoapMessage message;
    message.setUse(KDSoapMessage::LiteralUse);
    message = call;
    return port.clientInterface()->call(call.name(), message, "urn:varco:trasmissione-dsu:1/TrasmissioneDSU");
}

static isee::TNS__ConsultazioneIndicatoreResponseType indicatore(Consultazione &port, const QString &person) {
    isee::TNS__RicercaCFType search;
    search.setCodiceFiscale(person);
    search.setDataValidita(QDate::fromString(qEnvironmentVariable("VARCO_DAY"), Qt::ISODate));
    search.setPrestazioneDaErogare(isee::TNS__PrestazioneDaErogareType::A1_07);
    search.setProtocolloDomandaEnteErogatore("perché/€ à");
    search.setStatodomandaPrestazione(isee::TNS__StatoDomandaPrestazioneType::Da_Erogare);
    isee::TNS__ConsultazioneIndicatoreRequestType request;
    request.setTipoIndicatore(isee::TNS__TipoIndicatoreSinteticoEnum::Ordinario);
    request.setRicercaCF(search);
    isee::TNS__ConsultazioneIndicatore call;
    call.setRequest(request);
    const auto reply = port.consultazioneIndicatore(call);
    need(port);
    return reply.consultazioneIndicatoreResult();
}

static isee::TNS__ConsultazioneAttestazioneResponseType attestazione(Consultazione &port, const QString &protocol, const QString &person) {
    isee::TNS__RicercaProtDSUType search;
    search.setProtocolloDSU(protocol);
    search.setCodiceFiscaleBeneficiario(person);
    search.setPrestazioneDaErogare(isee::TNS__PrestazioneDaErogareType::A1_07);
    isee::TNS__ConsultazioneAttestazioneRequestType request;
    request.setRicercaProtDSU(search);
    isee::TNS__ConsultazioneAttestazione call;
    call.setRequest(request);
    const auto reply = port.consultazioneAttestazione(call);
    need(port);
    return reply.consultazioneAttestazioneResult();
}

// What stands in the fault, in either version of SOAP.
static QString fault(const KDSoapMessage &reply, const QString &name, const QString &outer, const QString &inner) {
    const KDSoapValue value = reply.childValues().child(name);
    return (value.isNull() ? reply.childValues().child(outer).childValues().child(inner) : value).value().toString();
}

// A line of cases.tsv: its bytes as they are, with Qt's HTTP.
static void send(const QString &line, QMap<QString, QNetworkAccessManager *> &open) {
    const QStringList column = line.split('\t');
    const QString name = column[0], ente = column[1], action = column[4], headers = column[5], transfer = column[6], connection = column[7];
    if (transfer == "chunked") return say("case." + name, "unsupported");
    QNetworkRequest request(QUrl(qEnvironmentVariable("VARCO_URL") + column[2]));
    request.setSslConfiguration(identity(ente));
    request.setRawHeader("Content-Type", column[3].toUtf8());
    if (action != "-") request.setRawHeader("SOAPAction", action.toUtf8());
    if (headers != "-")
        for (const QString &header : headers.split(';')) request.setRawHeader(header.section(':', 0, 0).toUtf8(), header.section(':', 1).trimmed().toUtf8());
    // Qt reads over the 100, but does not wait for it.
    if (transfer == "expect") request.setRawHeader("Expect", "100-continue");
    QNetworkAccessManager once, *manager = &once;
    if (connection == "close") {
        request.setRawHeader("Connection", "close");
    } else {
        if (!open[ente]) open[ente] = new QNetworkAccessManager(qApp);
        manager = open[ente];
    }
    const QScopedPointer<QNetworkReply> reply(manager->post(request, file("cases/" + column[8])));
    QEventLoop loop;
    QObject::connect(reply.data(), &QNetworkReply::finished, &loop, &QEventLoop::quit);
    loop.exec();
    const QVariant status = reply->attribute(QNetworkRequest::HttpStatusCodeAttribute);
    if (!status.isValid()) qFatal("%s: %s", qPrintable(name), qPrintable(reply->errorString()));
    say("case." + name, status.toString() + '\t' + reply->readAll().toBase64());
}

int main(int argc, char **argv) {
    QCoreApplication app(argc, argv);
    Trasmissione caf;
    open(caf, "TrasmissioneDSU", "caf");
    dsu::TNS__TrasmissioneDSUResponse reply;
    reply.deserialize(transmit(caf));
    const auto accepted = reply.trasmissioneDSUResult();
    const QString protocol = accepted.accettazione().protocolloDSU();
    say("trasmissione.IdRichiesta", QString::number(accepted.idRichiesta()));
    say("trasmissione.Esito", text(accepted.esito()));
    say("trasmissione.ProtocolloDSU", protocol);
    say("trasmissione.IstanteRicezione", accepted.accettazione().istanteRicezione().toDateString());
    say("trasmissione.Impronta", accepted.accettazione().impronta());
    say("trasmissione.XmlRicevuta", accepted.accettazione().xmlRicevuta().toBase64());

    Consultazione comune;
    open(comune, "ConsultazioneISEE", "comune");
    const auto known = indicatore(comune, "FRRGLI84E52H501O");
    say("indicatore.IdRichiesta", QString::number(known.idRichiesta()));
    say("indicatore.Esito", text(known.esito()));
    say("indicatore.XmlEsitoIndicatore", known.xmlEsitoIndicatore().toBase64());
    const auto attested = attestazione(comune, protocol, "GLLSFO14B60H501C");
    say("attestazione.IdRichiesta", QString::number(attested.idRichiesta()));
    say("attestazione.Esito", text(attested.esito()));
    say("attestazione.XmlEsitoAttestazione", attested.xmlEsitoAttestazione().toBase64());
    const auto unknown = indicatore(comune, "RSSMRA80A01H501U");
    say("assente.Esito", text(unknown.esito()));
    say("assente.DescrizioneErrore", unknown.descrizioneErrore());

    Trasmissione other;
    open(other, "TrasmissioneDSU", "comune");
    const KDSoapMessage refused = transmit(other);
    say("fault.faultcode", fault(refused, "faultcode", "Code", "Value").section(':', -1));
    say("fault.faultstring", fault(refused, "faultstring", "Reason", "Text"));

    QMap<QString, QNetworkAccessManager *> managers;
    for (const QString &line : QString(file("cases.tsv")).split('\n', Qt::SkipEmptyParts)) send(line, managers);
}
