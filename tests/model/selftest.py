"""Checks the model against values worked out by hand from the law."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from codice import codice_fiscale, codice_numerico
from dsu import (
    Abitazione,
    AltriRedditi,
    Archivio,
    Componente,
    Condizioni,
    Dati,
    Disabilita,
    Donazione,
    Dsu,
    Famiglia,
    Figlio,
    Foglio,
    Genitore,
    Immobile,
    Incremento,
    Locazione,
    Mobiliare,
    Modello,
    Numeri,
    Rapporto,
    Residenziale,
    Ristretto,
    Universitario,
    Variazione,
)
from indicators import attesi

Esito = dict[str, Any]
_CASI: list[Callable[[], None]] = []


def caso(funzione: Callable[[], None]) -> Callable[[], None]:
    _CASI.append(funzione)
    return funzione


def uguali(avuto: object, voluto: object) -> None:
    if avuto != voluto:
        raise AssertionError(f"got {avuto!r}, wanted {voluto!r}")


# --- short ways to write a family ---------------------------------------------------------------------------------


def persona(cf: str, nascita: str, **voci: Any) -> Foglio:
    return Foglio(cf, "PROVA", cf, date.fromisoformat(nascita), "F", "RM", "H501", **voci)


def esonerato(**voci: int) -> AltriRedditi:
    return AltriRedditi(True, voci)


def dipendente(importo: int) -> AltriRedditi:
    return esonerato(RedditoIRPEF=importo, LavoroDipendente=importo)


def conto(tipo: str, saldo: int, media: int) -> Rapporto:
    return Rapporto(tipo, "C1", "01234567897", saldo, media)


def titolo(valore: int) -> Rapporto:
    return Rapporto("02", "T1", "01234567897", valore=valore)


def disabile(grado: str, residenziale: bool = False, **voci: Any) -> Disabilita:
    return Disabilita(grado, "INPS", "V1", date(2014, 1, 10), residenziale, **voci)


def dsu(giorno: str, *membri: tuple[str, Foglio], casa: str = "999", comune: str = "H501", **voci: Any) -> Dsu:
    componenti = [Componente(ruolo, False, foglio) for ruolo, foglio in membri]
    modello = Modello("ORD", Abitazione(casa, comune), **voci)
    return Dsu(componenti[0].foglio.cf, date.fromisoformat(giorno), componenti, [modello])


def esito(d: Dsu, archivio: Archivio | None = None, altre: dict[str, Dsu] | None = None) -> Esito:
    return attesi(Famiglia("prova", d.giorno, d, archivio or {}, altre or {}))


def righe(d: Dsu, archivio: Archivio | None = None, **voluto: str) -> None:
    avuto = esito(d, archivio)["ordinario"]
    uguali({k: avuto[k] for k in voluto}, voluto)


def figli(quanti: int) -> list[tuple[str, Foglio]]:
    return [("F", persona(f"FIGLIO{i}", f"201{i}-06-01")) for i in range(quanti)]


# --- incomes and scale --------------------------------------------------------------------------------------------


@caso
def sola_in_cura() -> None:
    """Art. 3 c. 6: a nucleus of one is a nucleus, in care too."""
    p = persona("A", "1940-01-01", convivenza=True, disabilita=disabile("NAS", True))
    p.mobiliare = Mobiliare(True, [conto("01", 20000, 20000)])
    p.fc8 = esonerato(RedditoIRPEF=15000, Pensione=15000)
    righe(dsu("2024-06-01", ("D", p)), ParametroNucleo="1.00", Maggiorazioni="0.50", ISEE="11200.00")


@caso
def due_in_cura() -> None:
    a = persona("A", "1940-01-01", convivenza=True, fc8=esonerato(RedditoIRPEF=20000))
    b = persona("B", "1942-01-01", convivenza=True)
    righe(dsu("2024-06-01", ("D", a), ("C", b)), ParametroNucleo="1.00", Maggiorazioni="1.00", ISEE="10000.00")


@caso
def spese_di_chi_paga() -> None:
    """Art. 4 c. 3 c: the expenses of the parent's return for a disabled child."""
    figlio = persona("F", "2014-06-01", disabilita=disabile("DIG"))
    d = dsu("2024-06-01", ("D", persona("M", "1984-01-01")), ("C", persona("P", "1980-01-01")), ("F", figlio))
    d.ordinario().condizioni = Condizioni(True, False)
    riga = {"reddito_irpef": 25000, "lavoro_dipendente": 25000, "spese_detrazione": 1500, "spese_deduzione": 2500}
    righe(d, {"M": riga, "P": {"reddito_irpef": 0}}, SommaRedditiComponenti="18000.00", ISEE="6569.34")


@caso
def imposta_sostitutiva() -> None:
    """What FC4 declares is not what the archives know: both count."""
    d = dsu("2024-06-03", ("D", persona("M", "1984-01-01", fc4={"RedditoImpSost": 8000})))
    riga = {"reddito_irpef": 0, "redditi_imposta_sostitutiva": 9500}
    righe(d, {"M": riga}, SommaRedditiComponenti="17500.00", ISEE="17500.00")


@caso
def figlio_di_29_anni() -> None:
    madre = persona("M", "1964-01-01", fc8=dipendente(25000))
    figlio = persona("F", "1995-01-01", fc8=esonerato(RedditoIRPEF=0))
    righe(dsu("2024-05-05", ("D", madre), ("FNC", figlio)), ISEE="14012.74")


@caso
def assegni_oltre_il_reddito() -> None:
    """Art. 4 c. 3: the deductions stop at the member's income."""
    padre = persona("P", "1980-01-01", fc8=dipendente(2000), fc5={"AssegniGenitore": 6000})
    d = dsu("2024-06-01", ("D", persona("M", "1984-01-01", fc8=dipendente(25000))), ("C", padre))
    righe(d, SommaRedditiComponenti="22000.00", ISEE="14012.74")


@caso
def reddito_negativo() -> None:
    p = persona("M", "1984-01-01", fc8=esonerato(RedditoIRPEF=-5000, LavoroDipendente=4000))
    righe(dsu("2024-06-01", ("D", p)), SommaRedditiComponenti="-5000.00", ISR="0.00", ISEE="0.00")


@caso
def fc8_voce_per_voce() -> None:
    """FC8 10,000 in place of the archives' 30,000; their employee income stays: 10,000 - 3,000."""
    d = dsu("2024-06-01", ("D", persona("M", "1984-01-01", fc8=esonerato(RedditoIRPEF=10000))))
    righe(d, {"M": {"reddito_irpef": 30000, "lavoro_dipendente": 30000}}, SommaRedditiComponenti="7000.00")


@caso
def quattro_figli() -> None:
    madre = persona("M", "1984-01-01", fc8=dipendente(20000))
    madre.mobiliare = Mobiliare(True, [conto("01", 50000, 50000)])
    d = dsu("2024-06-03", ("D", madre), *figli(4), condizioni=Condizioni(True, False, 4, 4))
    righe(d, Maggiorazioni="0.55", ISEE="7235.29")


@caso
def sotto_i_tre_anni() -> None:
    """Three today is not under three."""
    for nascita, voluto in (("2021-06-04", "0.30"), ("2021-06-03", "0.20")):
        d = dsu("2024-06-03", ("D", persona("M", "1984-01-01")), ("F", persona("F", nascita)))
        d.ordinario().condizioni = Condizioni(False, True)
        righe(d, Maggiorazioni=voluto)


@caso
def solo_con_un_altro_adulto() -> None:
    d = dsu("2024-06-03", ("D", persona("M", "1984-01-01")), *figli(1), ("FC", persona("G", "2004-01-01")))
    d.ordinario().condizioni = Condizioni(False, True)
    righe(d, Maggiorazioni="0.00")


@caso
def assistenza_nel_2015() -> None:
    """16,000 - 1,000; then 7,000 for the disability and 4,000 for the carer, within 6,000 - 1,000."""
    p = persona("A", "1945-01-01", disabilita=disabile("NAS", spese=1500))
    p.fc8 = AltriRedditi(False, {"SpeseCollabDomestici": 2500})
    archivio = {"A": {"reddito_irpef": 10000, "pensione": 10000, "trattamenti_disabilita": 6000}}
    d = dsu("2015-06-01", ("D", p))
    righe(d, archivio, SommaRedditiComponenti="15000.00", Detrazioni="11000.00", ISEE="4000.00")
    d.giorno = date(2016, 6, 1)
    righe(d, archivio, SommaRedditiComponenti="9000.00", Detrazioni="0.00", ScalaEquivalenza="1.50", ISEE="6000.00")


# --- assets -------------------------------------------------------------------------------------------------------


@caso
def il_tipo_09_e_un_deposito() -> None:
    p = persona("M", "1984-01-01", fc8=dipendente(20000), mobiliare=Mobiliare(True, [conto("09", 4000, 9000)]))
    d = dsu("2024-06-03", ("D", p))
    righe(d, PatrimonioMobiliare="9000.00", RedditoFigurativoPatrimonioMobiliare="0.00", ISEE="17600.00")


@caso
def incremento() -> None:
    """Art. 5 c. 4 a: equal to the difference is not greater."""
    for cresciuto, patrimonio, isee in ((7000, "9000.00", "600.00"), (7001, "2000.00", "0.00")):
        p = persona("M", "1975-01-01", fc8=esonerato(RedditoIRPEF=0))
        p.mobiliare = Mobiliare(True, [conto("01", 2000, 9000)], True, Incremento(mobiliare=cresciuto))
        righe(dsu("2023-02-01", ("D", p)), PatrimonioMobiliare=patrimonio, ISEE=isee)


@caso
def titoli_di_stato() -> None:
    """From 5 March 2025: 30,000 of bonds, then 20,000 of the 25,000 of books."""
    p = persona("M", "1975-01-01", mobiliare=Mobiliare(True, [conto("03", 25000, 20000), titolo(60000)]))
    archivio = {"M": {"titoli_di_stato": 30000, "libretti_postali": 25000}}
    righe(dsu("2025-03-04", ("D", p)), archivio, PatrimonioMobiliare="85000.00", ISEE="17600.00")
    righe(dsu("2025-03-05", ("D", p)), archivio, PatrimonioMobiliare="35000.00", ISEE="6700.00")


@caso
def casa_con_tre_figli() -> None:
    """Net 100,000 over 55,000: two thirds of 45,000. Scale 2.85 + 0.20 + 0.20."""
    madre = persona("M", "1984-01-01", fc8=dipendente(20000))
    madre.immobili = [Immobile("F", "H501", "100", 120000, 20000, True)]
    membri = (("D", madre), ("C", persona("P", "1980-01-01")), *figli(3))
    d = dsu("2024-06-03", *membri, casa="000", condizioni=Condizioni(True, False))
    righe(d, PatrimonioImmobiliare="120000.00", DetrazionePatrimonioImmobiliare="90000.00", ISE="23000.00")
    righe(d, ScalaEquivalenza="3.25", ISEE="7076.92")


@caso
def due_terzi() -> None:
    """52,501: two thirds of one euro, and the figures add up."""
    p = persona("M", "1984-01-01", immobili=[Immobile("F", "H501", "100", 52501, None, True)])
    d = dsu("2024-06-03", ("D", p), casa="000")
    righe(d, DetrazionePatrimonioImmobiliare="52500.33", ISP="0.67", ISE="0.13", ISEE="0.13")


@caso
def affitto() -> None:
    """Two children after the second: at most 8,000."""
    d = dsu("2024-06-03", ("D", persona("M", "1984-01-01", fc8=dipendente(20000))), *figli(4))
    d.ordinario().abitazione = Abitazione("001", "H501", Locazione(date(2020, 1, 1), 9000, "M"))
    righe(d, Detrazioni="8000.00", ISR="9000.00")


# --- the other indicators -----------------------------------------------------------------------------------------


def _padre(foglio: Foglio, tipo: str, cf: list[str], dati: Dati | None = None) -> Genitore:
    dati = dati or Dati(foglio=foglio)
    return Genitore(foglio.cf, "P", "P", False, tipo == "coniugato", tipo == "attratto", cf, dati)


@caso
def padre_attratto_nel_2026() -> None:
    """Mother 12,000, father 23,000 and 80,000 of real estate; 2.04 + 0.20. Her home is within the franchise of 2026."""
    madre = persona("M", "1985-01-01", fc8=dipendente(15000))
    madre.immobili = [Immobile("F", "H501", "50", 80000, None, True)]
    padre = persona("P", "1983-01-01", fc8=dipendente(26000), immobili=[Immobile("F", "H501", "50", 80000)])
    figlio = persona("F", "2016-06-01")
    d = dsu("2026-05-05", ("D", madre), ("F", figlio), casa="000", condizioni=Condizioni(True, False))
    d.ordinario().genitori.append(_padre(padre, "attratto", ["F"]))
    avuto = esito(d)
    uguali(avuto["minorenni_specifico"][0]["isee"], "22767.86")
    uguali(avuto["specifico"]["ISEE"], "6779.66")
    uguali(avuto["minorenni"][0]["caso"], "Attratta")


@caso
def specifico_con_due_figli() -> None:
    """Outside the capitals: 91,500 + 2,500; 2.46 + 0.10."""
    madre = persona("M", "1985-01-01", immobili=[Immobile("F", "G702", "100", 94003, None, True)])
    membri = (("D", madre), ("C", persona("P", "1980-01-01")), *figli(2))
    avuto = esito(dsu("2026-01-01", *membri, casa="000", comune="G702"))
    uguali(avuto["specifico"]["ISP"], "2.00")
    uguali(avuto["specifico"]["ScalaEquivalenza"], "2.56")
    uguali(avuto["ordinario"]["ScalaEquivalenza"], "2.46")
    uguali(esito(dsu("2025-12-31", *membri, casa="000"))["specifico"], None)


@caso
def padre_con_altra_famiglia() -> None:
    """24,000 / 2.04 x 0.3, or x 0.4 for two children."""
    padre = persona("P", "1983-01-01", fc8=dipendente(27000))
    uno = (["FIGLIO0"], "3529.41", "12058.82")
    due = (["FIGLIO0", "FIGLIO1"], "4705.88", "13235.29")
    for cf, voluto, isee in (uno, due):
        d = dsu("2024-05-05", ("D", persona("M", "1985-01-01", fc8=dipendente(20400))), *figli(2))
        d.ordinario().genitori.append(_padre(padre, "coniugato", cf, Dati(foglio=padre, numeri=Numeri(3))))
        primo = esito(d)["minorenni"][0]
        uguali(primo["componenti"], [voluto])
        uguali(primo["isee"], isee)
        d.ordinario().genitori[0].dati = Dati(foglio=padre)
        uguali(esito(d)["minorenni"][0]["caso"], "NonCalcolabile")


@caso
def studente_con_i_suoi() -> None:
    """On his own with 8,999: (22,000 + 8,999) / 1.57 with the mother; 9,000 is enough to be autonomous in 2024."""
    for reddito, voluto in ((8999, "StudenteAttratto"), (9000, "nucleo")):
        studente = persona("S", "2003-01-01", fc4={"RedditiEsentiImposta": 1})
        madre = dsu("2024-01-10", ("D", persona("M", "1975-01-01", fc8=dipendente(25000))))
        d = dsu("2024-05-05", ("D", studente))
        sezione = Universitario("S", "ConiugatiNonPresenti", True, True, "M", "INPS-ISEE-2024-00000001A-00")
        d.ordinario().universitari.append(sezione)
        avuto = esito(d, {"S": {"reddito_irpef": reddito - 1}}, {"INPS-ISEE-2024-00000001A-00": madre})
        uguali(avuto["universitari"][0]["caso"], voluto)
        if voluto == "StudenteAttratto":
            uguali(avuto["universitari"][0]["isee"], "19744.59")
        madre.giorno = date(2023, 12, 31)
        scaduta = esito(d, {"S": {"reddito_irpef": 0}}, {"INPS-ISEE-2024-00000001A-00": madre})
        uguali(scaduta["universitari"][0]["caso"], "NonCalcolabile")


@caso
def cura_con_donazione_e_figlio() -> None:
    """Base 14,000 / 1.50; half of 80,000 given away; (40,000 - 9,000 x 1.57) x 0.2 / (1.57 x 1.50)."""
    p = persona("A", "1940-01-01", disabilita=disabile("NAS"), fc8=esonerato(RedditoIRPEF=15000, Pensione=15000))
    figlio = persona("G", "1975-01-01", fc8=esonerato(RedditoIRPEF=40000))
    sezione = Residenziale("A", date(2024, 1, 1), True, True, True)
    sezione.figli = [Figlio("G", dati=Dati(foglio=figlio, numeri=Numeri(2)))]
    sezione.donazioni = [Donazione("F", "H501", "100", "50", 80000, "G")]
    d = dsu("2024-05-05", ("D", p), residenziali=[sezione])
    avuto = esito(d)["residenziali"][0]
    uguali(avuto["caso"], "ResidenzialeAgg")
    uguali(avuto["componenti"], ["2197.03"])
    uguali(avuto["righe"]["ISE"], "22000.00")
    uguali(avuto["isee"], "16863.70")
    figlio.disabilita = disabile("DIM")
    uguali(esito(d)["residenziali"][0]["componenti"], [])


@caso
def ristretto() -> None:
    """The grandparent alone: 1.00 + 0.50."""
    nonno = persona("N", "1940-01-01", disabilita=disabile("DIG"), fc8=esonerato(RedditoIRPEF=15000))
    d = dsu("2024-05-05", ("D", persona("M", "1985-01-01", fc8=dipendente(20000))), ("P", nonno))
    d.modelli.append(Modello("RID", Abitazione("999", "H501"), ristretti=[Ristretto("N", True, "B")]))
    uguali(esito(d)["ristretti"][0]["righe"]["ISEE"], "10000.00")


@caso
def corrente() -> None:
    """Two months of 500, six times, less a fifth; the alimony stays; the old sum stays in its line."""
    base = dsu("2024-05-05", ("D", persona("M", "1985-01-01", fc8=dipendente(20000), fc5={"AssegniConiuge": 400})))
    nuova = Dsu("M", base.giorno, operazione="C")
    nuova.variazioni = [Variazione("M", "A", date(2024, 2, 1), {"RedditoDipendente2Mesi": 500})]
    avuto = attesi(Famiglia("prova", base.giorno, nuova, {}, {}, base))["ordinario"]
    uguali(avuto["SommaRedditiComponenti"], "16600.00")
    uguali(avuto["SommaRedditiComponentiCorrente"], "2000.00")
    uguali(avuto["ISEE"], "2000.00")


@caso
def codici() -> None:
    uguali(codice_fiscale("VERDI", "ANNA", date(1986, 5, 12), "F", "H501"), "VRDNNA86E52H501B")
    uguali(codice_fiscale("VERDI", "PIETRO", date(1948, 11, 2), "M", "G702"), "VRDPTR48S02G702M")
    uguali(codice_fiscale("NERI", "MARCO", date(1984, 7, 20), "M", "F205"), "NREMRC84L20F205R")
    uguali(codice_fiscale("FO", "LUCA", date(1984, 7, 20), "M", "F205", 2)[:15], "FOXLCU84L20F2LR")
    uguali(codice_numerico("0123456789"), "01234567897")


def main() -> int:
    errori = 0
    for prova in _CASI:
        try:
            prova()
        except AssertionError as errore:
            errori += 1
            print(f"FAILED {prova.__name__}: {errore}")
    print(f"{len(_CASI) - errori} of {len(_CASI)} known values")
    return 1 if errori else 0
