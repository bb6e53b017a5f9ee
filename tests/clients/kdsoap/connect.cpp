#include "isee.h"
#include <QtNetwork>
using namespace isee; int main(int argc, char **argv) {
    QCoreApplication app(argc, argv); SvcConsultazione port; port.setEndPoint("https://localhost:8443/isee/ConsultazioneISEE/v1");
    QSslConfiguration tls; tls.setCaCertificates(QSslCertificate::fromPath("ca.pem")); tls.setLocalCertificate(QSslCertificate::fromPath("comune.pem")[0]);
    QFile key("comune.key"); key.open(QIODevice::ReadOnly); tls.setPrivateKey(QSslKey(&key, QSsl::Ec)); port.clientInterface()->setSslConfiguration(tls);
    TNS__RicercaCFType person; person.setCodiceFiscale({"FRRGLI84E52H501O"}); person.setPrestazioneDaErogare(TNS__PrestazioneDaErogareType::A1_07);
    TNS__ConsultazioneIndicatoreRequestType request; request.setTipoIndicatore(TNS__TipoIndicatoreSinteticoEnum::Ordinario); request.setRicercaCF(person);
    TNS__ConsultazioneIndicatore call; call.setRequest(request); auto esito = port.consultazioneIndicatore(call).consultazioneIndicatoreResult().esito();
    puts(qPrintable(port.lastError().isEmpty() ? esito.serialize("Esito").value().toString() : port.lastError())); }
