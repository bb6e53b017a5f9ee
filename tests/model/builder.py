"""Puts invented persons together into declarations that pass every formal check."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from random import Random

import rules
from codice import COMUNI
from dsu import (
    FIGLI,
    FIGLI_NON_FNC,
    Abitazione,
    AltriRedditi,
    Componente,
    Condizioni,
    Dati,
    Dsu,
    Foglio,
    Genitore,
    Immobile,
    Locazione,
    Modello,
    Numeri,
    Ristretto,
    Sottoscrizione,
)
from people import Anagrafe
from rules import anni

FRANCHIGIE_TONDE = (52500, 55000, 57500, 52501, 91500, 94000, 120000, 122500, 91501, 120001)


class Costruttore(Anagrafe):
    """One family on one day."""

    def __init__(self, r: Random, giorno: date, etichetta: str) -> None:
        super().__init__(r, giorno)
        self.etichetta = etichetta
        self.altre: dict[str, Dsu] = {}
        self._protocolli = 0

    @contextmanager
    def fuori(self) -> Iterator[None]:
        """Warnings are those of the nucleus: what is made here is outside of it."""
        avvisi = list(self.avvisi)
        yield
        self.avvisi[:] = avvisi

    def protocollo(self, anno: int | None = None) -> str:
        self._protocolli += 1
        lettera = chr(ord("A") + self._protocolli % 26)
        return f"INPS-ISEE-{anno or self.giorno.year}-{self._protocolli:08d}{lettera}-00"

    # --- the nucleus ---

    def componente(self, ruolo: str, eta: int, cognome: str | None = None, fonte: str | None = None) -> Componente:
        """A member with incomes and assets."""
        p = self.persona(eta, cognome)
        assenza = False
        if self.caso(0.06):
            self.disabilita(p)
        if ruolo == "FNC":
            self._a_carico(p)
        elif eta < 18 and self.caso(0.85):
            assenza = True
            if p.disabilita is not None and self.caso(0.5):
                self.archivio[p.cf] = {"trattamenti_disabilita": self.euro(4000, 3300)}
        else:
            self.redditi(p, eta, fonte)
        if eta >= 18 or self.caso(0.2):
            self.mobiliare(p)
        if self.caso(0.15 if eta >= 18 else 0.03):
            p.immobili += [self.altro_immobile() for _ in range(self.r.randrange(1, 4))]
        return Componente(ruolo, assenza, p)

    def _a_carico(self, p: Foglio) -> None:
        """A child who is fiscally dependent."""
        if self.caso(0.5):
            self.archivio[p.cf] = {"reddito_irpef": self.euro(2000), "lavoro_dipendente": 0}
        elif self.caso(0.5):
            p.fc8 = AltriRedditi(True, {"RedditoIRPEF": self.euro(2000)})

    def nucleo(
        self,
        *,
        coniuge: bool | None = None,
        minori: int = 0,
        ma: int = 0,
        adulti: int = 0,
        fnc: int = 0,
        altri: int = 0,
        eta: int | None = None,
        eta_minori: tuple[int, int] = (0, 17),
    ) -> Dsu:
        """D, and a spouse if any; children younger than both by fifteen years at least."""
        r = self.r
        minima = 18 + (15 if minori or ma else 0) + (13 if adulti or fnc else 0)
        eta = eta if eta is not None else r.randrange(minima + 2, max(minima + 3, 66))
        coniuge = self.caso(0.6) if coniuge is None else coniuge
        componenti = [self.componente("D", eta)]
        cognome = componenti[0].foglio.cognome
        tetto = eta
        if coniuge:
            eta_coniuge = max(minima + 2, eta + r.randrange(-8, 9))
            componenti.append(self.componente("C", eta_coniuge))
            tetto = min(eta, eta_coniuge)
        basso, alto = eta_minori
        for ruolo, quanti in (("F", minori), ("MA", ma)):
            for _ in range(quanti):
                eta_figlio = (
                    r.choice((0, 2, 3, 17)) if eta_minori == (0, 17) and self.caso(0.35) else r.randint(basso, alto)
                )
                componenti.append(self.componente(ruolo, min(eta_figlio, tetto - 16), cognome))
        for ruolo, quanti in (("FC", adulti), ("FNC", fnc)):
            for _ in range(quanti):
                componenti.append(self.componente(ruolo, self._eta_adulta(ruolo, tetto), cognome))
        for _ in range(altri):
            componenti.append(self.componente("P", r.choice((6, 16, 17, 30, 68, 75, 84, 92))))
        dsu = Dsu(componenti[0].foglio.cf, self.giorno, componenti)
        dsu.modelli = [Modello("ORD", Abitazione("999", self.comune().codice))]
        dsu.sottoscrizione = self.firma(dsu.dichiarante, self.giorno)
        return dsu

    def _eta_adulta(self, ruolo: str, tetto: int) -> int:
        limite = 25 if ruolo == "FNC" and self.regole.fnc_fino_a_25 else 40
        massimo = max(18, min(limite, tetto - 16))
        scelta = self.r.choice((18, 25, 26, 30, self.r.randint(18, massimo)))
        return min(scelta, massimo)

    def firma(self, cf: str, giorno: date, segno: str = "N") -> Sottoscrizione:
        firma = Sottoscrizione(cf, f"CAF00001-{self.etichetta}-{segno}{self._protocolli}", giorno)
        if self.caso(0.04):
            firma.pec, firma.indirizzo_pec = True, "prova@pec.example.it"
        if self.caso(0.03):
            firma.ritiro = True
            firma.delegato = self.persona(40, semplice=True)
            firma.delegato.residenza = self.comune().codice
        return firma

    # --- conditions ---

    def condizioni(self, ruoli: list[str], eta: list[int]) -> Condizioni | None:
        """What the nucleus says of its children, never below the roles nor above the members."""
        r = self.r
        figli = sum(1 for ruolo in ruoli if ruolo in FIGLI)
        conviventi = sum(1 for ruolo in ruoli if ruolo in FIGLI_NON_FNC)
        minori = any(e < 18 for e in eta)
        c = Condizioni(self.caso(0.55 if minori else 0.1), False)
        adulti_altri = any(ruolo in ("P", "C") and e >= 18 for ruolo, e in zip(ruoli, eta))
        if not adulti_altri and any(ruolo in ("F", "MA") for ruolo in ruoli):
            c.unico = self.caso(0.7)
            c.lavoro = self.caso(0.35) if c.unico else c.lavoro
        minimo = max(self.regole.minimo_figli, figli)
        if minimo <= len(ruoli) and self.caso(0.6 if figli >= self.regole.minimo_figli else 0.15):
            c.figli = r.randint(minimo, len(ruoli)) if self.caso(0.15) else minimo
        if conviventi and self.caso(0.6 if c.figli else 0.1):
            c.conviventi = r.randint(0, conviventi) if self.caso(0.25) else conviventi
        vuote = not c.lavoro and not c.unico and c.figli is None and c.conviventi is None
        return None if vuote and self.caso(0.6) else c

    def condizioni_di(self, dsu: Dsu) -> None:
        ruoli = [c.ruolo for c in dsu.componenti]
        eta = [anni(c.foglio.nascita, self.giorno) for c in dsu.componenti]
        dsu.ordinario().condizioni = self.condizioni(ruoli, eta)

    # --- the home ---

    def locazione(self, cf: str) -> Locazione:
        canone = self.euro(12000, 7000, 7001, 7500, 8000, 6999, 9000)
        return Locazione(self.giorno - timedelta(days=self.r.randrange(30, 2000)), canone, cf)

    def casa(self, proprietari: list[Foglio], comune: str) -> None:
        """One home, whole or in shares; sometimes with a garage of its own."""
        scelti = self.r.sample(proprietari, min(len(proprietari), self.r.choice((1, 1, 2, 3))))
        quota = {1: "100", 2: "50", 3: "33.33"}[len(scelti)]
        catastale = comune
        if self.caso(0.03):
            catastale = next(altro.codice for altro in COMUNI if altro.codice != comune)
            self.avvisi.append("K08")
        totale = self.r.choice(FRANCHIGIE_TONDE) if self.caso(0.35) else self.r.randrange(20000, 260000)
        for i, p in enumerate(scelti):
            valore = totale // len(scelti) + (totale % len(scelti) if i == 0 else 0)
            p.immobili.append(Immobile("F", catastale, quota, valore, self.mutuo(valore, 52500), True))
        if self.caso(0.1):
            self.avvisi.append("K08")
            scelti[0].immobili.append(Immobile("F", catastale, "100", self.euro(20000), None, True))

    def abitazione(self, dsu: Dsu, tipo: str | None = None) -> None:
        """Owned, rented or other, with what each wants."""
        comune = self.comune().codice
        tipo = tipo or self.r.choices(("000", "001", "999"), (50, 30, 20))[0]
        a = Abitazione(tipo, comune)
        fogli = [c.foglio for c in dsu.componenti if c.ruolo != "FNC"]
        if tipo == "001":
            a.locazione = self.locazione(fogli[0].cf)
        if tipo == "000":
            if self.caso(0.04):
                self.avvisi.append("K08")
            else:
                self.casa(fogli, comune)
        if any(c.ruolo == "C" for c in dsu.componenti) and self.caso(0.08):
            a.riferimento = self.r.choice("DC")
        dsu.ordinario().abitazione = a

    def completa(self, dsu: Dsu) -> Dsu:
        """Conditions and home of the ordinary form."""
        self.condizioni_di(dsu)
        self.abitazione(dsu)
        return dsu

    # --- persons outside ---

    def foglio_fuori(self, eta: int, disabile: bool = False) -> Foglio:
        with self.fuori():
            p = self.persona(eta, semplice=True)
            if disabile:
                self.disabilita(p, residenziale=self.caso(0.15))
            self.redditi(p, eta)
            self.mobiliare(p)
            if self.caso(0.2):
                p.immobili.append(self.altro_immobile())
        return p

    def numeri(self, foglio: Foglio | None, massimo: int = 7, disabili: bool = True) -> Numeri:
        """In numbers, coherent with the sheet."""
        r = self.r
        n = Numeri(r.randint(1, massimo))
        if n.componenti > 1:
            n.minorenne = self.caso(0.6)
            n.lavoro = self.caso(0.5 if n.minorenne else 0.2)
            n.solo = n.minorenne and not n.lavoro and self.caso(0.3)
        minimo = self.regole.minimo_figli
        if n.componenti > minimo and self.caso(0.7):
            n.figli = r.randint(minimo, n.componenti - 1)
            if self.caso(0.7):
                n.conviventi = r.randint(0, n.figli) if self.caso(0.3) else n.figli
        if n.componenti > 1 and self.caso(0.1):
            n.ricoverati = r.randint(1, n.componenti)
        elif n.componenti > 1 and self.caso(0.06):
            n.in_comunita = r.randint(1, n.componenti)
        if foglio is not None and foglio.ospite():
            n.ricoverati = max(1, n.ricoverati)
            n.in_comunita = 0
        if disabili:
            self._disabili_in_numeri(n, foglio)
        return n

    def _disabili_in_numeri(self, n: Numeri, foglio: Foglio | None) -> None:
        if foglio is not None and foglio.disabilita is not None:
            grado = foglio.disabilita.grado
            n.medi, n.gravi, n.non_autosufficienti = (int(grado == g) for g in ("DIM", "DIG", "NAS"))
        elif n.componenti > 1 and self.caso(0.12):
            quale = self.r.randrange(3)
            n.medi, n.gravi, n.non_autosufficienti = (int(quale == i) for i in range(3))
        if n.disabili() and n.disabili() < n.componenti and self.caso(0.2):
            n.gravi += 1

    def abitazione_fuori(self, foglio: Foglio) -> Abitazione | None:
        """Their own home, when declared; without it the buildings flagged are the home."""
        tipo = self.r.choice(("000", "001", "999", "assente"))
        comune = self.comune().codice
        if tipo in ("000", "assente") and self.caso(0.8):
            with self.fuori():
                if tipo == "assente" and comune in rules.CAPOLUOGHI:
                    comune = "G702"
                valore = self.r.choice(FRANCHIGIE_TONDE) if self.caso(0.3) else self.r.randrange(20000, 260000)
                foglio.immobili.append(Immobile("F", comune, "100", valore, self.mutuo(valore, 52500), True))
        if tipo == "assente":
            return None
        return Abitazione(tipo, comune, self.locazione(foglio.cf) if tipo == "001" else None)

    def dati_dettaglio(self, foglio: Foglio, *, aggiuntiva: bool, disabili: bool = True) -> Dati:
        """All the data of someone outside, in the declaration itself."""
        dati = Dati(foglio=foglio)
        if aggiuntiva or self.caso(0.2):
            dati.abitazione = self.abitazione_fuori(foglio)
            dati.numeri = self.numeri(foglio, disabili=disabili)
        elif self.caso(0.4):
            with self.fuori():
                foglio.immobili.append(Immobile("F", "G702", "50", self.r.randrange(150000), None, self.caso(0.5)))
        return dati

    # --- declarations that others refer to ---

    def altra(
        self, quando: str = "valida", *, eta: int, studente: Foglio | None = None, disabili: bool = True
    ) -> tuple[str, Dsu]:
        """Another family's declaration: `valida`, `scaduta` or `futura` on the day."""
        note = set(self.archivio)
        dsu = self._altra_famiglia(self._giorno_altra(quando), eta, studente, disabili)
        if quando == "valida" and self._cambiano_eta(dsu):
            for cf in set(self.archivio) - note:
                del self.archivio[cf]
            dsu = self._altra_famiglia(self.giorno, eta, studente, disabili)
        protocollo = self.protocollo(dsu.giorno.year)
        self.altre[protocollo] = dsu
        return protocollo, dsu

    def _altra_famiglia(self, giorno: date, eta: int, studente: Foglio | None, disabili: bool) -> Dsu:
        r = self.r
        altro = Costruttore(r, giorno, f"{self.etichetta}A{self._protocolli}")
        altro.archivio, altro._codici, altro._identificativo = self.archivio, self._codici, self._identificativo + 1000
        altro.solo_codici_semplici = True
        con_figli = eta > 36
        dsu = altro.nucleo(
            eta=eta,
            minori=r.choice((0, 0, 1, 2, 3)) if con_figli else 0,
            adulti=r.choice((0, 0, 0, 1)) if con_figli else 0,
            fnc=r.choice((0, 0, 0, 0, 1)) if con_figli else 0,
        )
        if not disabili:
            for c in dsu.componenti:
                c.foglio.disabilita = None
        elif self.caso(0.1):
            altro.disabilita(dsu.componenti[-1].foglio, residenziale=self.caso(0.3))
        if studente is not None:
            dsu.componenti.append(Componente("FNC", False, studente))
        return altro.completa(dsu)

    def _giorno_altra(self, quando: str) -> date:
        if quando == "scaduta":
            anno = self.giorno.year - (2 if self.giorno < date(2019, 1, 16) else 1)
            return date(max(anno, 2015), self.r.randint(1, 12), self.r.randint(1, 28))
        if quando == "futura":
            return self.giorno + timedelta(days=1)
        primo = date(self.giorno.year, 1, 1)
        scelto = primo + timedelta(days=self.r.randrange((self.giorno - primo).days + 1))
        stesse_regole = rules.regole(scelto) is self.regole and (scelto.month, scelto.day) != (2, 29)
        return scelto if stesse_regole and self.caso(0.6) else self.giorno

    def _cambiano_eta(self, dsu: Dsu) -> bool:
        """Somebody comes of age, or turns three, between that day and this one."""
        return any(
            anni(c.foglio.nascita, dsu.giorno) < soglia <= anni(c.foglio.nascita, self.giorno)
            for c in dsu.componenti
            for soglia in (3, 18)
        )

    def puo_scadere(self) -> bool:
        """There is an earlier declaration under these rules that is no longer valid."""
        return self.giorno >= date(2017, 1, 1)

    def puo_essere_futura(self) -> bool:
        domani = self.giorno + timedelta(days=1)
        return domani.year in rules.TASSI and (domani.month, domani.day) != (2, 29)

    def data_richiesta(self) -> date:
        return self.giorno - timedelta(days=self.r.randrange(400))

    # --- restricted nuclei ---

    def ristretto(self, dsu: Dsu, componente: Componente, *, fuori_fc: bool = False) -> Modello:
        """The nucleus of art. 6 c. 2 of a member: D, C, P, FC."""
        relazioni = [Ristretto(componente.foglio.cf, True, "B")]
        if componente.ruolo in ("D", "C"):
            coniuge = {"D": "C", "C": "D"}[componente.ruolo]
            for altro in dsu.componenti:
                if altro.ruolo == coniuge:
                    relazioni.append(Ristretto(altro.foglio.cf, False, "C"))
                elif altro.ruolo in FIGLI and not (altro.ruolo == "FC" and fuori_fc):
                    relazioni.append(Ristretto(altro.foglio.cf, False, altro.ruolo))
        fogli = {c.foglio.cf: c.foglio for c in dsu.componenti}
        ordinaria = dsu.ordinario().abitazione
        segnata = any(i.abitazione for r in relazioni for i in fogli[r.cf].immobili)
        modello = Modello("RID", self._abitazione_ristretta(ordinaria, segnata, relazioni[0].cf), ristretti=relazioni)
        eta = [anni(fogli[r.cf].nascita, self.giorno) for r in relazioni]
        modello.condizioni = self.condizioni([r.relazione for r in relazioni], eta)
        if fuori_fc and componente.ruolo in ("D", "C") and any(c.ruolo == "FC" for c in dsu.componenti):
            self.avvisi.append("K16")
        return modello

    def _abitazione_ristretta(self, ordinaria: Abitazione, segnata: bool, cf: str) -> Abitazione:
        if segnata or (ordinaria.tipo != "000" and self.caso(0.6)):
            return Abitazione(ordinaria.tipo, ordinaria.comune, ordinaria.locazione)
        if self.caso(0.5):
            return Abitazione("001", ordinaria.comune, self.locazione(cf))
        return Abitazione("999", ordinaria.comune)


def genitore(foglio: Foglio, tipo: str, figli: list[str], dati: Dati | None) -> Genitore:
    """`tipo`: escluso, coniugato, attratto."""
    return Genitore(
        foglio.cf,
        foglio.cognome,
        foglio.nome,
        escluso=tipo == "escluso",
        coniugato=tipo == "coniugato",
        attratto=tipo == "attratto",
        beneficiari=figli,
        dati=dati,
    )
