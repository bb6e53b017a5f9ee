import ssl, urllib.request
import suds.client, suds.transport.http

tls = ssl.create_default_context(cafile="ca.pem")
tls.load_cert_chain("comune.pem", "comune.key")
transport = suds.transport.http.HttpTransport()
transport.urlopener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=tls))
client = suds.client.Client("https://localhost:8443/isee/ConsultazioneISEE/v1?wsdl", transport=transport, cache=None)
person = {"CodiceFiscale": "FRRGLI84E52H501O", "PrestazioneDaErogare": "A1.07"}
print(client.service.ConsultazioneIndicatore({"TipoIndicatore": "Ordinario", "RicercaCF": person}).Esito)
