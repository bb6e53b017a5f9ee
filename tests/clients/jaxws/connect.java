import it.inps.consultazioneisee.*; // made by wsimport
class Connect { public static void main(String[] args) throws Exception {
    System.setProperty("javax.net.ssl.trustStore", "ca.p12"); System.setProperty("javax.net.ssl.trustStorePassword", "segreta");
    System.setProperty("javax.net.ssl.keyStore", "comune.p12"); System.setProperty("javax.net.ssl.keyStorePassword", "segreta");
    var ricerca = new RicercaCFType(); var request = new ConsultazioneIndicatoreRequestType();
    ricerca.setCodiceFiscale("FRRGLI84E52H501O"); ricerca.setPrestazioneDaErogare(PrestazioneDaErogareType.A_1_07);
    request.setTipoIndicatore(TipoIndicatoreSinteticoEnum.ORDINARIO); request.setRicercaCF(ricerca);
    var service = new SvcConsultazione(new java.net.URL("https://localhost:8443/isee/ConsultazioneISEE/v1?wsdl"));
    System.out.println(service.getBasicHttpBindingISvcConsultazione().consultazioneIndicatore(request).getEsito().value());
}}
