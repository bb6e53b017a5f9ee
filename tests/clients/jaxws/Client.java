import com.sun.xml.ws.developer.JAXWSProperties;
import it.inps.consultazioneisee.*;
import it.inps.iseeriforma.TypeDichiarazione;
import java.io.ByteArrayInputStream;
import java.io.FileInputStream;
import java.io.PrintStream;
import java.net.URI;
import java.net.URL;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.time.Duration;
import java.util.Base64;
import java.util.Map;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import javax.xml.bind.JAXBContext;
import javax.xml.datatype.DatatypeFactory;
import javax.xml.namespace.QName;
import javax.xml.transform.stream.StreamSource;
import javax.xml.ws.BindingProvider;
import javax.xml.ws.Service;
import javax.xml.ws.soap.MTOMFeature;
import javax.xml.ws.soap.SOAPFaultException;
import varco.trasmissione_dsu._1.ISvcTrasmissioneDSU;
import varco.trasmissione_dsu._1.SvcTrasmissioneDSU;
import varco.trasmissione_dsu._1.TrasmissioneDSUResponseType;

/** JAX-WS for the services, with what wsimport made of their WSDL; java.net.http for the cases. */
class Client {
    static final char[] PASSWORD = "segreta".toCharArray();
    static final String HOST = System.getenv("VARCO_URL");
    static final boolean SOAP12 = System.getenv("VARCO_SOAP").equals("1.2");
    static final boolean MTOM = System.getenv("VARCO_MTOM").equals("1");
    static final PrintStream OUT = new PrintStream(System.out, true, StandardCharsets.UTF_8);

    public static void main(String[] args) throws Exception {
        SSLContext caf = tls("caf.p12"), comune = tls("comune.p12");
        var consultazione = port(new SvcConsultazione(wsdl("ConsultazioneISEE")), ISvcConsultazione.class, comune);
        var service = new SvcTrasmissioneDSU(wsdl("TrasmissioneDSU"));

        var trasmissione = transmit(port(service, ISvcTrasmissioneDSU.class, caf));
        var accettazione = trasmissione.getAccettazione();
        say("trasmissione.IdRichiesta", trasmissione.getIdRichiesta());
        say("trasmissione.Esito", trasmissione.getEsito().value());
        say("trasmissione.ProtocolloDSU", accettazione.getProtocolloDSU());
        say("trasmissione.IstanteRicezione", accettazione.getIstanteRicezione().toXMLFormat());
        say("trasmissione.Impronta", accettazione.getImpronta());
        say("trasmissione.XmlRicevuta", base64(accettazione.getXmlRicevuta()));

        var ricerca = new RicercaCFType();
        ricerca.setCodiceFiscale("FRRGLI84E52H501O");
        ricerca.setDataValidita(DatatypeFactory.newInstance().newXMLGregorianCalendar(System.getenv("VARCO_DAY")));
        ricerca.setPrestazioneDaErogare(PrestazioneDaErogareType.A_1_07);
        ricerca.setProtocolloDomandaEnteErogatore("perché/€ à");
        ricerca.setStatodomandaPrestazione(StatoDomandaPrestazioneType.DA_EROGARE);
        var ordinario = new ConsultazioneIndicatoreRequestType();
        ordinario.setTipoIndicatore(TipoIndicatoreSinteticoEnum.ORDINARIO);
        ordinario.setRicercaCF(ricerca);
        var indicatore = consultazione.consultazioneIndicatore(ordinario);
        say("indicatore.IdRichiesta", indicatore.getIdRichiesta());
        say("indicatore.Esito", indicatore.getEsito().value());
        say("indicatore.XmlEsitoIndicatore", base64(indicatore.getXmlEsitoIndicatore()));

        var protocollo = new RicercaProtDSUType();
        protocollo.setProtocolloDSU(accettazione.getProtocolloDSU());
        protocollo.setCodiceFiscaleBeneficiario("GLLSFO14B60H501C");
        protocollo.setPrestazioneDaErogare(PrestazioneDaErogareType.A_1_07);
        var request = new ConsultazioneAttestazioneRequestType();
        request.setRicercaProtDSU(protocollo);
        var attestazione = consultazione.consultazioneAttestazione(request);
        say("attestazione.IdRichiesta", attestazione.getIdRichiesta());
        say("attestazione.Esito", attestazione.getEsito().value());
        say("attestazione.XmlEsitoAttestazione", base64(attestazione.getXmlEsitoAttestazione()));

        ricerca.setCodiceFiscale("RSSMRA80A01H501U");
        var assente = consultazione.consultazioneIndicatore(ordinario);
        say("assente.Esito", assente.getEsito().value());
        say("assente.DescrizioneErrore", assente.getDescrizioneErrore());

        try {
            transmit(port(service, ISvcTrasmissioneDSU.class, comune));
        } catch (SOAPFaultException exception) {
            var fault = exception.getFault();
            say("fault.faultcode", fault.getFaultCodeAsQName().getLocalPart());
            say("fault.faultstring", fault.getFaultString());
        }

        var clients = Map.of("caf", http(caf), "comune", http(comune));
        for (String line : Files.readAllLines(Path.of("cases.tsv"))) {
            send(line.split("\t"), clients, Map.of("caf", caf, "comune", comune));
        }
    }

    /** The certificate of an ente with its key, and the authority of the port's certificate. */
    static SSLContext tls(String keys) throws Exception {
        var own = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        own.init(store(keys), PASSWORD);
        var authority = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        authority.init(store("ca.p12"));
        var context = SSLContext.getInstance("TLS");
        context.init(own.getKeyManagers(), authority.getTrustManagers(), null);
        return context;
    }

    static KeyStore store(String file) throws Exception {
        try (var input = new FileInputStream(file)) {
            var store = KeyStore.getInstance("PKCS12");
            store.load(input, PASSWORD);
            return store;
        }
    }

    /** The WSDL is read with the TLS of the system properties. */
    static URL wsdl(String service) throws Exception {
        return new URL(HOST + "/isee/" + service + "/v1?wsdl" + (SOAP12 ? "=1.2" : ""));
    }

    /** The port of the version of SOAP, with the TLS of an ente in place of that of the system properties. */
    static <T> T port(Service service, Class<T> type, SSLContext ente) {
        String name = (SOAP12 ? "Soap12_" : "BasicHttpBinding_") + type.getSimpleName();
        T port = service.getPort(new QName(service.getServiceName().getNamespaceURI(), name), type, new MTOMFeature(MTOM));
        ((BindingProvider) port).getRequestContext().put(JAXWSProperties.SSL_SOCKET_FACTORY, ente.getSocketFactory());
        return port;
    }

    static TrasmissioneDSUResponseType transmit(ISvcTrasmissioneDSU port) throws Exception {
        var file = Path.of("dsu.xml");
        if (MTOM) {
            return port.trasmissioneDSU(null, Files.readAllBytes(file));
        }
        var context = JAXBContext.newInstance(TypeDichiarazione.class);
        return port.trasmissioneDSU(context.createUnmarshaller().unmarshal(new StreamSource(file.toFile()), TypeDichiarazione.class).getValue(), null);
    }

    static HttpClient http(SSLContext tls) {
        return HttpClient.newBuilder().sslContext(tls).version(HttpClient.Version.HTTP_1_1).build();
    }

    /** Sends a case, and says what came back. */
    static void send(String[] column, Map<String, HttpClient> clients, Map<String, SSLContext> tls) throws Exception {
        String name = column[0], ente = column[1], path = column[2], kind = column[3], action = column[4], headers = column[5], transfer = column[6];
        byte[] body = Files.readAllBytes(Path.of("cases", column[8]));
        // Of a stream HttpClient does not know the length, and sends chunks.
        var publisher = transfer.equals("chunked") ? BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(body)) : BodyPublishers.ofByteArray(body);
        var request = HttpRequest.newBuilder(URI.create(HOST + path)).POST(publisher).timeout(Duration.ofSeconds(30));
        request.header("Content-Type", kind).expectContinue(transfer.equals("expect"));
        if (!action.equals("-")) {
            request.header("SOAPAction", action);
        }
        if (!headers.equals("-")) {
            for (String header : headers.split(";")) {
                String[] parts = header.split(":", 2);
                request.header(parts[0].trim(), parts[1].trim());
            }
        }
        var client = clients.get(ente);
        if (column[7].equals("close")) {
            request.header("Connection", "close");
            client = http(tls.get(ente));
        }
        var response = client.send(request.build(), BodyHandlers.ofByteArray());
        say("case." + name, response.statusCode() + "\t" + base64(response.body()));
    }

    static String base64(byte[] bytes) {
        return Base64.getEncoder().encodeToString(bytes);
    }

    static void say(String name, Object value) {
        OUT.println(name + "\t" + value);
    }
}
