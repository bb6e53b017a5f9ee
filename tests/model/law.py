"""The lines of an indicator: incomes, assets and scale of a nucleus (DPCM 159/2013 art. 4 and 5, All. 1).

A line is rounded once, half up, and each line is made of lines that are already rounded.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

import rules
from dsu import (
    CONTI,
    DA_FC8,
    FIGLI,
    FIGLI_NON_FNC,
    Abitazione,
    Archivio,
    Condizioni,
    Dsu,
    Foglio,
    Immobile,
    Mobiliare,
    Numeri,
    Variazione,
)
from rules import Regole, anni

ZERO = Decimal(0)
CENT = Decimal("0.01")
QUINTO = Decimal("0.20")

Righe = dict[str, Decimal]


def arrotonda(valore: Decimal) -> Decimal:
    return valore.quantize(CENT, rounding=ROUND_HALF_UP) + ZERO


def positivo(valore: Decimal) -> Decimal:
    return valore if valore > 0 else ZERO


@dataclass(slots=True)
class Voci:
    """The items of a person's income (art. 4 c. 2) and what belongs to its deductions (c. 3)."""

    totale: int
    dipendente: int
    pensione_e_trattamenti: int
    trattamenti: int
    agrari: int
    spese: int
    note: bool
    """The income is known: an FC8 that counts, or a line of the archives."""


@dataclass(slots=True)
class Cifre:
    """What one person brings to a nucleus."""

    lordo: int
    netto: Decimal
    netto_corrente: Decimal | None
    """Only where a current ISEE replaces the incomes."""
    trattamenti: int
    quota_pensione: Decimal
    """The deduction of c. 3 f that is really had."""
    noto: bool
    conti: int
    altri: int
    titoli: int
    libretti: int
    immobili: list[Immobile]

    def conta(self) -> Decimal:
        return self.netto if self.netto_corrente is None else self.netto_corrente


@dataclass(slots=True)
class Membro:
    foglio: Foglio
    ruolo: str
    da_fuori: bool = False
    """Attracted from elsewhere: has no home in this nucleus."""


@dataclass(slots=True)
class Nucleo:
    membri: list[Membro]
    condizioni: Condizioni | None
    abitazione: Abitazione | None
    """None: not declared, the buildings flagged as home are the home."""
    genitore_attratto: bool = False
    """A minor of the nucleus has a parent elsewhere who is attracted."""


@dataclass(slots=True)
class Contesto:
    """A day of presentation, and all that is known on it."""

    giorno: date
    archivio: Archivio
    altre: Mapping[str, Dsu] = field(default_factory=dict)
    variazioni: Mapping[str, Variazione] = field(default_factory=dict)
    regole: Regole = field(init=False)
    _cifre: dict[int, Cifre] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.regole = rules.regole(self.giorno)

    def cifre(self, foglio: Foglio) -> Cifre:
        chiave = id(foglio)
        if chiave not in self._cifre:
            self._cifre[chiave] = _cifre(foglio, self)
        return self._cifre[chiave]

    def altra_valida(self, protocollo: str) -> Dsu | None:
        """The declaration that another one refers to, if it is valid on the day."""
        altra = self.altre.get(protocollo)
        if altra is None or not altra.giorno <= self.giorno <= rules.scadenza(altra.giorno):
            return None
        return altra


# --- one person ---------------------------------------------------------------------------------------------------


def _voci(foglio: Foglio, ctx: Contesto) -> Voci:
    riga = ctx.archivio.get(foglio.cf)
    fc8 = foglio.fc8.voci if foglio.fc8 is not None and foglio.fc8.esonerato else None
    note = fc8 is not None or riga is not None
    riga = riga or {}
    fc8 = fc8 or {}
    v = {colonna: fc8[nome] if nome in fc8 else riga.get(colonna, 0) for nome, colonna in DA_FC8.items()}
    trattamenti = v["trattamenti"] + foglio.fc4.get("TrattamentiAssistenziali", 0)
    if ctx.regole.franchigie_disabili:
        trattamenti += riga.get("trattamenti_disabilita", 0)
    altri_fc4 = sum(importo for nome, importo in foglio.fc4.items() if nome != "TrattamentiAssistenziali")
    assegni = foglio.fc5.get("AssegniFigli", 0)
    return Voci(
        totale=v["reddito_irpef"] + v["redditi_imposta_sostitutiva"] + trattamenti + altri_fc4 + assegni,
        dipendente=v["lavoro_dipendente"],
        pensione_e_trattamenti=v["pensione"] + trattamenti,
        trattamenti=trattamenti,
        agrari=v["redditi_agrari"],
        spese=v["spese_detrazione"] + v["spese_deduzione"],
        note=note,
    )


def _voci_correnti(variazione: Variazione, prima: Voci) -> Voci:
    """Art. 9: incomes of twelve months, or of two times six, in place of the old ones; the expenses stay."""

    def importo(nome: str) -> int:
        return variazione.importi.get(nome + "12Mesi", 0) + 6 * variazione.importi.get(nome + "2Mesi", 0)

    dipendente, autonomo = importo("RedditoDipendente"), importo("RedditoAutonomo")
    trattamenti = importo("TrattamentiAssistenziali")
    totale = dipendente + autonomo + trattamenti
    return Voci(totale, dipendente, trattamenti, trattamenti, 0, prima.spese, True)


def _netto(voci: Voci, foglio: Foglio) -> tuple[Decimal, Decimal]:
    """The income less the deductions of art. 4 c. 3, and the deduction of letter f that is really had."""
    dipendenti = min(rules.QUOTA * max(0, voci.dipendente), Decimal(rules.TETTO_DIPENDENTI))
    pensioni = min(rules.QUOTA * max(0, voci.pensione_e_trattamenti), Decimal(rules.TETTO_PENSIONI))
    altre = Decimal(
        foglio.fc5.get("AssegniConiuge", 0)
        + foglio.fc5.get("AssegniGenitore", 0)
        + min(voci.spese, rules.TETTO_SPESE)
        + voci.agrari
    )
    capienza = Decimal(max(0, voci.totale))
    detrazioni = min(altre + max(dipendenti, pensioni), capienza)
    quota_f = min(pensioni, positivo(capienza - altre)) if pensioni > dipendenti else ZERO
    return Decimal(voci.totale) - detrazioni, quota_f


def conti_di(mobiliare: Mobiliare) -> int:
    """Art. 5 c. 4 a: the larger of balances and averages; the balances where other assets grew by more than that."""
    conti = [r for r in mobiliare.rapporti if r.tipo in CONTI]
    saldo = sum(r.saldo or 0 for r in conti)
    media = sum(r.media or 0 for r in conti)
    cresciuto = mobiliare.incremento.totale() if mobiliare.incremento else 0
    if media <= saldo or cresciuto > media - saldo:
        return saldo
    return media


def altri_di(mobiliare: Mobiliare) -> int:
    return sum(r.valore or 0 for r in mobiliare.rapporti if r.tipo not in CONTI)


def _cifre(foglio: Foglio, ctx: Contesto) -> Cifre:
    variazione = ctx.variazioni.get(foglio.cf)
    voci = _voci(foglio, ctx)
    lordo, noto = voci.totale, voci.note
    netto, quota_f = _netto(voci, foglio)
    corrente = None
    if variazione is not None and variazione.redditi():
        voci = _voci_correnti(variazione, voci)
        corrente, quota_f = _netto(voci, foglio)

    mobiliare, immobili, sostituito = foglio.mobiliare, foglio.immobili, False
    if variazione is not None and variazione.mobiliare is not None:
        mobiliare, sostituito = variazione.mobiliare, True
    if variazione is not None and variazione.immobili is not None:
        immobili = variazione.immobili
    conti = conti_di(mobiliare) if mobiliare else 0
    altri = altri_di(mobiliare) if mobiliare else 0

    riga = {} if sostituito else ctx.archivio.get(foglio.cf, {})
    titoli = min(riga.get("titoli_di_stato", 0) + riga.get("buoni_postali", 0), altri)
    libretti = min(riga.get("libretti_postali", 0), conti)
    return Cifre(lordo, netto, corrente, voci.trattamenti, quota_f, noto, conti, altri, titoli, libretti, immobili)


# --- a nucleus' means ---------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Figli:
    """Children that count for the increments: all, and those who live there."""

    tutti: int
    conviventi: int

    def oltre_il_secondo(self) -> int:
        return max(0, self.tutti - 2)

    def conviventi_oltre(self, quanti: int) -> int:
        return max(0, self.conviventi - quanti)


def _assistenza_2015(membro: Membro, cifre: Cifre) -> Decimal:
    """Art. 4 c. 4 b, c as they were: carers of the not self-sufficient, or the fee of the residence."""
    disabilita = membro.foglio.disabilita
    if disabilita is None:
        return ZERO
    trattamenti = Decimal(cifre.trattamenti)
    if disabilita.residenziale:
        return min(Decimal(disabilita.retta or 0), positivo(trattamenti))
    if disabilita.grado != "NAS":
        return ZERO
    collaboratori = membro.foglio.fc8.voci.get("SpeseCollabDomestici", 0) if membro.foglio.fc8 else 0
    spese = Decimal(collaboratori + (disabilita.spese or 0))
    return min(spese, positivo(trattamenti - cifre.quota_pensione))


def _franchigia_2015(membro: Membro, giorno: date) -> int:
    if membro.foglio.disabilita is None:
        return 0
    adulto, minore = rules.FRANCHIGIE_2015[membro.foglio.disabilita.grado]
    return minore if anni(membro.foglio.nascita, giorno) < 18 else adulto


def _detrazioni(
    membri: list[Membro], cifre: list[Cifre], figli: Figli, abitazione: Abitazione | None, ctx: Contesto, res: bool
) -> Decimal:
    """Art. 4 c. 4: rent; in 2015 also disability and assistance (not b and c for residential care)."""
    totale = ZERO
    if abitazione is not None and abitazione.tipo == "001" and abitazione.locazione is not None:
        tetto = rules.TETTO_LOCAZIONE + rules.LOCAZIONE_FIGLIO * figli.conviventi_oltre(2)
        totale += min(abitazione.locazione.canone, tetto)
    if ctx.regole.franchigie_disabili:
        totale += sum(_franchigia_2015(m, ctx.giorno) for m in membri)
        if not res:
            totale += sum((_assistenza_2015(m, c) for m, c in zip(membri, cifre)), ZERO)
    return totale


def _franchigia_casa(figli: Figli, abitazione: Abitazione | None, specifico: bool) -> int:
    if not specifico:
        return rules.FRANCHIGIA_CASA + rules.FRANCHIGIA_CASA_FIGLIO * figli.conviventi_oltre(2)
    capoluogo = abitazione is not None and abitazione.comune in rules.CAPOLUOGHI
    base = rules.FRANCHIGIA_CASA_CAPOLUOGO if capoluogo else rules.FRANCHIGIA_CASA_SPECIFICA
    return base + rules.FRANCHIGIA_CASA_FIGLIO * figli.conviventi_oltre(1)


def _immobiliare(
    membri: list[Membro], cifre: list[Cifre], abitazione: Abitazione | None, franchigia: int
) -> tuple[int, Decimal]:
    """Art. 5 c. 2-3: gross value, and what counts of it."""
    di_proprieta = abitazione is None or abitazione.tipo == "000"
    lordo = casa = altri = 0
    for membro, c in zip(membri, cifre):
        for immobile in c.immobili:
            netto = max(0, immobile.valore - (immobile.mutuo or 0))
            lordo += immobile.valore
            if immobile.abitazione and immobile.tipo == "F" and di_proprieta and not membro.da_fuori:
                casa += netto
            else:
                altri += netto
    oltre = Decimal(max(0, casa - franchigia))
    return lordo, oltre * 2 / 3 + altri


def situazione(
    membri: list[Membro],
    figli: Figli,
    abitazione: Abitazione | None,
    ctx: Contesto,
    *,
    specifico: bool = False,
    res: bool = False,
    donato: Decimal = ZERO,
) -> Righe:
    """The lines down to the ISE."""
    cifre = [ctx.cifre(m.foglio) for m in membri]
    righe: Righe = {}
    somma = righe["SommaRedditiComponenti"] = arrotonda(sum((c.netto for c in cifre), ZERO))
    if any(c.netto_corrente is not None for c in cifre):
        somma = righe["SommaRedditiComponentiCorrente"] = arrotonda(sum((c.conta() for c in cifre), ZERO))

    altri = sum(c.altri for c in cifre)
    tetto = ctx.regole.titoli_esclusi
    titoli = min(sum(c.titoli for c in cifre), tetto)
    libretti = min(sum(c.libretti for c in cifre), tetto - titoli)
    figurativo = arrotonda(ctx.regole.tasso * (altri - titoli))
    detrazioni = arrotonda(min(_detrazioni(membri, cifre, figli, abitazione, ctx, res), positivo(somma + figurativo)))
    isr = positivo(somma + figurativo - detrazioni)

    mobiliare = Decimal(sum(c.conti for c in cifre) + altri - titoli - libretti)
    franchigia = (
        min(rules.FRANCHIGIA_PM + rules.FRANCHIGIA_PM_MEMBRO * (len(membri) - 1), rules.FRANCHIGIA_PM_TETTO)
        + rules.FRANCHIGIA_PM_FIGLIO * figli.oltre_il_secondo()
    )
    detrazione_mobiliare = min(mobiliare, Decimal(franchigia))

    lordo, conta = _immobiliare(membri, cifre, abitazione, _franchigia_casa(figli, abitazione, specifico))
    immobiliare = arrotonda(lordo + donato)
    detrazione_immobiliare = arrotonda(lordo - conta)
    isp = positivo(mobiliare - detrazione_mobiliare) + positivo(immobiliare - detrazione_immobiliare)

    righe["RedditoFigurativoPatrimonioMobiliare"] = figurativo
    righe["Detrazioni"] = detrazioni
    righe["ISR"] = isr
    righe["PatrimonioMobiliare"] = mobiliare
    righe["DetrazionePatrimonioMobiliare"] = detrazione_mobiliare
    righe["PatrimonioImmobiliare"] = immobiliare
    righe["DetrazionePatrimonioImmobiliare"] = detrazione_immobiliare
    righe["ISP"] = isp
    righe["ISE"] = arrotonda(isr + QUINTO * isp)
    return righe


# --- the scale ----------------------------------------------------------------------------------------------------


def parametro(quanti: int) -> Decimal:
    if quanti < len(rules.PARAMETRI):
        return rules.PARAMETRI[quanti]
    return rules.PARAMETRI[-1] + rules.OLTRE_CINQUE * (quanti - len(rules.PARAMETRI) + 1)


def per_figli(quanti: int, specifico: bool) -> Decimal:
    tavola = rules.FIGLI_SPECIFICO if specifico else rules.FIGLI_ORDINARIO
    return tavola.get(min(quanti, 5), ZERO)


def _parametro_e_ospiti(quanti: int, ospiti: int) -> tuple[Decimal, Decimal]:
    """Art. 3 c. 6: the hosted are left out and add 1.00 each; where all are hosted, one of them is the nucleus."""
    if ospiti >= quanti:
        return parametro(1), Decimal(quanti - 1)
    return parametro(quanti - ospiti), Decimal(ospiti)


def _per_minori(nucleo: Nucleo, ctx: Contesto) -> Decimal:
    """All. 1 b, c: minors whose parents work, or who live with a lone parent out of work."""
    condizioni = nucleo.condizioni
    if condizioni is None or not (condizioni.lavoro or condizioni.unico):
        return ZERO
    presenti = [(m, anni(m.foglio.nascita, ctx.giorno)) for m in nucleo.membri if not m.foglio.ospite()]
    minori = [eta for m, eta in presenti if eta < 18 and m.ruolo not in ("D", "C", "B")]
    if not minori:
        return ZERO
    if not condizioni.lavoro:
        adulti = sum(1 for _, eta in presenti if eta >= 18)
        if adulti > 1 or nucleo.genitore_attratto:
            return ZERO
    return rules.MINORI_TRE_ANNI if min(minori) < 3 else rules.MINORI_LAVORO


def scala(nucleo: Nucleo, ctx: Contesto, specifico: bool = False) -> tuple[Decimal, Decimal]:
    """Parameter and additions."""
    ospiti = [m for m in nucleo.membri if m.foglio.ospite()]
    base, maggiorazioni = _parametro_e_ospiti(len(nucleo.membri), len(ospiti))
    figli = figli_di(nucleo).tutti - sum(1 for m in ospiti if m.ruolo in FIGLI)
    maggiorazioni += per_figli(figli, specifico) + _per_minori(nucleo, ctx)
    if not ctx.regole.franchigie_disabili:
        maggiorazioni += rules.DISABILE * sum(1 for m in nucleo.membri if m.foglio.disabilita is not None)
    return base, maggiorazioni


def scala_in_numeri(numeri: Numeri, ctx: Contesto, specifico: bool = False) -> Decimal:
    """The scale of a nucleus that is known only in numbers."""
    base, maggiorazioni = _parametro_e_ospiti(numeri.componenti, numeri.ospiti())
    maggiorazioni += per_figli(numeri.figli or 0, specifico)
    if numeri.minorenne and (numeri.lavoro or numeri.solo):
        maggiorazioni += rules.MINORI_LAVORO
    if not ctx.regole.franchigie_disabili:
        maggiorazioni += rules.DISABILE * numeri.disabili()
    return base + maggiorazioni


# --- a nucleus ----------------------------------------------------------------------------------------------------


def figli_di(nucleo: Nucleo) -> Figli:
    """As declared, else by the roles."""
    condizioni = nucleo.condizioni
    tutti = condizioni.figli if condizioni else None
    conviventi = condizioni.conviventi if condizioni else None
    if tutti is None:
        tutti = sum(1 for m in nucleo.membri if m.ruolo in FIGLI)
    if conviventi is None:
        conviventi = sum(1 for m in nucleo.membri if m.ruolo in FIGLI_NON_FNC)
    return Figli(tutti, conviventi)


def calcola(
    nucleo: Nucleo, ctx: Contesto, *, specifico: bool = False, res: bool = False, donato: Decimal = ZERO
) -> Righe:
    """Every line of a nucleus."""
    righe = situazione(
        nucleo.membri, figli_di(nucleo), nucleo.abitazione, ctx, specifico=specifico, res=res, donato=donato
    )
    base, maggiorazioni = scala(nucleo, ctx, specifico)
    righe["ParametroNucleo"] = base
    righe["Maggiorazioni"] = maggiorazioni
    righe["ScalaEquivalenza"] = base + maggiorazioni
    righe["ISEE"] = arrotonda(righe["ISE"] / righe["ScalaEquivalenza"])
    return righe


def nucleo_ordinario(dsu: Dsu, giorno: date) -> Nucleo:
    membri = [Membro(c.foglio, c.ruolo) for c in dsu.componenti]
    modello = dsu.ordinario()
    return Nucleo(membri, modello.condizioni, modello.abitazione, _attratto(dsu, membri, giorno))


def nucleo_ristretto(dsu: Dsu, indice: int, giorno: date) -> Nucleo:
    modello = dsu.modelli[indice]
    fogli = {c.foglio.cf: c.foglio for c in dsu.componenti}
    membri = [Membro(fogli[r.cf], r.relazione) for r in modello.ristretti]
    return Nucleo(membri, modello.condizioni, modello.abitazione, _attratto(dsu, membri, giorno))


def con_attratto(nucleo: Nucleo, foglio: Foglio) -> Nucleo:
    """The nucleus with the other parent in it; the conditions stay what they are."""
    return replace(nucleo, membri=[*nucleo.membri, Membro(foglio, "GNC", da_fuori=True)])


def con_studente(nucleo: Nucleo, foglio: Foglio, giorno: date) -> Nucleo:
    """The parents' nucleus with the student, one child more."""
    if any(m.foglio.cf == foglio.cf for m in nucleo.membri):
        return nucleo
    ruolo = "F" if anni(foglio.nascita, giorno) < 18 else "FNC"
    condizioni = nucleo.condizioni
    if condizioni is not None and condizioni.figli is not None:
        condizioni = replace(condizioni, figli=condizioni.figli + 1)
    return replace(nucleo, condizioni=condizioni, membri=[*nucleo.membri, Membro(foglio, ruolo, da_fuori=True)])


def _attratto(dsu: Dsu, membri: Iterable[Membro], giorno: date) -> bool:
    minori = {m.foglio.cf for m in membri if anni(m.foglio.nascita, giorno) < 18}
    return any(g.attratto and not g.escluso and not minori.isdisjoint(g.beneficiari) for g in dsu.genitori())


def in_testo(righe: Righe) -> dict[str, str]:
    return {nome: f"{valore:.2f}" for nome, valore in righe.items()}
