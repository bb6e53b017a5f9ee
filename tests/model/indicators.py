"""The indicators of a declaration (DPCM 159/2013 art. 6-9, All. 2)."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import rules
from dsu import Dati, Dsu, Famiglia, Foglio, Genitore, Residenziale, Universitario
from law import (
    ZERO,
    Contesto,
    Figli,
    Membro,
    Nucleo,
    Righe,
    arrotonda,
    calcola,
    con_attratto,
    con_studente,
    figli_di,
    in_testo,
    nucleo_ordinario,
    nucleo_ristretto,
    positivo,
    scala,
    scala_in_numeri,
    situazione,
)
from rules import anni


@dataclass(slots=True)
class Indicatore:
    cf: str
    caso: str
    isee: Decimal | None = None
    righe: Righe | None = None
    componenti: list[Decimal] = field(default_factory=list)

    def json(self) -> dict[str, Any]:
        return {
            "cf": self.cf,
            "caso": self.caso,
            "isee": None if self.isee is None else f"{self.isee:.2f}",
            "righe": None if self.righe is None else in_testo(self.righe),
            "componenti": [f"{c:.2f}" for c in self.componenti],
        }


@dataclass(slots=True)
class Estraneo:
    """A person outside the nucleus, alone, and the scale of the nucleus where that person lives."""

    ise: Decimal
    scala: Decimal
    disabili: bool


def foglio_fuori(cf: str, dati: Dati | None, ctx: Contesto) -> Foglio | None:
    """The sheet of a person outside, when it is there and complete."""
    if dati is None:
        return None
    if dati.protocollo is not None:
        altra = ctx.altra_valida(dati.protocollo)
        componente = altra.componente(cf) if altra else None
        return componente.foglio if componente else None
    return dati.foglio if dati.completi else None


def da_solo(cf: str, dati: Dati | None, ctx: Contesto, specifico: bool) -> Estraneo | None:
    """Own incomes and assets, with the children and the home of the nucleus of that person."""
    foglio = foglio_fuori(cf, dati, ctx)
    if foglio is None or dati is None:
        return None
    membro = [Membro(foglio, "D")]
    if dati.protocollo is not None:
        altra = ctx.altra_valida(dati.protocollo)
        assert altra is not None
        nucleo = nucleo_ordinario(altra, ctx.giorno)
        righe = situazione(membro, figli_di(nucleo), nucleo.abitazione, ctx, specifico=specifico)
        disabili = any(m.foglio.disabilita is not None for m in nucleo.membri)
        return Estraneo(righe["ISE"], sum(scala(nucleo, ctx, specifico), ZERO), disabili)
    numeri = dati.numeri
    if numeri is None:
        return None
    figli = Figli(numeri.figli or 0, numeri.conviventi or 0)
    righe = situazione(membro, figli, dati.abitazione, ctx, specifico=specifico)
    disabili = foglio.disabilita is not None or numeri.disabili() > 0
    return Estraneo(righe["ISE"], scala_in_numeri(numeri, ctx, specifico), disabili)


def _componente_genitore(genitore: Genitore, ctx: Contesto, specifico: bool) -> Decimal | None:
    """All. 2 c. 2."""
    estraneo = da_solo(genitore.cf, genitore.dati, ctx, specifico)
    if estraneo is None:
        return None
    piu_figli = len(genitore.beneficiari) > 1
    quota = rules.COMPONENTE_PIU_FIGLI if piu_figli else rules.COMPONENTE_UN_FIGLIO
    return arrotonda(estraneo.ise * quota / estraneo.scala)


def _altro_genitore(cf: str, genitori: list[Genitore], tranne: str | None = None) -> Genitore | None:
    return next((g for g in genitori if not g.escluso and g.cf != tranne and cf in g.beneficiari), None)


CASI_NUCLEO = ("nucleo", "Attratta", "Aggiuntiva")
CASI_STUDENTE = ("StudenteAttratto", "StudenteAttrattoCompAttratta", "StudenteAttrattoCompAggiuntiva")


def con_altro_genitore(
    cf: str, nucleo: Nucleo, genitore: Genitore | None, ctx: Contesto, casi: tuple[str, str, str], specifico: bool
) -> Indicatore:
    """Art. 7: the nucleus as it is, with the other parent in it, or with that parent's component."""
    nessuno, attratta, aggiuntiva = casi
    if genitore is None:
        righe = calcola(nucleo, ctx, specifico=specifico)
        return Indicatore(cf, nessuno, righe["ISEE"], righe if nessuno != "nucleo" else None)
    if genitore.attratto:
        foglio = foglio_fuori(genitore.cf, genitore.dati, ctx)
        if foglio is None:
            return Indicatore(cf, "NonCalcolabile")
        righe = calcola(con_attratto(nucleo, foglio), ctx, specifico=specifico)
        return Indicatore(cf, attratta, righe["ISEE"], righe)
    componente = _componente_genitore(genitore, ctx, specifico)
    if componente is None:
        return Indicatore(cf, "NonCalcolabile")
    righe = calcola(nucleo, ctx, specifico=specifico)
    return Indicatore(cf, aggiuntiva, righe["ISEE"] + componente, righe, [componente])


def minorenni(dsu: Dsu, nucleo: Nucleo, ctx: Contesto, specifico: bool = False) -> list[Indicatore]:
    genitori = dsu.ordinario().genitori
    return [
        con_altro_genitore(cf, nucleo, _altro_genitore(cf, genitori), ctx, CASI_NUCLEO, specifico)
        for cf in (c.foglio.cf for c in dsu.componenti if anni(c.foglio.nascita, ctx.giorno) < 18)
    ]


def _nucleo_del_genitore(sezione: Universitario, genitori: list[Genitore], ctx: Contesto) -> Nucleo | None:
    """Where the student's parent lives, when it is known."""
    if sezione.genitore is None:
        return None
    if sezione.protocollo is not None:
        altra = ctx.altra_valida(sezione.protocollo)
        return nucleo_ordinario(altra, ctx.giorno) if altra else None
    for genitore in genitori:
        dati = genitore.dati
        if genitore.cf != sezione.genitore or dati is None or dati.protocollo is not None:
            continue
        if dati.foglio is None or not dati.completi or dati.numeri is None or dati.numeri.componenti != 1:
            continue
        return Nucleo([Membro(dati.foglio, "D")], None, dati.abitazione)
    return None


def universitario(sezione: Universitario, dsu: Dsu, nucleo: Nucleo, ctx: Contesto) -> Indicatore:
    """Art. 8."""
    cf, genitori = sezione.cf, dsu.ordinario().genitori
    if sezione.presenza == "TuttiPresenti":
        return con_altro_genitore(cf, nucleo, None, ctx, CASI_NUCLEO, False)
    if sezione.presenza == "SoloUno":
        return con_altro_genitore(cf, nucleo, _altro_genitore(cf, genitori), ctx, CASI_NUCLEO, False)
    componente = dsu.componente(cf)
    assert componente is not None
    cifre = ctx.cifre(componente.foglio)
    if sezione.autonomo() and (not cifre.noto or cifre.lordo >= ctx.regole.reddito_studente):
        return con_altro_genitore(cf, nucleo, None, ctx, CASI_NUCLEO, False)
    del_genitore = _nucleo_del_genitore(sezione, genitori, ctx)
    if del_genitore is None:
        return Indicatore(cf, "NonCalcolabile")
    altro = None
    if sezione.presenza == "NonConiugatiNonPresenti":
        altro = _altro_genitore(cf, genitori, tranne=sezione.genitore)
    insieme = con_studente(del_genitore, componente.foglio, ctx.giorno)
    return con_altro_genitore(cf, insieme, altro, ctx, CASI_STUDENTE, False)


def _componenti_figli(sezione: Residenziale, scala_beneficiario: Decimal, ctx: Contesto) -> list[Decimal] | None:
    """Art. 6 c. 3 b, c: what each child outside adds; None when the data of one are missing."""
    componenti = []
    for figlio in sezione.figli:
        if figlio.esclusione is not None:
            continue
        estraneo = da_solo(figlio.cf, figlio.dati, ctx, False)
        if estraneo is None:
            return None
        if estraneo.disabili:
            continue
        oltre = positivo(estraneo.ise - rules.FRANCHIGIA_FIGLI_FUORI * estraneo.scala)
        componenti.append(arrotonda(oltre * rules.QUOTA_FIGLI_FUORI / (estraneo.scala * scala_beneficiario)))
    return componenti


def residenziale(sezione: Residenziale, nucleo: Nucleo, base: Righe, ctx: Contesto) -> Indicatore:
    """Art. 6 c. 3."""
    donato = ZERO
    if sezione.donazioni_contano():
        donato = sum((d.controvalore() for d in sezione.donazioni), ZERO)
    righe = calcola(nucleo, ctx, res=True, donato=donato)
    componenti = _componenti_figli(sezione, righe["ScalaEquivalenza"], ctx)
    if componenti is None:
        return Indicatore(sezione.cf, "NonCalcolabile")
    diverso = sezione.donazioni_contano() or righe != base
    if not diverso and not componenti:
        return Indicatore(sezione.cf, "nucleo", base["ISEE"])
    caso = ("ResidenzialeAgg" if componenti else "Residenziale") if diverso else "BaseAgg"
    return Indicatore(sezione.cf, caso, righe["ISEE"] + sum(componenti, ZERO), righe, componenti)


def _ristretti(dsu: Dsu, ctx: Contesto) -> list[dict[str, Any]]:
    sezioni = {r.cf: r for m in dsu.modelli for r in m.residenziali}
    esito = []
    for indice, modello in enumerate(dsu.modelli):
        if modello.tipo != "RID":
            continue
        cf = next(r.cf for r in modello.ristretti if r.beneficiario)
        nucleo = nucleo_ristretto(dsu, indice, ctx.giorno)
        righe = calcola(nucleo, ctx)
        sezione = sezioni.get(cf)
        res = None if sezione is None else residenziale(sezione, nucleo, righe, ctx).json()
        esito.append({"cf": cf, "righe": in_testo(righe), "residenziale": res})
    return esito


def contesto(famiglia: Famiglia) -> Contesto:
    variazioni = {v.cf: v for v in famiglia.dsu.variazioni}
    return Contesto(famiglia.giorno, famiglia.archivio, famiglia.altre, variazioni)


def attesi(famiglia: Famiglia) -> dict[str, Any]:
    """Every indicator that the law gives this family."""
    dsu, ctx = famiglia.nucleo(), contesto(famiglia)
    nucleo = nucleo_ordinario(dsu, ctx.giorno)
    righe = calcola(nucleo, ctx)
    specifico = ctx.regole.specifico
    beneficiari = {r.cf for m in dsu.modelli for r in m.ristretti if r.beneficiario}
    return {
        "ordinario": in_testo(righe),
        "specifico": in_testo(calcola(nucleo, ctx, specifico=True)) if specifico else None,
        "minorenni": [i.json() for i in minorenni(dsu, nucleo, ctx)],
        "universitari": [universitario(u, dsu, nucleo, ctx).json() for u in dsu.ordinario().universitari],
        "residenziali": [
            residenziale(r, nucleo, righe, ctx).json() for r in dsu.ordinario().residenziali if r.cf not in beneficiari
        ],
        "ristretti": _ristretti(dsu, ctx),
        "minorenni_specifico": ([i.json() for i in minorenni(dsu, nucleo, ctx, specifico=True)] if specifico else None),
    }
