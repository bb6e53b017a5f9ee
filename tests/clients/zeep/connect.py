import requests
import zeep

session = requests.Session()
session.cert = ("comune.pem", "comune.key")
session.verify = "ca.pem"
session.trust_env = False  # else REQUESTS_CA_BUNDLE would stand above session.verify
client = zeep.Client("https://localhost:8443/isee/ConsultazioneISEE/v1?wsdl", transport=zeep.Transport(session=session))
person = {"CodiceFiscale": "FRRGLI84E52H501O", "PrestazioneDaErogare": "A1.07"}
print(client.service.ConsultazioneIndicatore(request={"TipoIndicatore": "Ordinario", "RicercaCF": person}).Esito)
