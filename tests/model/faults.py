"""Families with exactly one deliberate fault, and the formal check that must refuse them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from random import Random

from builder import Costruttore, genitore
from codice import codice_fiscale
from dsu import (
    Abitazione,
    AltriRedditi,
    Componente,
    Condizioni,
    Donazione,
    Dsu,
    Famiglia,
    Figlio,
    Foglio,
    Immobile,
    Incremento,
    Locazione,
    Mobiliare,
    Modello,
    Rapporto,
    Residenziale,
    Ristretto,
    Universitario,
)
from families import famiglia, un_giorno

OPERATORE = "01234567897"
Errore = Callable[[Costruttore], Dsu]


def _semplice(c: Costruttore, **voci: object) -> Dsu:
    """A valid family without sections, conditions or flagged home."""
    dsu = c.nucleo(**voci)  # type: ignore[arg-type]
    dsu.ordinario().condizioni = None
    return dsu


def _coppia_con_figli(c: Costruttore, figli: int = 2) -> Dsu:
    return _semplice(c, coniuge=True, minori=figli, eta=45, eta_minori=(4, 15))


def _ruolo(dsu: Dsu, ruolo: str) -> Componente:
    return next(x for x in dsu.componenti if x.ruolo == ruolo)


def _ricodifica(c: Costruttore, p: Foglio) -> None:
    """A code that goes with the person, and nothing that hangs on the old one."""
    p.comune_nascita, p.provincia_nascita = "G702", "PI"
    c.archivio.pop(p.cf, None)
    p.cf = codice_fiscale(p.cognome, p.nome, p.nascita, p.sesso, "G702")
    p.disabilita = None


def _con_eta(c: Costruttore, componente: Componente, nascita: date) -> None:
    componente.foglio.nascita = nascita
    _ricodifica(c, componente.foglio)


# --- K05: codice fiscale ------------------------------------------------------------------------------------------


def _ultimo(dsu: Dsu) -> Foglio:
    return dsu.componenti[-1].foglio


def k05_controllo(c: Costruttore) -> Dsu:
    dsu = _coppia_con_figli(c)
    p = _ultimo(dsu)
    _ricodifica(c, p)
    p.cf = p.cf[:-1] + chr(ord("A") + (ord(p.cf[-1]) - ord("A") + c.r.randrange(1, 26)) % 26)
    return dsu


def k05_data(c: Costruttore) -> Dsu:
    dsu = _coppia_con_figli(c)
    p = _ultimo(dsu)
    _ricodifica(c, p)
    p.nascita += timedelta(days=1 if p.nascita.day < 28 else -1)
    return dsu


def k05_sesso(c: Costruttore) -> Dsu:
    dsu = _coppia_con_figli(c)
    p = _ultimo(dsu)
    _ricodifica(c, p)
    p.sesso = "M" if p.sesso == "F" else "F"
    return dsu


def k05_numerico(c: Costruttore) -> Dsu:
    """A provisional code whose last digit is wrong."""
    dsu = _coppia_con_figli(c)
    p = _ultimo(dsu)
    c.archivio.pop(p.cf, None)
    p.cf = "01234567890"
    return dsu


# --- K06: roles and ages ------------------------------------------------------------------------------------------


def k06_figlio_adulto(c: Costruttore) -> Dsu:
    """Eighteen today."""
    dsu = _coppia_con_figli(c)
    componente = _ruolo(dsu, "F")
    _con_eta(c, componente, c.giorno.replace(year=c.giorno.year - 18))
    componente.assenza_reddito, componente.foglio.fc8 = False, None
    return dsu


def k06_fc_minore(c: Costruttore) -> Dsu:
    """Eighteen tomorrow."""
    dsu = _semplice(c, coniuge=True, adulti=1, eta=50)
    _con_eta(c, _ruolo(dsu, "FC"), date(c.giorno.year - 18, 1, 1) + timedelta(days=c.giorno.timetuple().tm_yday + 1))
    return dsu


def k06_ma_adulto(c: Costruttore) -> Dsu:
    dsu = _semplice(c, coniuge=True, ma=1, eta=50)
    componente = _ruolo(dsu, "MA")
    _con_eta(c, componente, date(c.giorno.year - 20, 5, 5))
    componente.assenza_reddito = False
    return dsu


def k06_genitore_piu_giovane(c: Costruttore) -> Dsu:
    dsu = _semplice(c, coniuge=False, adulti=1, eta=40)
    _con_eta(c, _ruolo(dsu, "FC"), date(c.giorno.year - 43, 5, 5))
    return dsu


def k06_fnc_26(c: Costruttore) -> Dsu:
    """Twenty-six today, when the law wanted less."""
    dsu = _semplice(c, coniuge=True, fnc=1, eta=55)
    _con_eta(c, _ruolo(dsu, "FNC"), c.giorno.replace(year=c.giorno.year - 26))
    return dsu


def k06_assenza_adulto(c: Costruttore) -> Dsu:
    dsu = _coppia_con_figli(c)
    _ruolo(dsu, "C").assenza_reddito = True
    _ruolo(dsu, "C").foglio.fc8 = None
    return dsu


def k06_assenza_con_reddito(c: Costruttore) -> Dsu:
    dsu = _coppia_con_figli(c)
    componente = _ruolo(dsu, "F")
    componente.assenza_reddito = True
    componente.foglio.fc8 = AltriRedditi(True, {"RedditoIRPEF": 1200, "LavoroDipendente": 1200})
    return dsu


def k06_dichiarante_minore(c: Costruttore) -> Dsu:
    dsu = _semplice(c, coniuge=False, eta=30)
    componente = dsu.componenti[0]
    _con_eta(c, componente, date(c.giorno.year - 16, 1, 1))
    dsu.dichiarante = componente.foglio.cf
    assert dsu.sottoscrizione is not None
    dsu.sottoscrizione.cf = dsu.dichiarante
    componente.foglio.fc8 = None
    return dsu


def k06_coniuge_minore(c: Costruttore) -> Dsu:
    dsu = _semplice(c, coniuge=True, eta=30)
    _con_eta(c, _ruolo(dsu, "C"), date(c.giorno.year - 16, 1, 1))
    return dsu


# --- K07: conditions of the nucleus -------------------------------------------------------------------------------


def _con_condizioni(c: Costruttore, figli: int, condizioni: Condizioni) -> Dsu:
    dsu = _coppia_con_figli(c, figli)
    dsu.ordinario().condizioni = condizioni
    return dsu


def k07_due_figli(c: Costruttore) -> Dsu:
    return _con_condizioni(c, 2, Condizioni(False, False, 2))


def k07_conviventi_oltre(c: Costruttore) -> Dsu:
    """More who live there than there are."""
    dsu = _semplice(c, coniuge=True, minori=3, eta=45, eta_minori=(4, 15))
    dsu.ordinario().condizioni = Condizioni(True, False, 3, 4)
    return dsu


def k07_piu_dei_membri(c: Costruttore) -> Dsu:
    return _con_condizioni(c, 2, Condizioni(True, False, 5))


def k07_meno_dei_ruoli(c: Costruttore) -> Dsu:
    return _con_condizioni(c, 4, Condizioni(True, False, 3, 3))


def k07_conviventi_oltre_i_ruoli(c: Costruttore) -> Dsu:
    dsu = _semplice(c, coniuge=True, minori=2, fnc=1, eta=55, eta_minori=(4, 15))
    dsu.ordinario().condizioni = Condizioni(True, False, 3, 3)
    return dsu


def k07_unico_in_due(c: Costruttore) -> Dsu:
    return _con_condizioni(c, 2, Condizioni(False, True))


# --- K08: the home ------------------------------------------------------------------------------------------------


def _casa_segnata(dsu: Dsu, comune: str, chi: int = 0) -> None:
    dsu.componenti[chi].foglio.immobili.append(Immobile("F", comune, "100", 90000, None, True))


def k08_affitto_senza_contratto(c: Costruttore) -> Dsu:
    dsu = _coppia_con_figli(c)
    dsu.ordinario().abitazione = Abitazione("001", "G702")
    return dsu


def k08_contratto_senza_affitto(c: Costruttore) -> Dsu:
    dsu = _coppia_con_figli(c)
    tipo = c.r.choice(("000", "999"))
    contratto = Locazione(c.giorno - timedelta(days=300), 5000, dsu.dichiarante)
    dsu.ordinario().abitazione = Abitazione(tipo, "G702", contratto)
    if tipo == "000":
        _casa_segnata(dsu, "G702")
    return dsu


def k08_segnata_altrove(c: Costruttore) -> Dsu:
    """A home of property in a nucleus that says it has none."""
    dsu = _coppia_con_figli(c)
    dsu.ordinario().abitazione = Abitazione("999", "G702")
    _casa_segnata(dsu, "G702")
    return dsu


def k08_due_comuni(c: Costruttore) -> Dsu:
    dsu = _coppia_con_figli(c)
    dsu.ordinario().abitazione = Abitazione("000", "G702")
    _casa_segnata(dsu, "G702")
    _casa_segnata(dsu, "F205", 1)
    return dsu


def k08_estero(c: Costruttore) -> Dsu:
    dsu = _coppia_con_figli(c)
    dsu.ordinario().abitazione = Abitazione("000", "G702")
    _casa_segnata(dsu, "Z100")
    return dsu


def k08_riferimento_senza_coniuge(c: Costruttore) -> Dsu:
    dsu = _semplice(c, coniuge=False, minori=1, eta=45)
    dsu.ordinario().abitazione = Abitazione("999", "G702", riferimento="C")
    return dsu


# --- K09, K10: movable assets -------------------------------------------------------------------------------------


def _con_patrimonio(c: Costruttore, mobiliare: Mobiliare) -> Dsu:
    dsu = _coppia_con_figli(c)
    dsu.componenti[c.r.randrange(2)].foglio.mobiliare = mobiliare
    return dsu


def _conto(tipo: str = "01", codice: str = "CC1", saldo: int | None = 1000, media: int | None = 900) -> Rapporto:
    return Rapporto(tipo, codice, OPERATORE, saldo, media)


def _titolo(codice: str = "DT1", valore: int | None = 7000) -> Rapporto:
    return Rapporto("02", codice, OPERATORE, valore=valore)


def k09_conto_con_valore(c: Costruttore) -> Dsu:
    conto = _conto(c.r.choice(("01", "03", "09")))
    conto.valore = 50000
    return _con_patrimonio(c, Mobiliare(True, [conto]))


def k09_conto_senza_media(c: Costruttore) -> Dsu:
    return _con_patrimonio(c, Mobiliare(True, [_conto(media=None)]))


def k09_conto_senza_saldo(c: Costruttore) -> Dsu:
    return _con_patrimonio(c, Mobiliare(True, [_conto("09", saldo=None)]))


def k09_titolo_senza_valore(c: Costruttore) -> Dsu:
    return _con_patrimonio(c, Mobiliare(True, [_titolo(valore=None)]))


def k09_titolo_con_saldo(c: Costruttore) -> Dsu:
    titolo = _titolo()
    titolo.saldo = 7000
    return _con_patrimonio(c, Mobiliare(True, [titolo]))


def k09_identificativo_vuoto(c: Costruttore) -> Dsu:
    return _con_patrimonio(c, Mobiliare(True, [_conto(codice="")]))


def k09_operatore_vuoto(c: Costruttore) -> Dsu:
    conto = _conto()
    conto.operatore = ""
    return _con_patrimonio(c, Mobiliare(True, [conto]))


def k09_due_volte(c: Costruttore) -> Dsu:
    return _con_patrimonio(c, Mobiliare(True, [_conto(), _titolo(), _conto(saldo=5, media=6)]))


def k09_possesso_negato(c: Costruttore) -> Dsu:
    return _con_patrimonio(c, Mobiliare(False, [_conto()]))


def k09_possesso_vuoto(c: Costruttore) -> Dsu:
    return _con_patrimonio(c, Mobiliare(True))


def k09_date_rovesciate(c: Costruttore) -> Dsu:
    anno, conto = c.regole.anno_patrimonio, _conto()
    conto.inizio, conto.fine = date(anno, 6, 1), date(anno, 3, 1)
    return _con_patrimonio(c, Mobiliare(True, [conto]))


def k09_chiuso_prima(c: Costruttore) -> Dsu:
    anno, conto = c.regole.anno_patrimonio, _conto()
    conto.inizio, conto.fine = date(anno - 5, 6, 1), date(anno - 2, 3, 1)
    return _con_patrimonio(c, Mobiliare(True, [conto]))


def k09_aperto_dopo(c: Costruttore) -> Dsu:
    anno, conto = c.regole.anno_patrimonio, _conto()
    conto.inizio = date(anno + 1, 1, 1)
    return _con_patrimonio(c, Mobiliare(True, [conto]))


def k10_senza_incremento(c: Costruttore) -> Dsu:
    return _con_patrimonio(c, Mobiliare(True, [_conto()], True))


def k10_senza_flag(c: Costruttore) -> Dsu:
    flag = c.r.choice((False, None))
    return _con_patrimonio(c, Mobiliare(True, [_conto()], flag, Incremento(mobiliare=500)))


def k10_vuoto(c: Costruttore) -> Dsu:
    return _con_patrimonio(c, Mobiliare(True, [_conto()], True, Incremento()))


# --- K12: disability ----------------------------------------------------------------------------------------------


def _con_disabile(c: Costruttore) -> tuple[Dsu, Foglio]:
    dsu = _coppia_con_figli(c)
    p = dsu.componenti[-1].foglio
    c.disabilita(p)
    return dsu, p


def k12_futura(c: Costruttore) -> Dsu:
    dsu, p = _con_disabile(c)
    assert p.disabilita is not None
    p.disabilita.data = c.giorno + timedelta(days=1)
    return dsu


def k12_prima_della_nascita(c: Costruttore) -> Dsu:
    dsu, p = _con_disabile(c)
    assert p.disabilita is not None
    p.disabilita.data = date(p.nascita.year - 1, 12, 31)
    return dsu


def k12_senza_ente(c: Costruttore) -> Dsu:
    dsu, p = _con_disabile(c)
    assert p.disabilita is not None
    p.disabilita.ente = ""
    return dsu


def k12_senza_documento(c: Costruttore) -> Dsu:
    dsu, p = _con_disabile(c)
    assert p.disabilita is not None
    p.disabilita.documento = ""
    return dsu


# --- K13: students ------------------------------------------------------------------------------------------------


def _con_studente(
    c: Costruttore, presenza: str, *, solo: bool = False, coniuge: bool = True
) -> tuple[Dsu, Universitario]:
    if solo:
        dsu = _semplice(c, coniuge=False, eta=21)
        cf = dsu.dichiarante
    else:
        dsu = _semplice(c, coniuge=coniuge, adulti=1, eta=50)
        cf = _ruolo(dsu, "FC").foglio.cf
    sezione = Universitario(cf, presenza)
    dsu.ordinario().universitari.append(sezione)
    return dsu, sezione


def k13_tutti_assenti(c: Costruttore) -> Dsu:
    return _con_studente(c, "TuttiPresenti", solo=True)[0]


def k13_tutti_ma_uno(c: Costruttore) -> Dsu:
    return _con_studente(c, "TuttiPresenti", coniuge=False)[0]


def k13_uno_assente(c: Costruttore) -> Dsu:
    return _con_studente(c, "SoloUno", solo=True)[0]


def k13_figlio_del_dichiarante(c: Costruttore) -> Dsu:
    dsu, sezione = _con_studente(c, c.r.choice(("ConiugatiNonPresenti", "NonConiugatiNonPresenti")))
    sezione.residenza = sezione.capacita = True
    return dsu


def k13_senza_genitore(c: Costruttore) -> Dsu:
    dsu, sezione = _con_studente(c, "ConiugatiNonPresenti", solo=True)
    sezione.residenza = True
    return dsu


def k13_bambino(c: Costruttore) -> Dsu:
    dsu = _coppia_con_figli(c)
    dsu.ordinario().universitari.append(Universitario(_ruolo(dsu, "F").foglio.cf, "TuttiPresenti"))
    return dsu


# --- K14: the other parent ----------------------------------------------------------------------------------------


def _con_genitore(c: Costruttore, eta: int = 42, figli: list[str] | None = None) -> Dsu:
    dsu = _semplice(c, coniuge=False, minori=1, eta=45, eta_minori=(6, 12))
    foglio = c.foglio_fuori(eta)
    dati = c.dati_dettaglio(foglio, aggiuntiva=True)
    dsu.ordinario().genitori.append(genitore(foglio, "attratto", figli or [_ruolo(dsu, "F").foglio.cf], dati))
    return dsu


def k14_fuori_dal_nucleo(c: Costruttore) -> Dsu:
    return _con_genitore(c, figli=[c.persona(8, semplice=True).cf])


def k14_adulto(c: Costruttore) -> Dsu:
    """A grown child who is no student."""
    dsu = _con_genitore(c, 60)
    dsu.componenti.append(c.componente("FC", 20))
    dsu.ordinario().genitori[0].beneficiari.append(dsu.componenti[-1].foglio.cf)
    return dsu


def k14_genitore_minore(c: Costruttore) -> Dsu:
    dsu = _semplice(c, coniuge=False, minori=1, eta=45, eta_minori=(0, 0))
    foglio = c.persona(16, semplice=True)
    dati = c.dati_dettaglio(foglio, aggiuntiva=True)
    dsu.ordinario().genitori.append(genitore(foglio, "attratto", [_ruolo(dsu, "F").foglio.cf], dati))
    return dsu


def k14_genitore_piu_giovane(c: Costruttore) -> Dsu:
    dsu = _con_studente(c, "SoloUno", coniuge=False)[0]
    studente = _ruolo(dsu, "FC")
    _con_eta(c, studente, date(c.giorno.year - 28, 3, 3))
    dsu.ordinario().universitari[0].cf = studente.foglio.cf
    foglio = c.foglio_fuori(20)
    dati = c.dati_dettaglio(foglio, aggiuntiva=True)
    dsu.ordinario().genitori.append(genitore(foglio, "attratto", [studente.foglio.cf], dati))
    return dsu


def k14_escluso_e_coniugato(c: Costruttore) -> Dsu:
    """Left out and attracted at once."""
    dsu = _con_genitore(c)
    dsu.ordinario().genitori[0].escluso = True
    return dsu


# --- K15: residential care ----------------------------------------------------------------------------------------


def _con_residenziale(c: Costruttore, eta: int = 80) -> tuple[Dsu, Residenziale]:
    dsu = _semplice(c, coniuge=False, eta=eta)
    p = dsu.componenti[0].foglio
    c.disabilita(p, "NAS")
    sezione = Residenziale(p.cf, c.data_richiesta(), False, False)
    dsu.ordinario().residenziali.append(sezione)
    return dsu, sezione


def _figlio(c: Costruttore, eta: int = 45) -> Figlio:
    foglio = c.foglio_fuori(eta)
    return Figlio(foglio.cf, dati=c.dati_dettaglio(foglio, aggiuntiva=True))


def k15_fuori_dal_nucleo(c: Costruttore) -> Dsu:
    dsu, sezione = _con_residenziale(c)
    sezione.cf = c.persona(80, semplice=True).cf
    return dsu


def k15_figlio_piu_vecchio(c: Costruttore) -> Dsu:
    dsu, sezione = _con_residenziale(c, 66)
    sezione.flag_figli, sezione.figli = True, [_figlio(c, 70)]
    return dsu


def _con_donazione(c: Costruttore, ricevente: str | None) -> Dsu:
    dsu, sezione = _con_residenziale(c)
    sezione.flag_donazioni = sezione.successive = True
    cf = ricevente or sezione.cf
    sezione.donazioni = [Donazione("F", "G702", "100", "50", 80000, cf)]
    return dsu


def k15_a_se_stessi(c: Costruttore) -> Dsu:
    return _con_donazione(c, None)


def k15_prima_della_nascita(c: Costruttore) -> Dsu:
    dsu, sezione = _con_residenziale(c)
    sezione.richiesta = dsu.componenti[0].foglio.nascita - timedelta(days=1)
    return dsu


def k15_figli_negati(c: Costruttore) -> Dsu:
    dsu, sezione = _con_residenziale(c)
    sezione.figli = [_figlio(c)]
    return dsu


def k15_figli_senza_elenco(c: Costruttore) -> Dsu:
    dsu, sezione = _con_residenziale(c)
    sezione.flag_figli = True
    return dsu


def k15_donazioni_senza_elenco(c: Costruttore) -> Dsu:
    dsu, sezione = _con_residenziale(c)
    sezione.flag_donazioni = sezione.successive = True
    return dsu


def k15_donazioni_negate(c: Costruttore) -> Dsu:
    dsu = _con_donazione(c, c.persona(40, semplice=True).cf)
    sezione = dsu.ordinario().residenziali[0]
    sezione.flag_donazioni, sezione.successive = False, None
    return dsu


def k15_esclusione_senza_estremi(c: Costruttore) -> Dsu:
    dsu, sezione = _con_residenziale(c)
    sezione.flag_figli, sezione.figli = True, [Figlio(c.persona(45, semplice=True).cf, c.r.choice("AB"))]
    return dsu


# --- K16: restricted nuclei ---------------------------------------------------------------------------------------


def _con_ristretto(c: Costruttore, relazioni: list[tuple[str, bool, str]], **voci: object) -> Dsu:
    """`relazioni`: role of the member, beneficiary, relation."""
    dsu = _semplice(c, **voci)
    usati: set[str] = set()
    elenco = []
    for ruolo, beneficiario, relazione in relazioni:
        cf = next(x.foglio.cf for x in dsu.componenti if x.ruolo == ruolo and x.foglio.cf not in usati)
        usati.add(cf)
        elenco.append(Ristretto(cf, beneficiario, relazione))
    dsu.modelli.append(Modello("RID", dsu.ordinario().abitazione, ristretti=elenco))
    return dsu


FAMIGLIA = {"coniuge": True, "minori": 1, "eta": 45, "eta_minori": (4, 15)}


def k16_senza_coniuge(c: Costruttore) -> Dsu:
    return _con_ristretto(c, [("D", True, "B"), ("F", False, "F")], **FAMIGLIA)


def k16_senza_minore(c: Costruttore) -> Dsu:
    return _con_ristretto(c, [("D", True, "B"), ("C", False, "C")], **FAMIGLIA)


def k16_senza_fnc(c: Costruttore) -> Dsu:
    return _con_ristretto(c, [("D", True, "B"), ("C", False, "C")], coniuge=True, fnc=1, eta=55)


def k16_coniuge_senza_dichiarante(c: Costruttore) -> Dsu:
    return _con_ristretto(c, [("C", True, "B")], coniuge=True, eta=45)


def k16_due_beneficiari(c: Costruttore) -> Dsu:
    return _con_ristretto(c, [("D", True, "B"), ("C", True, "B")], coniuge=True, eta=45)


def k16_nessun_beneficiario(c: Costruttore) -> Dsu:
    return _con_ristretto(c, [("D", False, "B"), ("C", False, "C")], coniuge=True, eta=45)


def k16_beneficiario_minore(c: Costruttore) -> Dsu:
    return _con_ristretto(c, [("F", True, "B")], **FAMIGLIA)


def k16_beneficiario_senza_b(c: Costruttore) -> Dsu:
    return _con_ristretto(c, [("D", True, "FC"), ("C", False, "C")], coniuge=True, eta=45)


def k16_fuori_dal_nucleo(c: Costruttore) -> Dsu:
    dsu = _con_ristretto(c, [("D", True, "B"), ("C", False, "C")], coniuge=True, eta=45)
    dsu.modelli[1].ristretti[1].cf = c.persona(40, semplice=True).cf
    return dsu


def k16_due_coniugi(c: Costruttore) -> Dsu:
    relazioni = [("D", True, "B"), ("C", False, "C"), ("FC", False, "C")]
    return _con_ristretto(c, relazioni, coniuge=True, adulti=1, eta=50)


def k16_figlio_come_adulto(c: Costruttore) -> Dsu:
    """A minor as a grown child."""
    return _con_ristretto(c, [("D", True, "B"), ("C", False, "C"), ("F", False, "FC")], **FAMIGLIA)


# --- K18: the signature -------------------------------------------------------------------------------------------


def k18_senza_indirizzo(c: Costruttore) -> Dsu:
    dsu = _coppia_con_figli(c)
    assert dsu.sottoscrizione is not None
    dsu.sottoscrizione.pec, dsu.sottoscrizione.indirizzo_pec = True, None
    return dsu


def k18_estraneo(c: Costruttore) -> Dsu:
    dsu = _coppia_con_figli(c)
    assert dsu.sottoscrizione is not None
    dsu.sottoscrizione.cf = c.persona(40, semplice=True).cf
    return dsu


def k18_ritiro_senza_delegato(c: Costruttore) -> Dsu:
    dsu = _coppia_con_figli(c)
    assert dsu.sottoscrizione is not None
    dsu.sottoscrizione.ritiro, dsu.sottoscrizione.delegato = True, None
    return dsu


def k18_delegato_senza_ritiro(c: Costruttore) -> Dsu:
    dsu = _coppia_con_figli(c)
    assert dsu.sottoscrizione is not None
    dsu.sottoscrizione.ritiro, dsu.sottoscrizione.delegato = False, c.persona(40, semplice=True)
    return dsu


# --- the choice ---------------------------------------------------------------------------------------------------

PERIODI: dict[Errore, tuple[date, date]] = {
    k06_fnc_26: (date(2019, 1, 29), date(2023, 12, 31)),
    k07_due_figli: (date(2015, 1, 1), date(2025, 12, 31)),
}
"""Faults that are such only for some dates of presentation."""

ERRORI: tuple[Errore, ...] = tuple(
    valore for nome, valore in list(globals().items()) if nome[:1] == "k" and nome[1:3].isdigit()
)
QUANTI_PER_CONTROLLO = {f.__name__[:3]: 0 for f in ERRORI}
for _f in ERRORI:
    QUANTI_PER_CONTROLLO[_f.__name__[:3]] += 1
_PESI = tuple(1 / QUANTI_PER_CONTROLLO[f.__name__[:3]] + 0.15 for f in ERRORI)


def con_errore(r: Random, etichetta: str) -> Famiglia:
    """A valid family, but for one thing."""
    errore = r.choices(ERRORI, _PESI)[0]
    primo, ultimo = PERIODI.get(errore, (date(2015, 1, 1), date(2026, 12, 31)))
    c = Costruttore(r, un_giorno(r, primo, ultimo), etichetta)
    esito = famiglia(c, f"errore/{errore.__name__}", errore(c))
    esito.rifiuto = errore.__name__[:3].upper()
    return esito
