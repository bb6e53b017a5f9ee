"""The steps of README.md for the clients in Python. A client brings what differs: its library, and how it sends bytes."""

import base64
import csv
import http.client
import logging
import os
import pathlib
import shutil
import ssl
import subprocess
import sys

URL = os.environ["VARCO_URL"]
PORT = int(os.environ["VARCO_PORT"])
PKI = pathlib.Path(os.environ["VARCO_PKI"])
WORK = pathlib.Path(os.environ["VARCO_WORK"])
SOAP12 = os.environ["VARCO_SOAP"] == "1.2"


class Fault(Exception):
    """A fault, as the library understood it: its code and its text."""


class Said(logging.Handler):
    """What a library warns of, through the log or through `warnings`, is said as a warning."""

    def emit(self, record):
        say("warning", " ".join(record.getMessage().split()))


def say(name, *values):
    print(name, *values, sep="\t")


def encoded(payload):
    """Base64 of the bytes of a payload; a library that does not decode base64Binary leaves it a string."""
    return base64.b64encode(payload if isinstance(payload, bytes) else base64.b64decode(payload, validate=True)).decode("ascii")


def pem(ente):
    return str(PKI / f"{ente}.pem"), str(PKI / f"{ente}.key")


def tls(ente):
    context = ssl.create_default_context(cafile=PKI / "ca.pem")
    context.load_cert_chain(*pem(ente))
    return context


def address(service):
    return f"{URL}/isee/{service}/v1?wsdl{'=1.2' if SOAP12 else ''}"


def run(client, connect):
    """All the steps. `client` has connect(ente, service), dichiarazione(peer, file), call(peer, operation, **arguments) and send(case, body)."""
    logging.basicConfig(level=logging.WARNING, handlers=[Said()])
    logging.captureWarnings(True)
    consult(client, transmit(client))
    refused(client)
    cases(client.send)
    if not SOAP12:
        in_ten_lines(pathlib.Path(connect))


def transmit(client):
    caf = client.connect("caf", "TrasmissioneDSU")
    answer = client.call(caf, "TrasmissioneDSU", Dichiarazione=client.dichiarazione(caf, WORK / "dsu.xml"))
    say("trasmissione.IdRichiesta", answer.IdRichiesta)
    say("trasmissione.Esito", answer.Esito)
    accepted = answer.Accettazione
    say("trasmissione.ProtocolloDSU", accepted.ProtocolloDSU)
    say("trasmissione.IstanteRicezione", accepted.IstanteRicezione.isoformat())
    say("trasmissione.Impronta", accepted.Impronta)
    say("trasmissione.XmlRicevuta", encoded(accepted.XmlRicevuta))
    return accepted.ProtocolloDSU


def consult(client, protocol):
    comune = client.connect("comune", "ConsultazioneISEE")
    person = {
        "CodiceFiscale": "FRRGLI84E52H501O",
        "DataValidita": os.environ["VARCO_DAY"],
        "PrestazioneDaErogare": "A1.07",
        "ProtocolloDomandaEnteErogatore": "perché/€ à",
        "StatodomandaPrestazione": "Da Erogare",
    }
    answer = client.call(comune, "ConsultazioneIndicatore", request={"TipoIndicatore": "Ordinario", "RicercaCF": person})
    say("indicatore.IdRichiesta", answer.IdRichiesta)
    say("indicatore.Esito", answer.Esito)
    say("indicatore.XmlEsitoIndicatore", encoded(answer.XmlEsitoIndicatore))

    by = {"ProtocolloDSU": protocol, "CodiceFiscaleBeneficiario": "GLLSFO14B60H501C", "PrestazioneDaErogare": "A1.07"}
    answer = client.call(comune, "ConsultazioneAttestazione", request={"RicercaProtDSU": by})
    say("attestazione.IdRichiesta", answer.IdRichiesta)
    say("attestazione.Esito", answer.Esito)
    say("attestazione.XmlEsitoAttestazione", encoded(answer.XmlEsitoAttestazione))

    nobody = {**person, "CodiceFiscale": "RSSMRA80A01H501U"}
    answer = client.call(comune, "ConsultazioneIndicatore", request={"TipoIndicatore": "Ordinario", "RicercaCF": nobody})
    say("assente.Esito", answer.Esito)
    say("assente.DescrizioneErrore", answer.DescrizioneErrore)


def refused(client):
    comune = client.connect("comune", "TrasmissioneDSU")
    try:
        client.call(comune, "TrasmissioneDSU", Dichiarazione=client.dichiarazione(comune, WORK / "dsu.xml"))
    except Fault as fault:
        code, text = fault.args
        say("fault.faultcode", code.rpartition(":")[2])
        say("fault.faultstring", text)


def cases(send):
    with open(WORK / "cases.tsv", encoding="utf-8", newline="") as file:
        names = ("name", "ente", "path", "content-type", "soapaction", "headers", "transfer", "connection", "body")
        for case in csv.DictReader(file, names, delimiter="\t", quoting=csv.QUOTE_NONE):
            status, reply = send(case, (WORK / "cases" / case["body"]).read_bytes())
            say(f"case.{case['name']}", status, base64.b64encode(reply).decode("ascii"))


def headers(case):
    """The headers of a case, but for those that frame its body."""
    found = {"Content-Type": case["content-type"]}
    if case["soapaction"] != "-":
        found["SOAPAction"] = case["soapaction"]
    if case["headers"] != "-":
        found.update(header.split(": ", 1) for header in case["headers"].split(";"))
    if case["connection"] == "close":
        found["Connection"] = "close"
    return found


def pieces(body):
    """For a chunked transfer: in more chunks than one."""
    for start in range(0, len(body), 1000):
        yield body[start : start + 1000]


class Wire:
    """Cases by http.client: over one connection of each ente's, but for those that want one of their own."""

    def __init__(self):
        self.kept = {}

    def send(self, case, body):
        if case["connection"] == "close":
            connection = self.open(case["ente"])
        else:
            connection = self.kept.setdefault(case["ente"], self.open(case["ente"]))
        if case["transfer"] == "expect":
            self.expect(connection, case, body)
        elif case["transfer"] == "chunked":
            connection.request("POST", case["path"], pieces(body), headers(case), encode_chunked=True)
        else:
            connection.request("POST", case["path"], body, headers(case))
        response = connection.getresponse()
        return response.status, response.read()

    @staticmethod
    def open(ente):
        return http.client.HTTPSConnection("localhost", PORT, timeout=30, context=tls(ente))

    @staticmethod
    def expect(connection, case, body):
        """The body goes out only after the 100, which http.client knows to skip, but not to wait for."""
        connection.putrequest("POST", case["path"])
        for name, value in {**headers(case), "Content-Length": str(len(body)), "Expect": "100-continue"}.items():
            connection.putheader(name, value)
        connection.endheaders()
        interim = b""
        while not interim.endswith(b"\r\n\r\n"):
            byte = connection.sock.recv(1)
            if not byte:
                raise ConnectionError("closed before 100 Continue")
            interim += byte
        if not interim.startswith(b"HTTP/1.1 100 "):
            raise ConnectionError(f"no 100 Continue: {interim!r}")
        connection.send(body)


def in_ten_lines(connect):
    """connect.py as it is, but for the port."""
    home = WORK / "connect"
    home.mkdir()
    for name in ("ca.pem", "comune.pem", "comune.key"):
        shutil.copy(PKI / name, home)
    script = connect.read_text(encoding="utf-8").replace("localhost:8443", f"localhost:{PORT}")
    (home / connect.name).write_text(script, encoding="utf-8")
    done = subprocess.run([sys.executable, connect.name], cwd=home, stdout=subprocess.PIPE, text=True, check=True)
    say("connect", done.stdout.strip())
