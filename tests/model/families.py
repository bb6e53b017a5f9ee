"""The kinds of families: each covers a part of the law, with its boundaries."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from datetime import date, timedelta
from decimal import Decimal
from random import Random

from builder import Costruttore, genitore
from dsu import (
    AltriRedditi,
    Componente,
    Condizioni,
    Dati,
    Donazione,
    Dsu,
    Famiglia,
    Figlio,
    Foglio,
    Genitore,
    Immobile,
    Residenziale,
    Universitario,
    Variazione,
)
from law import Contesto, Righe, calcola, nucleo_ordinario
from rules import anni

CONFINI = tuple(
    map(
        date.fromisoformat,
        (
            "2015-01-01 2015-12-31 2016-01-01 2016-01-15 2016-12-31 2017-01-01 2018-12-31 2019-01-01 2019-01-15 2019-01-28 "
            "2019-01-29 2019-08-31 2019-09-01 2019-10-22 2019-10-23 2019-12-31 2020-01-01 2020-12-31 2021-01-01 2021-09-01 "
            "2022-01-01 2022-03-31 2022-04-01 2022-12-31 2023-01-01 2023-12-31 2024-01-01 2024-12-31 2025-01-01 2025-03-04 "
            "2025-03-05 2025-12-31 2026-01-01 2026-02-28 2026-12-31"
        ).split(),
    )
)
"""First and last days of the periods of the rules."""

ANNI = tuple(range(2015, 2027))
PESI = (10, 6, 5, 5, 8, 6, 6, 6, 8, 10, 14, 18)


def un_giorno(r: Random, primo: date = date(2015, 1, 1), ultimo: date = date(2026, 12, 31)) -> date:
    """A day of presentation, a boundary one time in four."""
    confini = [g for g in CONFINI if primo <= g <= ultimo]
    if confini and r.random() < 0.25:
        return r.choice(confini)
    while True:
        anno = r.choices(ANNI, PESI)[0]
        giorno = date(anno, 1, 1) + timedelta(days=r.randrange(365))
        if primo <= giorno <= ultimo and (giorno.month, giorno.day) != (2, 29):
            return giorno


def famiglia(c: Costruttore, kind: str, dsu: Dsu) -> Famiglia:
    return Famiglia(kind, c.giorno, dsu, c.archivio, c.altre, avvisi=sorted(set(c.avvisi)))


# --- ordinary nuclei ----------------------------------------------------------------------------------------------


def ordinaria(c: Costruttore) -> Famiglia:
    r = c.r
    quanti = r.choice((0, 0, 1, 1, 2, 2, 3, 4))
    altri = r.choice((0, 0, 0, 0, 1, 2))
    dsu = c.nucleo(minori=quanti, adulti=r.choice((0, 0, 0, 1)), altri=altri)
    return famiglia(c, "ordinaria", c.completa(dsu))


def sola(c: Costruttore) -> Famiglia:
    dsu = c.nucleo(coniuge=False, eta=c.r.randrange(18, 90))
    if c.caso(0.3):
        c.disabilita(dsu.componenti[0].foglio)
    return famiglia(c, "sola", c.completa(dsu))


def grande(c: Costruttore) -> Famiglia:
    """Three children or more, of every role."""
    r = c.r
    dsu = c.nucleo(
        minori=r.choice((1, 2, 3, 4, 5)),
        ma=r.choice((0, 0, 1)),
        adulti=r.choice((0, 1, 2)),
        fnc=r.choice((0, 0, 1)),
        eta=r.randrange(48, 66),
    )
    return famiglia(c, "grande", c.completa(dsu))


def due_figli(c: Costruttore) -> Famiglia:
    """Two children: the first step of the family benefits' scale."""
    dsu = c.nucleo(minori=c.r.choice((1, 2)), adulti=c.r.choice((0, 1)))
    c.abitazione(dsu, "000" if c.caso(0.7) else None)
    c.condizioni_di(dsu)
    return famiglia(c, "due_figli", dsu)


def genitore_solo(c: Costruttore) -> Famiglia:
    """A lone parent with minors, sometimes with another adult."""
    r = c.r
    dsu = c.nucleo(
        coniuge=False, minori=r.choice((1, 1, 2, 3)), adulti=r.choice((0, 0, 0, 1)), fnc=r.choice((0, 0, 0, 1))
    )
    if c.caso(0.1):
        c.disabilita(dsu.componenti[-1].foglio, residenziale=True)
    return famiglia(c, "genitore_solo", c.completa(dsu))


def figlio_fuori(c: Costruttore) -> Famiglia:
    """A dependent child who lives elsewhere: under 26 from 2019 to 2023, of any age before and after."""
    dsu = c.nucleo(minori=c.r.choice((0, 1, 2)), fnc=c.r.choice((1, 1, 2)), eta=c.r.randrange(50, 70))
    return famiglia(c, "figlio_fuori", c.completa(dsu))


def _ospita(c: Costruttore, p: Foglio) -> None:
    if c.caso(0.35):
        p.convivenza = True
        if c.caso(0.5):
            c.disabilita(p)
    else:
        c.disabilita(p, residenziale=True)


def ospiti(c: Costruttore) -> Famiglia:
    """Some members in residential care or in a community."""
    r = c.r
    dsu = c.nucleo(minori=r.choice((0, 1, 2, 3)), adulti=r.choice((0, 1, 1)), altri=r.choice((0, 1)))
    for componente in r.sample(dsu.componenti, r.randint(1, max(1, len(dsu.componenti) - 1))):
        _ospita(c, componente.foglio)
    return famiglia(c, "ospiti", c.completa(dsu))


def tutti_ospiti(c: Costruttore) -> Famiglia:
    r = c.r
    dsu = c.nucleo(coniuge=r.choice((True, False)), altri=r.choice((0, 0, 1)), minori=r.choice((0, 0, 1)))
    for componente in dsu.componenti:
        _ospita(c, componente.foglio)
    return famiglia(c, "tutti_ospiti", c.completa(dsu))


def disabili(c: Costruttore) -> Famiglia:
    dsu = c.nucleo(minori=c.r.choice((0, 1, 2)), adulti=c.r.choice((0, 1)), altri=c.r.choice((0, 1)))
    for componente in dsu.componenti:
        if c.caso(0.6):
            c.disabilita(componente.foglio)
    return famiglia(c, "disabili", c.completa(dsu))


def assistenza(c: Costruttore) -> Famiglia:
    """Treatments, carers and fees: they are deducted only in 2015."""
    dsu = c.nucleo(altri=c.r.choice((0, 1)), eta=c.r.randrange(40, 90))
    for componente in dsu.componenti:
        p = componente.foglio
        if not c.caso(0.75):
            continue
        c.disabilita(p, c.r.choice(("NAS", "NAS", "DIG", "DIM")), residenziale=c.caso(0.3))
        assert p.disabilita is not None
        if p.disabilita.residenziale:
            p.disabilita.retta = c.euro(15000, 6000)
        p.disabilita.spese = c.euro(9000, 6000, 5000)
        if componente.assenza_reddito:
            continue
        riga = c.archivio.setdefault(p.cf, {})
        riga["trattamenti_disabilita"] = c.euro(8000, 6000)
        if c.caso(0.5):
            riga["trattamenti"] = c.euro(6000)
        if p.fc8 is None:
            p.fc8 = AltriRedditi(c.caso(0.3), {})
        p.fc8.voci["SpeseCollabDomestici"] = c.euro(9000, 6000)
    return famiglia(c, "assistenza", c.completa(dsu))


def titoli(c: Costruttore) -> Famiglia:
    """Government bonds and postal savings."""
    dsu = c.nucleo(minori=c.r.choice((0, 1, 3)))
    for componente in dsu.componenti:
        p = componente.foglio
        if not c.caso(0.75):
            continue
        p.mobiliare = c.patrimonio(c.r.randint(1, 4))
        riga = c.archivio.setdefault(p.cf, {})
        for colonna in ("titoli_di_stato", "buoni_postali", "libretti_postali"):
            if c.caso(0.7):
                riga[colonna] = c.euro(40000, 50000, 25000, 49999, 10000)
    return famiglia(c, "titoli", c.completa(dsu))


def sottili(c: Costruttore) -> Famiglia:
    """One member with everything on the boundary."""
    dsu = c.nucleo(coniuge=False, eta=c.r.randrange(25, 60))
    p = dsu.componenti[0].foglio
    p.fc4, p.fc5, p.fc8 = {}, {}, None
    dipendente = c.r.choice((14999, 15000, 15001, 5000, 0, 1))
    riga = {"reddito_irpef": dipendente + c.r.choice((0, -20000, -1, 1)), "lavoro_dipendente": dipendente}
    riga["pensione"] = c.r.choice((4999, 5000, 5001, 0))
    riga["redditi_agrari"] = c.r.choice((0, 0, 1, 3000))
    riga["spese_detrazione"], riga["spese_deduzione"] = c.r.choice(((5000, 0), (2500, 2501), (0, 0), (1, 4998)))
    c.archivio[p.cf] = riga
    if c.caso(0.4):
        p.fc5["AssegniConiuge"] = c.r.choice((riga["reddito_irpef"] if riga["reddito_irpef"] > 0 else 100, 1, 30000))
    return famiglia(c, "sottili", c.completa(dsu))


# --- minors whose other parent lives elsewhere --------------------------------------------------------------------


def _incompleto(c: Costruttore, eta: int, componente: bool) -> tuple[Foglio, Dati]:
    """A person outside of whom the computation lacks something."""
    modi = ["senza_foglio", "non_completi", "ignota"] + (["senza_numeri"] * 2 if componente else [])
    if c.puo_scadere():
        modi += ["scaduta"] * 2
    if c.puo_essere_futura():
        modi.append("futura")
    modo = c.r.choice(modi)
    if modo in ("scaduta", "futura"):
        protocollo, altra = c.altra(modo, eta=eta)
        return altra.componenti[0].foglio, Dati(protocollo=protocollo)
    foglio = c.foglio_fuori(eta)
    if modo == "ignota":
        return foglio, Dati(protocollo=c.protocollo())
    dati = c.dati_dettaglio(foglio, aggiuntiva=componente, disabili=False)
    dati.completi = False
    if modo == "senza_foglio":
        dati.foglio = None
    elif modo == "senza_numeri":
        dati.numeri = None
    return foglio, dati


def _un_genitore(c: Costruttore, figli: list[str], eta_figlio: int, tipo: str | None = None) -> Genitore:
    """The other parent of these children, in one of the cases of art. 7."""
    tipo = tipo or c.r.choices(("attratto", "coniugato", "escluso", "incompleto"), (38, 38, 12, 12))[0]
    eta = max(eta_figlio + c.r.randrange(18, 35), 20)
    if tipo == "escluso":
        return genitore(c.persona(eta, semplice=True), "escluso", figli, None)
    if tipo == "incompleto":
        quale = c.r.choice(("attratto", "coniugato"))
        foglio, dati = _incompleto(c, eta, quale == "coniugato")
        return genitore(foglio, quale, figli, dati)
    if c.caso(0.35):
        protocollo, altra = c.altra(eta=max(eta, 40) if c.caso(0.7) else eta)
        scelto = next((x for x in altra.componenti if x.ruolo == "C"), altra.componenti[0])
        if c.caso(0.7) or anni(scelto.foglio.nascita, c.giorno) < eta_figlio + 16:
            scelto = altra.componenti[0]
        return genitore(scelto.foglio, tipo, figli, Dati(protocollo=protocollo))
    foglio = c.foglio_fuori(eta, disabile=c.caso(0.1))
    return genitore(foglio, tipo, figli, c.dati_dettaglio(foglio, aggiuntiva=tipo == "coniugato"))


def _eta_massima(c: Costruttore, dsu: Dsu, cf: list[str]) -> int:
    return max(anni(x.foglio.nascita, c.giorno) for x in dsu.componenti if x.foglio.cf in cf)


def minorenne(c: Costruttore) -> Famiglia:
    """Minors with a parent elsewhere; two of them sometimes, each of other children."""
    r = c.r
    dsu = c.nucleo(coniuge=c.caso(0.25), minori=r.choice((1, 1, 2, 3, 4)), adulti=r.choice((0, 0, 0, 1)))
    c.completa(dsu)
    minori = [x.foglio.cf for x in dsu.componenti if x.ruolo == "F"]
    primi = r.randint(1, len(minori))
    gruppi = [minori[:primi]] + ([minori[primi:]] if minori[primi:] and c.caso(0.5) else [])
    tipi = []
    for gruppo in gruppi:
        g = _un_genitore(c, gruppo, _eta_massima(c, dsu, gruppo))
        dsu.ordinario().genitori.append(g)
        tipi.append("escluso" if g.escluso else "attratto" if g.attratto else "coniugato")
    return famiglia(c, "minorenne/" + "+".join(tipi), dsu)


# --- students -----------------------------------------------------------------------------------------------------


def _studente_in_casa(c: Costruttore, coniuge: bool) -> tuple[Dsu, Componente]:
    """The student is a grown child of the declarant."""
    fnc = 1 if c.caso(0.15) else 0
    dsu = c.nucleo(coniuge=coniuge, adulti=1 - fnc, fnc=fnc, minori=c.r.choice((0, 0, 1, 2)), eta=c.r.randrange(45, 62))
    return dsu, next(x for x in dsu.componenti if x.ruolo in ("FC", "FNC"))


def _studente_dichiarante(c: Costruttore, genitori: int) -> tuple[Dsu, Componente]:
    """The student declares, with parents of role P."""
    eta = c.r.choice((18, 19, 22, 26, 30))
    dsu = c.nucleo(coniuge=False, eta=eta)
    for _ in range(genitori):
        dsu.componenti.append(c.componente("P", eta + c.r.randrange(20, 35)))
    return dsu, dsu.componenti[0]


def studente_con_genitori(c: Costruttore) -> Famiglia:
    """Both parents are there, or one and the other elsewhere."""
    tutti = c.caso(0.35)
    if c.caso(0.7):
        dsu, studente = _studente_in_casa(c, coniuge=tutti or c.caso(0.2))
    else:
        dsu, studente = _studente_dichiarante(c, 2 if tutti else 1)
    c.completa(dsu)
    sezione = Universitario(studente.foglio.cf, "TuttiPresenti" if tutti else "SoloUno")
    sezione.residenza, sezione.capacita = c.caso(0.15), c.caso(0.15)
    modello = dsu.ordinario()
    modello.universitari.append(sezione)
    kind = "studente/tutti_presenti"
    if not tutti:
        kind = "studente/solo_uno"
        if c.caso(0.85):
            figli = [studente.foglio.cf] + [x.foglio.cf for x in dsu.componenti if x.ruolo == "F" and c.caso(0.6)]
            modello.genitori.append(_un_genitore(c, figli, _eta_massima(c, dsu, figli)))
    return famiglia(c, kind, dsu)


def _studente_fuori(c: Costruttore) -> tuple[Dsu, Componente]:
    """The student lives alone, with a family of their own, or in somebody else's nucleus (of 17 sometimes)."""
    r, x = c.r, c.r.random()
    if x < 0.2:
        dsu = c.nucleo(coniuge=r.choice((True, False)), eta=r.randrange(60, 80))
        dsu.componenti.append(c.componente("P", r.choice((17, 17, 18, 20, 25))))
        return dsu, dsu.componenti[-1]
    if x < 0.35:
        dsu = c.nucleo(coniuge=True, eta=r.randrange(36, 40), minori=1)
        return dsu, dsu.componenti[0]
    dsu = c.nucleo(coniuge=False, eta=r.choice((18, 19, 21, 25, 27)))
    if c.caso(0.2):
        dsu.componenti.append(c.componente("P", r.randrange(19, 30)))
    return dsu, dsu.componenti[0]


def _reddito_studente(c: Costruttore, p: Foglio) -> str:
    """On both sides of what is adequate, with what counts before the deductions; or unknown."""
    p.fc4, p.fc5, p.fc8 = {}, {}, None
    c.archivio.pop(p.cf, None)
    modo = c.r.choice(("ignoto", "archivio", "fc8", "somma", "ignoto_fc4"))
    quanto = c.r.choice((6500, 6499, 6501, 9000, 8999, 9001, 0, 4000, 12000))
    if modo == "archivio":
        c.archivio[p.cf] = {"reddito_irpef": quanto, "lavoro_dipendente": quanto}
    elif modo == "fc8":
        p.fc8 = AltriRedditi(True, {"RedditoIRPEF": quanto})
    elif modo == "somma":
        c.archivio[p.cf] = {"reddito_irpef": quanto // 2, "redditi_agrari": quanto // 4}
        p.fc4 = {"RedditoImpSost": quanto - quanto // 2}
    elif modo == "ignoto_fc4":
        p.fc4 = {"RedditiEsentiImposta": quanto}
    return modo


def _genitore_di_riferimento(c: Costruttore, sezione: Universitario, studente: Foglio, eta: int) -> Genitore | None:
    """By the protocol of another declaration, or in this one."""
    r = c.r
    if c.caso(0.65):
        quando = "valida"
        if c.caso(0.15):
            quando = "scaduta" if c.puo_scadere() else "futura" if c.puo_essere_futura() else "valida"
        dentro = quando == "valida" and (not c.regole.fnc_fino_a_25 or eta < 26) and c.caso(0.08)
        dentro = dentro and not any(i.abitazione for i in studente.immobili)
        sezione.protocollo, altra = c.altra(
            quando, eta=eta + r.randrange(24, 34), studente=studente if dentro else None
        )
        sezione.genitore = altra.componenti[0].foglio.cf
        return None
    foglio = c.foglio_fuori(eta + r.randrange(20, 34))
    sezione.genitore = foglio.cf
    dati = c.dati_dettaglio(foglio, aggiuntiva=True)
    if c.caso(0.75):
        dati.numeri = c.numeri(foglio, massimo=1)
    if c.caso(0.1):
        dati.completi = False
    return genitore(foglio, "attratto", [studente.cf], dati)


def studente_fuori(c: Costruttore) -> Famiglia:
    """The parents are elsewhere: the student is autonomous, or joins a parent."""
    r = c.r
    dsu, componente = _studente_fuori(c)
    studente = componente.foglio
    eta = anni(studente.nascita, c.giorno)
    componente.assenza_reddito = False
    coniugati = c.caso(0.5)
    sezione = Universitario(studente.cf, "ConiugatiNonPresenti" if coniugati else "NonConiugatiNonPresenti")
    kind = "studente/coniugati" if coniugati else "studente/non_coniugati"
    autonomo = c.caso(0.35)
    if autonomo:
        sezione.residenza = sezione.capacita = True
        kind += "/autonomo_" + _reddito_studente(c, studente)
    else:
        sezione.residenza, sezione.capacita = r.choice(((True, False), (False, True), (False, False)))
    c.completa(dsu)
    modello = dsu.ordinario()
    modello.universitari.append(sezione)
    if not autonomo or c.caso(0.6):
        minore = eta < 18
        riferimento = _genitore_di_riferimento(c, sezione, studente, eta) if not minore else None
        if minore:
            sezione.protocollo, altra = c.altra(eta=eta + r.randrange(24, 34))
            sezione.genitore = altra.componenti[0].foglio.cf
            condizioni = altra.ordinario().condizioni or Condizioni(False, False)
            condizioni.lavoro = condizioni.lavoro or c.caso(0.5)
            altra.ordinario().condizioni = condizioni
        if riferimento is not None:
            modello.genitori.append(riferimento)
        if not coniugati and c.caso(0.75):
            modello.genitori.append(_un_genitore(c, [studente.cf], eta))
    return famiglia(c, kind, dsu)


# --- restricted nuclei and residential care -----------------------------------------------------------------------


def ristretta(c: Costruttore) -> Famiglia:
    """Art. 6 c. 2: the declarant, the spouse, a grown child, a grandparent."""
    r = c.r
    chi = r.choice(("D", "D", "C", "P", "FC"))
    dsu = c.nucleo(
        coniuge=True if chi == "C" else None,
        minori=r.choice((0, 0, 1, 2, 3)),
        adulti=1 if chi == "FC" else r.choice((0, 0, 1)),
        fnc=r.choice((0, 0, 0, 1)),
        altri=r.choice((0, 0, 1)),
    )
    if chi == "P":
        dsu.componenti.append(c.componente("P", r.choice((18, 40, 70, 85))))
        componente = dsu.componenti[-1]
    else:
        componente = next(x for x in dsu.componenti if x.ruolo == chi)
    if c.caso(0.8):
        c.disabilita(componente.foglio, residenziale=c.caso(0.2))
    c.completa(dsu)
    dsu.modelli.append(c.ristretto(dsu, componente, fuori_fc=c.caso(0.3)))
    if (
        chi != "P"
        and c.caso(0.2)
        and any(x.ruolo == "P" and anni(x.foglio.nascita, c.giorno) >= 18 for x in dsu.componenti)
    ):
        altro = next(x for x in dsu.componenti if x.ruolo == "P" and anni(x.foglio.nascita, c.giorno) >= 18)
        dsu.modelli.append(c.ristretto(dsu, altro))
    return famiglia(c, f"ristretta/{chi}", dsu)


def _figlio_fuori(c: Costruttore, eta: int, completo: bool) -> Figlio:
    r = c.r
    x = r.random()
    if x < 0.12:
        p = c.persona(eta, semplice=True)
        return Figlio(p.cf, r.choice("AB"), f"SENTENZA {r.randrange(999)}")
    if not completo:
        if c.caso(0.15):
            return Figlio(c.foglio_fuori(eta).cf)
        foglio, dati = _incompleto(c, eta, True)
        return Figlio(foglio.cf, dati=dati)
    if x < 0.4:
        protocollo, altra = c.altra(eta=eta)
        return Figlio(altra.dichiarante, dati=Dati(protocollo=protocollo))
    foglio = c.foglio_fuori(eta, disabile=c.caso(0.12))
    return Figlio(foglio.cf, dati=c.dati_dettaglio(foglio, aggiuntiva=True))


QUOTE_DONATE = (
    ("100", "100"),
    ("100", "50"),
    ("50", "50"),
    ("50", "25"),
    ("100", "25"),
    ("80", "20"),
    ("66.67", "66.67"),
)


def _donazioni(c: Costruttore, sezione: Residenziale, ricevente: str) -> None:
    sezione.flag_donazioni = True
    sezione.successive, sezione.precedenti_alimenti, sezione.precedenti_no_alimenti = c.r.choice(
        (
            (True, False, False),
            (False, True, False),
            (False, False, True),
            (None, None, True),
            (True, True, False),
            (True, None, None),
        )
    )
    for _ in range(c.r.choice((1, 1, 2))):
        posseduta, donata = c.r.choice(QUOTE_DONATE)
        valore = c.r.randrange(100, 200000)
        tipo = c.r.choice(("F", "F", "TE", "TA"))
        sezione.donazioni.append(Donazione(tipo, c.comune().codice, posseduta, donata, valore, ricevente))


def residenziale(c: Costruttore) -> Famiglia:
    """Art. 6 c. 3: donations, children outside, in the ordinary or in a restricted nucleus."""
    r = c.r
    if c.caso(0.6):
        dsu = c.nucleo(eta=r.randrange(62, 90), coniuge=c.caso(0.4))
        componente = dsu.componenti[0]
    else:
        dsu = c.nucleo(minori=r.choice((0, 1, 2)), altri=0)
        dsu.componenti.append(c.componente("P", r.randrange(62, 92)))
        componente = dsu.componenti[-1]
    p = componente.foglio
    c.disabilita(p, "NAS" if c.caso(0.7) else None, residenziale=c.caso(0.6))
    if c.caso(0.5):
        p.fc8 = AltriRedditi(True, {"RedditoIRPEF": 14000, "Pensione": 14000, "TrattamentiAssistenziali": c.euro(8000)})
        p.fc8.voci["SpeseCollabDomestici"] = c.euro(9000)
    c.completa(dsu)
    sezione = Residenziale(p.cf, c.data_richiesta(), False, False)
    eta = anni(p.nascita, c.giorno)
    if c.caso(0.65):
        completo = c.caso(0.85)
        quanti = r.choice((1, 1, 2, 3))
        massima = min(eta - 17, 60)
        sezione.figli = [_figlio_fuori(c, r.randrange(22, massima), completo or i > 0) for i in range(quanti)]
        sezione.flag_figli = True
    if c.caso(0.5):
        ricevente = sezione.figli[0].cf if sezione.figli else c.persona(40, semplice=True).cf
        _donazioni(c, sezione, ricevente)
    elif c.caso(0.5):
        sezione.successive = sezione.precedenti_alimenti = sezione.precedenti_no_alimenti = False
    kind = "residenziale/ordinario"
    modello = dsu.ordinario()
    if c.caso(0.45):
        kind = "residenziale/ristretto"
        dsu.modelli.append(c.ristretto(dsu, componente))
        if c.caso(0.6):
            modello = dsu.modelli[1]
    modello.residenziali.append(sezione)
    return famiglia(c, kind, dsu)


# --- current ISEE -------------------------------------------------------------------------------------------------


def _calo(prima: Righe, dopo: Righe, riga: str, almeno: str) -> bool:
    return prima[riga] > 0 and dopo[riga] < prima[riga] * (1 - Decimal(almeno))


def _patrimonio_nuovo(c: Costruttore, variazione: Variazione, p: Foglio) -> None:
    """Assets sold: the home stays, the rest goes."""
    if c.caso(0.85):
        variazione.mobiliare = c.patrimonio(c.r.choice((0, 1, 2)), datato=False)
        for rapporto in variazione.mobiliare.rapporti:
            rapporto.saldo = rapporto.saldo if rapporto.saldo is None else rapporto.saldo // 10
            rapporto.media = rapporto.media if rapporto.media is None else rapporto.media // 10
            rapporto.valore = rapporto.valore if rapporto.valore is None else rapporto.valore // 10
    if variazione.mobiliare is None or (p.immobili and c.caso(0.5)):
        tenuti = [copy(i) for i in p.immobili if i.abitazione]
        tenuti.append(Immobile("F", c.comune().codice, "10", c.r.randrange(1, 3000)))
        variazione.immobili = tenuti


def _variazione(c: Costruttore, p: Foglio, tipo: str) -> Variazione:
    r = c.r
    v = Variazione(p.cf, tipo, c.giorno - timedelta(days=r.randrange(1, 200)))
    if v.redditi():
        for nome in r.sample(("RedditoDipendente", "RedditoAutonomo", "TrattamentiAssistenziali"), r.randint(1, 3)):
            due_mesi = nome != "RedditoAutonomo" and c.caso(0.4)
            importo = c.euro(9000, 7500, 5000)
            if due_mesi:
                p.attivita = "LAVIND"
            v.importi[nome + ("2Mesi" if due_mesi else "12Mesi")] = importo // 6 if due_mesi else importo
    if "D" in tipo:
        _patrimonio_nuovo(c, v, p)
    return v


def _base_corrente(c: Costruttore) -> Dsu:
    r = c.r
    dsu = c.nucleo(minori=r.choice((0, 1, 2, 3)), altri=r.choice((0, 0, 1)))
    for componente in dsu.componenti[: r.choice((1, 2))]:
        p = componente.foglio
        if anni(p.nascita, c.giorno) < 18:
            continue
        p.fc8 = None
        irpef = r.randrange(20000, 50000)
        c.archivio[p.cf] = {**c.archivio.get(p.cf, {}), "reddito_irpef": irpef, "lavoro_dipendente": irpef}
        p.mobiliare = c.patrimonio(r.randint(1, 4))
    if c.regole.franchigie_disabili:
        for componente in dsu.componenti:
            componente.foglio.disabilita = None
    c.completa(dsu)
    minori = [x.foglio.cf for x in dsu.componenti if x.ruolo == "F"]
    if minori and all(x.ruolo != "C" for x in dsu.componenti) and c.caso(0.4):
        dsu.ordinario().genitori.append(_un_genitore(c, minori, _eta_massima(c, dsu, minori)))
    if c.caso(0.15):
        dsu.modelli.append(c.ristretto(dsu, dsu.componenti[0]))
    return dsu


def corrente(c: Costruttore) -> Famiglia:
    """Art. 9: incomes, assets or both replaced, with the change that the law wants."""
    base = _base_corrente(c)
    patrimoni = c.giorno >= date(2021, 10, 1) and c.giorno.month >= 4
    tipi = ("A", "B", "C") + (("D", "D", "AD", "BD", "CD") if patrimoni else ())
    nucleo = nucleo_ordinario(base, c.giorno)
    prima = calcola(nucleo, Contesto(c.giorno, c.archivio, c.altre))
    adulti = [x.foglio for x in base.componenti if anni(x.foglio.nascita, c.giorno) >= 18 and x.ruolo != "FNC"]
    avvisi = list(c.avvisi)
    for _ in range(6):
        c.avvisi[:] = avvisi
        tipo = c.r.choice(tipi)
        chi = adulti[: c.r.choice((1, 2))]
        variazioni = [_variazione(c, p, tipo) for p in chi]
        dopo = calcola(nucleo, Contesto(c.giorno, c.archivio, c.altre, {v.cf: v for v in variazioni}))
        redditi = tipo == "D" or _calo(prima, dopo, "ISR", "0.27")
        if redditi and ("D" not in tipo or _calo(prima, dopo, "ISP", "0.22")):
            firma = c.firma(base.dichiarante, c.giorno, "C")
            dsu = Dsu(base.dichiarante, c.giorno, operazione="C", variazioni=variazioni, sottoscrizione=firma)
            dsu.riferimento = c.protocollo()
            esito = famiglia(c, f"corrente/{tipo}", dsu)
            esito.base, esito.avvisi = base, []
            return esito
    return famiglia(c, "ordinaria", base)


# --- the choice ---------------------------------------------------------------------------------------------------

Tipo = Callable[[Costruttore], Famiglia]

TIPI: tuple[tuple[Tipo, int, date, date], ...] = tuple(
    (tipo, peso, date(da, 1, 1), date(a, 12, 31))
    for tipo, peso, da, a in (
        (ordinaria, 14, 2015, 2026),
        (sola, 5, 2015, 2026),
        (grande, 7, 2015, 2026),
        (due_figli, 4, 2026, 2026),
        (genitore_solo, 6, 2015, 2026),
        (figlio_fuori, 5, 2015, 2026),
        (ospiti, 5, 2015, 2026),
        (tutti_ospiti, 2, 2015, 2026),
        (disabili, 4, 2015, 2026),
        (assistenza, 2, 2015, 2026),
        (assistenza, 3, 2015, 2015),
        (titoli, 3, 2025, 2026),
        (sottili, 4, 2015, 2026),
        (minorenne, 15, 2015, 2026),
        (studente_con_genitori, 6, 2015, 2026),
        (studente_fuori, 9, 2015, 2026),
        (ristretta, 7, 2015, 2026),
        (residenziale, 10, 2015, 2026),
        (corrente, 9, 2015, 2026),
    )
)
_PESI = tuple(peso for _, peso, _, _ in TIPI)


def valida(r: Random, etichetta: str) -> Famiglia:
    """A family that passes every formal check."""
    tipo, _, primo, ultimo = r.choices(TIPI, _PESI)[0]
    return tipo(Costruttore(r, un_giorno(r, primo, ultimo), etichetta))
