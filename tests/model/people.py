"""Invents persons: who they are, what they earn, what they own."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random

import rules
from codice import ALTRI_COMUNI, CAPOLUOGHI, COMUNI, ESTERO, Comune, codice_fiscale, codice_numerico
from dsu import (
    CONTI,
    DA_FC8,
    AltriRedditi,
    Archivio,
    Disabilita,
    Foglio,
    Immobile,
    Incremento,
    Mobiliare,
    Rapporto,
)
from rules import nascita_piu_antica, nascita_piu_recente

COGNOMI = (
    "ROSSI", "BIANCHI", "VERDI", "NERI", "GALLI", "CONTI", "COSTA", "RIZZO", "MORETTI", "BARBIERI", "FONTANA", "SANTORO",
    "MARINI", "GRECO", "BRUNO", "DE LUCA", "D'AMICO", "LO RE", "FO", "RE", "PELLEGRINI", "PALUMBO", "SANNA", "FARINA",
    "RIVA", "DONATI", "TESTA", "GUERRA", "VILLA", "PIRAS", "CATTANEO", "MILANI", "SERRA", "VITALE", "BASSI", "NICOLÒ",
)  # fmt: skip
MASCHI = (
    "MARCO", "LUCA", "ANDREA", "PIETRO", "GIOVANNI", "STEFANO", "NICOLÒ", "ALESSANDRO", "FRANCESCO", "ENEA", "GIAN LUCA",
    "PAOLO", "LEO", "MATTIA", "SIMONE", "GIORGIO", "ANTONIO", "UGO", "DARIO", "BRANDO",
)  # fmt: skip
FEMMINE = (
    "ANNA", "LUCIA", "MARIA", "GIULIA", "SOFIA", "CHIARA", "ANNA MARIA", "EVA", "FRANCESCA", "BEATRICE", "ELENA", "SARA",
    "MARTINA", "ALESSIA", "GRETA", "IDA", "CATERINA", "NOEMI", "ROSA", "TERESA",
)  # fmt: skip
ALTRI_RAPPORTI = ("02", "04", "05", "06", "07", "23", "99")
OPERATORI = tuple(codice_numerico(f"0123456{n:03d}") for n in range(780, 800))
GRADI = ("DIM", "DIG", "NAS")
FC4 = (
    "RedditoImpSost", "RedditiEsentiImposta", "RedditiIRAP", "RedditiFondiari", "RedditiTassatiEstero", "RedditiAIRE",
    "RedditiFondiariEstero", "TrattamentiAssistenziali",
)  # fmt: skip


class Anagrafe:
    """Makes the persons of one family on one day; keeps what the archives know of them."""

    def __init__(self, r: Random, giorno: date) -> None:
        self.r = r
        self.giorno = giorno
        self.regole = rules.regole(giorno)
        self.archivio: Archivio = {}
        self.avvisi: list[str] = []
        self.solo_codici_semplici = False
        self._codici: set[str] = set()
        self._identificativo = 0

    # --- chances ---

    def caso(self, probabilita: float) -> bool:
        return self.r.random() < probabilita

    def euro(self, massimo: int, *speciali: int) -> int:
        """An amount: often one on a boundary, sometimes none, mostly small."""
        x = self.r.random()
        if speciali and x < 0.25:
            return self.r.choice(speciali)
        if x < 0.32:
            return 0
        return self.r.randrange(1, (massimo // 6 if x < 0.6 else massimo) + 2)

    def comune(self) -> Comune:
        return self.r.choice(CAPOLUOGHI if self.caso(0.5) else ALTRI_COMUNI)

    # --- who ---

    def nascita(self, eta: int, giorno: date | None = None) -> date:
        """Someone of this age: often a birthday today, or tomorrow."""
        oggi = giorno or self.giorno
        antica, recente = nascita_piu_antica(eta, oggi), nascita_piu_recente(eta, oggi)
        x = self.r.random()
        if x < 0.08:
            scelta = recente
        elif x < 0.16:
            scelta = antica
        else:
            scelta = antica + timedelta(days=self.r.randrange((recente - antica).days + 1))
        return scelta + timedelta(days=1) if (scelta.month, scelta.day) == (2, 29) else scelta

    def persona(self, eta: int, cognome: str | None = None, semplice: bool = False) -> Foglio:
        """A sheet with the person only. `semplice`: nothing unusual in the code."""
        semplice = semplice or self.solo_codici_semplici
        nascita = self.nascita(eta)
        while True:
            sesso = self.r.choice("MF")
            nome = self.r.choice(MASCHI if sesso == "M" else FEMMINE)
            di_famiglia = cognome or self.r.choice(COGNOMI)
            luogo = self.r.choice(ESTERO) if self.caso(0.08) else self.r.choice(COMUNI)
            omocodie = self.r.randrange(1, 4) if not semplice and self.caso(0.03) else 0
            cf = codice_fiscale(di_famiglia, nome, nascita, sesso, luogo.codice, omocodie)
            if not semplice and self.caso(0.01):
                cf = codice_numerico(f"{self.r.randrange(10**9, 10**10)}")
            if cf not in self._codici:
                break
        self._codici.add(cf)
        dichiarato = luogo
        if not semplice and len(cf) == 16 and not omocodie and self.caso(0.01):
            dichiarato = next(c for c in COMUNI if c != luogo)
            self.avvisi.append("K05")
        p = Foglio(cf, di_famiglia, nome, nascita, sesso, dichiarato.provincia, dichiarato.codice)
        if self.caso(0.3):
            p.residenza = self.comune().codice
        if self.caso(0.1):
            p.veicolo = f"AB{self.r.randrange(1000):03d}CD"
        return p

    # --- incomes ---

    def _profilo(self, eta: int) -> dict[str, int]:
        """What the tax return of such a person says."""
        voci: dict[str, int] = {}
        x = self.r.random()
        if eta >= 62 or (eta >= 30 and x < 0.08):
            voci["Pensione"] = self.euro(30000, 5000, 4999, 5001, 10000)
        if eta >= 16 and (x < 0.55 if eta < 62 else x < 0.1):
            voci["LavoroDipendente"] = self.euro(45000, 15000, 14999, 15001, 5000, 20000)
        altro = 0
        if eta >= 18 and self.caso(0.2):
            altro = -self.r.randrange(20000) if self.caso(0.3) else self.euro(30000)
        voci["RedditoIRPEF"] = voci.get("Pensione", 0) + voci.get("LavoroDipendente", 0) + altro
        if eta >= 18 and self.caso(0.06):
            voci["RedditiAgrari"] = self.euro(4000)
            voci["RedditoIRPEF"] += voci["RedditiAgrari"] if self.caso(0.8) else 0
        if self.caso(0.1):
            voci["RedditiImpSost"] = self.euro(9000)
        if self.caso(0.14):
            voci["TrattamentiAssistenziali"] = self.euro(9000, 5000)
        if self.caso(0.12):
            spese = self.r.choice(((2500, 2500), (5000, 0), (0, 5001), (3000, 2001), (4999, 0), (0, 0)))
            voci["SpeseDetrazione"], voci["SpeseDeduzione"] = spese
            if self.caso(0.4):
                voci["SpeseDetrazione"], voci["SpeseDeduzione"] = self.euro(6000), self.euro(6000)
        return voci

    def _in_archivio(self, p: Foglio, voci: dict[str, int]) -> None:
        riga = self.archivio.setdefault(p.cf, {})
        riga.update({DA_FC8[k]: v for k, v in voci.items()})
        if p.disabilita is not None and self.caso(0.6):
            riga["trattamenti_disabilita"] = self.euro(9000, 6000)

    def redditi(self, p: Foglio, eta: int, fonte: str | None = None) -> None:
        """From the archives, from FC8, from both, from neither."""
        fonte = (
            fonte or self.r.choices(("archivio", "fc8", "misto", "fc8_che_non_conta", "niente"), (50, 22, 12, 4, 12))[0]
        )
        voci = self._profilo(eta)
        if fonte in ("archivio", "misto", "fc8_che_non_conta"):
            self._in_archivio(p, voci)
        if fonte != "archivio" and fonte != "niente":
            dichiarate = self._profilo(eta) if fonte != "fc8" else voci
            if fonte == "misto":
                tenute = self.r.sample(sorted(dichiarate), self.r.randrange(1, len(dichiarate) + 1))
                dichiarate = {k: v for k, v in dichiarate.items() if k in tenute}
            if "TrattamentiAssistenziali" in dichiarate and self.caso(0.05):
                dichiarate["TrattamentiAssistenziali"] = -self.r.randrange(1, 900)
            if self.caso(0.1):
                dichiarate["SpeseCollabDomestici"] = self.euro(9000)
            p.fc8 = AltriRedditi(fonte != "fc8_che_non_conta", dichiarate)
        if self.caso(0.15):
            for nome in self.r.sample(FC4, self.r.randrange(1, 4)):
                p.fc4[nome] = self.euro(8000, 5000)
        if eta >= 18 and self.caso(0.14):
            for nome in self.r.sample(("AssegniFigli", "AssegniConiuge", "AssegniGenitore"), self.r.randrange(1, 3)):
                p.fc5[nome] = self.euro(9000, 6000)
        if eta >= 18 and self.caso(0.3):
            p.attivita = self.r.choice(("LAVIND", "LAVDET", "LAVAUT", "DISOCC", "PENSIO", "ALTRO"))

    # --- movable assets ---

    def _rapporto(self, tipo: str, datato: bool = True) -> Rapporto:
        self._identificativo += 1
        rapporto = Rapporto(tipo, f"IT60K{self._identificativo:08d}", self.r.choice(OPERATORI))
        if tipo in CONTI:
            rapporto.saldo = self.euro(30000, 6000, 8000, 10000, 11000)
            rapporto.media = self.euro(30000, 6000, 8000, 10000) if self.caso(0.8) else rapporto.saldo
        else:
            rapporto.valore = self.euro(60000, 6000, 50000, 10000)
        anno = self.regole.anno_patrimonio
        if datato and self.caso(0.12):
            rapporto.inizio = self.r.choice((date(anno, 12, 31), date(anno, 3, 1), date(anno - 4, 7, 1)))
        if datato and self.caso(0.08):
            rapporto.fine = self.r.choice((date(anno, 12, 31), date(anno + 1, 1, 31)))
            rapporto.inizio = None
        return rapporto

    def _incremento(self, m: Mobiliare) -> None:
        conti = [r for r in m.rapporti if r.tipo in CONTI]
        differenza = sum(r.media or 0 for r in conti) - sum(r.saldo or 0 for r in conti)
        if differenza > 0 and self.caso(0.8):
            totale = max(
                0, self.r.choice((differenza, differenza + 1, differenza - 1, differenza + 500, differenza // 2))
            )
        else:
            totale = self.euro(9000)
        m.flag_incremento = True
        parte = self.r.randrange(totale + 1)
        m.incremento = self.r.choice(
            (Incremento(mobiliare=totale), Incremento(immobiliare=totale), Incremento(parte, totale - parte))
        )

    def patrimonio(self, quanti: int, datato: bool = True) -> Mobiliare:
        m = Mobiliare(quanti > 0)
        for _ in range(quanti):
            tipo = self.r.choice(("01", "01", "03", "09")) if self.caso(0.6) else self.r.choice(ALTRI_RAPPORTI)
            m.rapporti.append(self._rapporto(tipo, datato))
        if quanti and self.caso(0.25):
            self._incremento(m)
        elif self.caso(0.1):
            m.flag_incremento = False
        return m

    def mobiliare(self, p: Foglio, molti: bool = False) -> None:
        quanti = self.r.choice((0, 1, 1, 2, 3) if not molti else (1, 2, 3, 4))
        if quanti or self.caso(0.6):
            p.mobiliare = self.patrimonio(quanti)
        probabile = 0.3 if self.giorno >= date(2025, 1, 1) else 0.05
        if quanti and self.caso(probabile):
            riga = self.archivio.setdefault(p.cf, {})
            for colonna in self.r.sample(
                ("titoli_di_stato", "buoni_postali", "libretti_postali"), self.r.randrange(1, 4)
            ):
                riga[colonna] = self.euro(60000, 50000, 10000, 25000, 50001)

    # --- real estate ---

    def mutuo(self, valore: int, soglia: int = 0) -> int | None:
        """Often none; sometimes exactly the value, or more than it, or what leaves exactly `soglia`."""
        if self.caso(0.6):
            return None
        if soglia and valore > soglia and self.caso(0.5):
            return valore - soglia - self.r.choice((0, 0, 1))
        if self.caso(0.2):
            return valore
        if self.caso(0.08):
            self.avvisi.append("K11")
            return valore + self.r.randrange(1, 20000)
        return self.r.randrange(valore + 1)

    def altro_immobile(self) -> Immobile:
        comune = self.r.choice(ESTERO).codice if self.caso(0.08) else self.comune().codice
        valore = self.euro(150000)
        quota = self.r.choice(("100", "50", "33.33", "25", "66.67", "0.5"))
        mutuo = self.mutuo(valore)
        return Immobile(self.r.choice(("F", "F", "TE", "TA")), comune, quota, valore, mutuo)

    # --- disability ---

    def disabilita(self, p: Foglio, grado: str | None = None, residenziale: bool = False) -> None:
        da = max(p.nascita, date(1995, 1, 1))
        data = da + timedelta(days=self.r.randrange((self.giorno - da).days + 1))
        if self.caso(0.05):
            data = self.giorno
        p.disabilita = Disabilita(
            grado or self.r.choice(GRADI), "INPS", f"V{self.r.randrange(9999)}", data, residenziale
        )
        if residenziale and self.caso(0.7):
            p.disabilita.retta = self.euro(20000, 6000)
        if self.caso(0.5):
            p.disabilita.spese = self.euro(12000, 6000)
