#include "soapBasicHttpBinding_USCOREISvcConsultazioneProxy.h"
#include "BasicHttpBinding_USCOREISvcConsultazione.nsmap"
int main() {
    BasicHttpBinding_USCOREISvcConsultazioneProxy port("https://localhost:8443/isee/ConsultazioneISEE/v1", SOAP_C_UTFSTRING);
    soap_ssl_client_context(port.soap, SOAP_SSL_DEFAULT | SOAP_SSL_NO_DEFAULT_CA_PATH, "comune-id.pem", NULL, "ca.pem", NULL, NULL);
    auto benefit = isee__PrestazioneDaErogareType__A1_x002e07; _isee__ConsultazioneIndicatoreResponse reply;
    auto person = soap_new_set_isee__RicercaCFType(port.soap, "FRRGLI84E52H501O", NULL, &benefit, NULL, NULL);
    auto request = soap_new_set_isee__ConsultazioneIndicatoreRequestType(port.soap, isee__TipoIndicatoreSinteticoEnum__Ordinario, person);
    if (port.ConsultazioneIndicatore(soap_new_set__isee__ConsultazioneIndicatore(port.soap, request), reply)) return port.soap_stream_fault(std::cerr), 1;
    puts(soap_isee__EsitoEnum2s(port.soap, reply.ConsultazioneIndicatoreResult->Esito)); }
