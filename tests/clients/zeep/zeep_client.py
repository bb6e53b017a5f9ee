"""A client that we did not write: zeep, strict, driven by the WSDL that the port itself serves, over mutually authenticated TLS.

As a CAF it transmits the sample DSU twice; as a municipality it asks what the DSU was worth; then come the requests that the port must
refuse. What is expected is worked out here, from the law and the sample, and not taken from the port. `tests/interop/clients.rs` runs it, and
says on the command line where the port is, where the certificates are, and which day and which yield to reckon with. The first check
that does not hold ends it with a traceback.
"""

import argparse
import datetime
import hashlib
import pathlib
import re
import subprocess
import tempfile
from decimal import ROUND_HALF_UP, Decimal

import requests
import zeep
import zeep.exceptions
from lxml import etree

ISEE = "http://inps.it/ISEERiforma"
CONSULTAZIONE = "http://inps.it/ConsultazioneISEE"
TRASMISSIONE = "urn:varco:trasmissione-dsu:1"
RICEVUTA = "urn:varco:ricevuta:1"
PROBLEM = "urn:ietf:rfc:7807"

GIULIA = "FRRGLI84E52H501O"
# Well formed, with a right check character, and in no DSU.
NESSUNO = "RSSMRA80A01H501U"
NUCLEO = [
    ("D", "FERRARI", "GIULIA", GIULIA),
    ("C", "GALLI", "MATTEO", "GLLMTT81P03F205Y"),
    ("F", "GALLI", "SOFIA", "GLLSFO14B60H501C"),
    ("F", "GALLI", "TOMMASO", "GLLTMM19L08H501B"),
]


def expected_lines(rendimento):
    """The lines of the ordinary indicator for the sample DSU, without any income from elsewhere.

    By hand, with the yield of 2026 (2.60%):

    - incomes: the DSU declares none, and the feed is empty: 0
    - figurative income: 12000 of movable assets that are no accounts, by 2.60%: 312.00
    - ISR: 0 + 312.00 - 0 (the home is owned, there is no rent to deduct): 312.00
    - movable assets: accounts max(4200, 3900) + max(1500, 2600) = 6800, others 12000: 18800
    - its franchise: 6000 + 3 * 2000 = 12000, but at most 10000; nothing more, since the children are two: 10000
    - real estate: the home 61000 + 61000, the land 2400: 124400
    - what counts of it: the home net of its mortgages 2 * (61000 - 20000) = 82000, over the franchise 82000 - 52500 = 29500, two thirds
      of that 19666.666...; and the land 2400: 22066.666...; so is taken away 124400 - 22066.666... = 102333.333...: 102333.33
    - ISP: (18800 - 10000) + (124400 - 102333.33): 30866.67
    - ISE: 312.00 + 0.20 * 30866.67 = 312.00 + 6173.334 = 6485.334: 6485.33
    - scale: four members 2.46, both parents at work with minors, none under three, 0.20: 2.66
    - ISEE: 6485.33 / 2.66 = 2438.0939...: 2438.09

    The rule sets since 2020 differ from this only in the yield.
    """

    def cents(amount):
        return amount.quantize(Decimal("0.01"), ROUND_HALF_UP)

    figurativo = cents(12000 * rendimento)
    ise = cents(figurativo + Decimal("6173.334"))
    isee = cents(ise / Decimal("2.66"))
    if rendimento == Decimal("0.026"):
        same((str(figurativo), str(ise), str(isee)), ("312.00", "6485.33", "2438.09"), "this arithmetic")
    valori = {"ISE": str(ise), "ScalaEquivalenza": "2.66", "ISEE": str(isee), "ISR": str(figurativo), "ISP": "30866.67"}
    modalita = {
        "SommaRedditiComponenti": "0.00",
        "RedditoFigurativoPatrimonioMobiliare": str(figurativo),
        "Detrazioni": "0.00",
        "ISR": str(figurativo),
        "PatrimonioMobiliare": "18800.00",
        "DetrazionePatrimonioMobiliare": "10000.00",
        "PatrimonioImmobiliare": "124400.00",
        "DetrazionePatrimonioImmobiliare": "102333.33",
        "ISP": "30866.67",
        "ISE": str(ise),
        "ParametroNucleo": "2.46",
        "Maggiorazioni": "0.20",
        "ScalaEquivalenza": "2.66",
    }
    return valori, modalita


def same(found, expected, what):
    if found != expected:
        raise AssertionError(f"{what}: found {found!r}, expected {expected!r}")


def holds(condition, what):
    if not condition:
        raise AssertionError(what)


class Ente:
    """A zeep client with an ente's certificate, and the last HTTP exchange as it was on the wire. Who is not let in has the contract from another."""

    def __init__(self, options, name, service, contract=None):
        pki = options.home / "pki"
        session = requests.Session()
        # Neither proxies nor authorities of the machine's.
        session.trust_env = False
        certificate = lambda whose: (str(pki / f"{whose}.pem"), str(pki / f"{whose}.key"))
        session.cert = certificate(contract or name)
        session.verify = str(pki / "ca.pem")
        session.hooks["response"].append(self.keep)
        self.address = f"https://localhost:{options.port}/isee/{service}/v1"
        self.client = zeep.Client(
            f"{self.address}?wsdl",
            transport=zeep.Transport(session=session, timeout=30, operation_timeout=30),
            settings=zeep.Settings(strict=True),
        )
        session.close()
        session.cert = certificate(name)
        self.service = self.client.service
        same(self.service._binding_options["address"], self.address, "the address in the WSDL")

    def keep(self, response, *_, **__):
        self.sent = response.request.body
        self.response = response

    def fault(self, operation, **arguments):
        """Calls what must be answered with a fault: the fault, and the problem inside."""
        try:
            answer = self.service[operation](**arguments)
        except zeep.exceptions.Fault as fault:
            same(self.response.status_code, 500, "HTTP status of a fault")
            problem = fault.detail.find(f"{{{PROBLEM}}}problem")
            holds(problem is not None, "a fault has a problem")
            parts = {etree.QName(part).localname: part.text for part in problem}
            same(parts["instance"], f"urn:uuid:{self.response.headers['x-request-id']}", "instance of the problem")
            return fault, parts
        raise AssertionError(f"no fault: {answer}")


def validate(options, schema, payload, valid=True):
    """Validates with a validator that we did not write."""
    with tempfile.NamedTemporaryFile(suffix=".xml") as file:
        file.write(payload)
        file.flush()
        command = ["xmllint", "--nonet", "--noout", "--schema", str(options.wsdl / schema), file.name]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    # 3 is xmllint's status for a document that breaks its schema.
    same(done.returncode, 0 if valid else 3, f"{schema}: {done.stderr}")


def payload_checks(options, payload, root):
    """INPS's shape, byte by byte, and the schema."""
    start = f'<?xml version="1.0" encoding="UTF-8"?><{root} xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns="{ISEE}"'
    holds(payload.startswith(start.encode()), f"the payload begins {payload[:200]!r}")
    holds(payload.count(b"\r\n") >= 2, "the payload has lines")
    same(payload.count(b"\n"), payload.count(b"\r\n"), "line ends, all of them CRLF")
    same(payload.count(b"\r"), payload.count(b"\r\n"), "carriage returns, all of them in CRLF")
    same(re.findall(rb"</?[A-Za-z]+:", payload), [], "prefixes")
    validate(options, "ISEE_Esiti.xsd", payload)
    # And the validation is able to fail.
    validate(options, "ISEE_Esiti.xsd", payload.replace(b" CodiceFiscale=", b" CodiceFisc=", 1), valid=False)
    parsed = etree.fromstring(payload)
    same(parsed.tag, f"{{{ISEE}}}{root}", "root of the payload")
    return parsed


def near(day, options, what):
    """A day that the port chose: today, or tomorrow if midnight came between."""
    found = datetime.date.fromisoformat(day)
    holds(options.today <= found <= options.today + datetime.timedelta(days=1), f"{what}: {day}")


def transmit(options):
    """As the CAF: the sample DSU, typed, twice."""
    caf = Ente(options, "caf", "TrasmissioneDSU")
    sample = etree.parse(options.dsu).getroot()
    # What zeep reads by the types of the served schema is objects, dates, numbers; what it sends is made of these again.
    typed = caf.client.get_element(f"{{{ISEE}}}Dichiarazione").parse(sample, caf.client.wsdl.types)
    first_sheet = typed.NucleoFamiliare.ComponenteNucleo[0].FoglioComponenteNucleo
    same(first_sheet.DatiComponente.Anagrafica.DataNascita, datetime.date(1984, 5, 12), "a date that zeep read")
    same(first_sheet.PatrimonioMobiliare.FlagPossessoRapportoFinanziario, True, "a flag that zeep read")
    second_sheet = typed.NucleoFamiliare.ComponenteNucleo[1].FoglioComponenteNucleo
    same(second_sheet.PatrimonioImmobiliare.Patrimonio[1].QuotaPosseduta, Decimal("33.33"), "a number that zeep read")

    first = caf.service.TrasmissioneDSU(Dichiarazione=typed)
    same(caf.response.status_code, 200, "HTTP status")
    same(first.Esito, "OK", f"Esito ({first.DescrizioneErrore}, {first.Violazioni})")
    same((first.DescrizioneErrore, first.Violazioni), (None, None), "nothing is wrong")
    holds(first.IdRichiesta > 0, f"IdRichiesta {first.IdRichiesta}")
    accepted = first.Accettazione
    protocol = re.fullmatch(r"INPS-ISEE-(\d{4})-\d{8}[A-Z]-00", accepted.ProtocolloDSU)
    holds(protocol is not None, f"form of the protocol {accepted.ProtocolloDSU}")
    same(protocol[1], str(accepted.IstanteRicezione.year), "year of the protocol")
    age = datetime.datetime.now(datetime.timezone.utc) - accepted.IstanteRicezione
    holds(datetime.timedelta(0) <= age < datetime.timedelta(minutes=1), f"instant of reception, {age} ago")

    # The imprint is of what zeep wrote, with its own prefixes, in lxml's canonical form and not in ours.
    sent = etree.fromstring(caf.sent).find(f".//{{{ISEE}}}Dichiarazione")
    holds(sent.prefix is not None, "zeep writes a prefix, so that the sample's own bytes would not do")
    canonical = etree.tostring(sent, method="c14n", exclusive=True, with_comments=False)
    impronta = hashlib.sha256(canonical).hexdigest()
    same(accepted.Impronta, impronta, "Impronta")

    valori, modalita = expected_lines(options.rendimento)
    receipt = accepted.XmlRicevuta
    holds(receipt.startswith(b"<?xml "), f"the receipt begins {receipt[:100]!r}")
    validate(options, "Ricevuta.xsd", receipt)
    parsed = etree.fromstring(receipt)
    same(parsed.tag, f"{{{RICEVUTA}}}Ricevuta", "root of the receipt")
    attributes = dict(parsed.attrib)
    near(attributes.pop("DataTrasmissione"), options, "DataTrasmissione")
    near(attributes.pop("DataAttestazione"), options, "DataAttestazione")
    instant = datetime.datetime.fromisoformat(attributes.pop("IstanteRicezione").replace("Z", "+00:00"))
    same(instant, accepted.IstanteRicezione, "instant in the receipt")
    same(
        attributes,
        {
            "ProtocolloDSU": accepted.ProtocolloDSU,
            "ProtocolloMittente": options.protocollo,
            "CodiceFiscaleDichiarante": GIULIA,
            "DataPresentazione": options.day,
            "DataValidita": f"{options.day[:4]}-12-31",
            "Impronta": impronta,
        },
        "attributes of the receipt",
    )
    part = {etree.QName(child).localname: child for child in parsed}
    same(dict(part["EnteTrasmittente"].attrib), {"Codice": "caf", "Denominazione": "Ente caf"}, "who transmitted")
    same(dict(part["Valori"].attrib), valori, "values in the receipt")
    same(dict(part["ModalitaCalcolo"].attrib), modalita, "lines in the receipt")
    members = [(m.get("Cognome"), m.get("Nome"), m.get("CodiceFiscale"), m.get("ISEE")) for m in part["Nucleo"]]
    same(members, [(*names, valori["ISEE"]) for _, *names in NUCLEO], "nucleus in the receipt")

    again = caf.service.TrasmissioneDSU(Dichiarazione=typed)
    same(again.Esito, "OK", "Esito of the same again")
    same(again.Accettazione.ProtocolloDSU, accepted.ProtocolloDSU, "protocol of the same again")
    same(again.Accettazione.XmlRicevuta, receipt, "receipt of the same again")
    same(again.Accettazione.IstanteRicezione, accepted.IstanteRicezione, "instant of the same again")
    same(again.Accettazione.Impronta, impronta, "imprint of the same again")
    holds(again.IdRichiesta > first.IdRichiesta, f"IdRichiesta {first.IdRichiesta}, then {again.IdRichiesta}")

    # A DSU that the schema takes and the checks do not: the reply says where, and it is no fault.
    second_sheet.CodiceFiscale = "GLLMTT81P03F205X"
    wrong = caf.service.TrasmissioneDSU(Dichiarazione=typed)
    same((wrong.Esito, wrong.Accettazione), ("RICHIESTA_INVALIDA", None), "Esito of a wrong DSU")
    violations = [(v.Codice, v.Percorso) for v in wrong.Violazioni.Violazione]
    where = "/TrasmissioneDSU/Dichiarazione/NucleoFamiliare/ComponenteNucleo[2]/FoglioComponenteNucleo/@CodiceFiscale"
    holds(("K05.controllo", where) in violations, f"violations {violations}")
    return accepted.ProtocolloDSU


def ricerca(options, codice_fiscale=GIULIA, prestazione="A1.07"):
    return {
        "CodiceFiscale": codice_fiscale,
        "DataValidita": datetime.date.fromisoformat(options.day),
        "PrestazioneDaErogare": prestazione,
        "ProtocolloDomandaEnteErogatore": "DOM-2/à",
        "StatodomandaPrestazione": "Da Erogare",
    }


def consult(options, protocollo_dsu):
    """As the municipality: the indicator and the attestation, then what must be refused."""
    comune = Ente(options, "comune", "ConsultazioneISEE")
    valori, modalita = expected_lines(options.rendimento)
    echo = {
        "CodiceFiscale": GIULIA,
        "DataValidita": options.day,
        "PrestazioneDaErogare": "A1.07",
        "ProtocolloDomandaEnteErogatore": "DOM-2/à",
        "StatodomandaPrestazione": "Da Erogare",
    }

    def ordinario(search):
        return {"TipoIndicatore": "Ordinario", "RicercaCF": search}

    answer = comune.service.ConsultazioneIndicatore(request=ordinario(ricerca(options)))
    same((answer.Esito, answer.DescrizioneErrore), ("OK", None), "Esito of the indicator")
    first_id = answer.IdRichiesta
    holds(first_id > 0, f"IdRichiesta {first_id}")
    payload = payload_checks(options, answer.XmlEsitoIndicatore, "Indicatore")
    about = {"TipoIndicatore": "Ordinario", "ProtocolloDSU": protocollo_dsu, "DataPresentazione": options.day}
    same(dict(payload.attrib), {**valori, **about}, "the indicator")
    same([etree.QName(child).localname for child in payload], ["RicercaCF"], "children of the indicator")
    same(dict(payload[0].attrib), echo, "echo of the search")

    answer = comune.service.ConsultazioneAttestazione(request={"RicercaCF": ricerca(options)})
    same((answer.Esito, answer.DescrizioneErrore), ("OK", None), "Esito of the attestation")
    holds(answer.IdRichiesta > first_id, f"IdRichiesta {first_id}, then {answer.IdRichiesta}")
    by_person = payload_checks(options, answer.XmlEsitoAttestazione, "EsitoAttestazione")
    attestation_checks(options, by_person, protocollo_dsu, valori, modalita)
    (search,) = by_person.find(f"{{{ISEE}}}Ricerca")
    same((etree.QName(search).localname, dict(search.attrib)), ("RicercaCF", echo), "echo of the search")

    # The other branch of the choice: by protocol.
    by = {"ProtocolloDSU": protocollo_dsu, "CodiceFiscaleBeneficiario": "GLLMTT81P03F205Y", "PrestazioneDaErogare": "A1.07"}
    answer = comune.service.ConsultazioneAttestazione(request={"RicercaProtDSU": by})
    same(answer.Esito, "OK", f"Esito by protocol ({answer.DescrizioneErrore})")
    by_protocol = payload_checks(options, answer.XmlEsitoAttestazione, "EsitoAttestazione")
    attestation_checks(options, by_protocol, protocollo_dsu, valori, modalita)
    (search,) = by_protocol.find(f"{{{ISEE}}}Ricerca")
    same((etree.QName(search).localname, dict(search.attrib)), ("RicercaProtDSU", by), "echo of the search by protocol")

    answer = comune.service.ConsultazioneIndicatore(request=ordinario(ricerca(options, codice_fiscale=NESSUNO)))
    same((answer.Esito, answer.XmlEsitoIndicatore), ("DATI_NON_TROVATI", None), "Esito for an unknown person")
    same(answer.DescrizioneErrore, "nessuna attestazione valida per i criteri di ricerca", "and why")

    answer = comune.service.ConsultazioneIndicatore(request=ordinario(ricerca(options, prestazione="A1.01")))
    same((answer.Esito, answer.XmlEsitoIndicatore), ("RICHIESTA_INVALIDA", None), "Esito for a benefit that is not granted")
    same(answer.DescrizioneErrore, "prestazione non abilitata per questo ente", "and why")

    search = ricerca(options, codice_fiscale="FRRGLI84E52H50")
    fault, problem = comune.fault("ConsultazioneIndicatore", request=ordinario(search))
    same((fault.code, fault.message), ("SOAP-ENV:Client.SchemaValidation", "Schema validation failed"), "fault for a wrong code")
    same((problem["status"], problem["type"]), ("400", "urn:varco:problem:schema"), "its problem")
    where = "/ConsultazioneIndicatore/request/RicercaCF/CodiceFiscale (riga "
    holds(where in problem["detail"], f"its place: {problem['detail']}")
    holds("FRRGLI84" not in problem["detail"], "a fault repeats nothing of the request")

    try:
        Ente(options, "sospeso", "ConsultazioneISEE")
    except requests.exceptions.HTTPError as error:
        same(error.response.status_code, 500, "HTTP status of the contract for a suspended ente")
        holds("Authorization failed" in error.response.text, "and why")
    else:
        raise AssertionError("a suspended ente was given the contract")
    sospeso = Ente(options, "sospeso", "ConsultazioneISEE", contract="comune")
    fault, problem = sospeso.fault("ConsultazioneIndicatore", request=ordinario(ricerca(options)))
    same((fault.code, fault.message), ("SOAP-ENV:Client.Authorization", "Authorization failed"), "fault for a suspended ente")
    same((problem["status"], problem["type"]), ("403", "urn:varco:problem:authorization"), "its problem")

    # And a municipality does not transmit, though its certificate is good.
    wrong = Ente(options, "comune", "TrasmissioneDSU")
    sample = etree.parse(options.dsu).getroot()
    typed = wrong.client.get_element(f"{{{ISEE}}}Dichiarazione").parse(sample, wrong.client.wsdl.types)
    fault, problem = wrong.fault("TrasmissioneDSU", Dichiarazione=typed)
    same((fault.code, problem["type"]), ("SOAP-ENV:Client.Authorization", "urn:varco:problem:operation"), "fault for a municipality")


def attestation_checks(options, payload, protocollo_dsu, valori, modalita):
    same([etree.QName(child).localname for child in payload], ["Attestazione", "Ricerca"], "children of the attestation")
    same(
        dict(payload[0].attrib),
        {
            "CodiceFiscaleDichiarante": GIULIA,
            "NumeroProtocolloDSU": protocollo_dsu,
            "DataPresentazione": options.day,
            "DataValidita": f"{options.day[:4]}-12-31",
            "ProtocolloMittente": options.protocollo,
        },
        "the attestation",
    )
    members = payload.iter(f"{{{ISEE}}}ComponenteNucleo")
    members = [tuple(m.get(name) for name in ("RapportoConDichiarante", "Cognome", "Nome", "CodiceFiscale")) for m in members]
    same(members, NUCLEO, "nucleus of the attestation")
    (ordinario,) = payload.iter(f"{{{ISEE}}}ISEEOrdinario")
    near(ordinario.get("DataRilascio"), options, "DataRilascio")
    part = {etree.QName(child).localname: dict(child.attrib) for child in ordinario}
    same(part, {"Valori": valori, "ModalitaCalcoloISEEOrdinario": modalita}, "values of the attestation")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--home", type=pathlib.Path, required=True, help="where pki/ is")
    parser.add_argument("--wsdl", type=pathlib.Path, required=True, help="the schemas for xmllint")
    parser.add_argument("--dsu", required=True, help="file of the sample DSU")
    parser.add_argument("--protocollo", required=True, help="the sender's protocol in it")
    parser.add_argument("--day", required=True, help="the day of presentation in it")
    parser.add_argument("--today", type=datetime.date.fromisoformat, required=True)
    parser.add_argument("--rendimento", type=Decimal, required=True)
    options = parser.parse_args()
    consult(options, transmit(options))


if __name__ == "__main__":
    main()
