"""The parameters of the ISEE by date of presentation (DPCM 159/2013 and what changed it)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import cache

D = Decimal

TASSI = {
    2015: D("0.0150"), 2016: D("0.0120"), 2017: D("0.0110"), 2018: D("0.0130"), 2019: D("0.0180"), 2020: D("0.0105"),
    2021: D("0.0101"), 2022: D("0.0080"), 2023: D("0.0304"), 2024: D("0.0350"), 2025: D("0.0300"), 2026: D("0.0260"),
}  # fmt: skip
"""Art. 4 c. 2 i: yearly yield that movable assets are taken to give, by year of presentation."""

PARAMETRI = (D("0.00"), D("1.00"), D("1.57"), D("2.04"), D("2.46"), D("2.85"))
"""All. 1: scale by number of members."""
OLTRE_CINQUE = D("0.35")

FRANCHIGIE_2015 = {"DIM": (4000, 5500), "DIG": (5500, 7500), "NAS": (7000, 9500)}
"""Art. 4 c. 4 d as it was before L. 89/2016: adults, minors."""

CAPOLUOGHI = frozenset("A662 A944 B354 C351 D612 D969 F158 F205 F839 G273 H224 H501 I452 L219 L736".split())
"""Metropolitan capitals of L. 199/2025 art. 1 c. 208, by cadastral code."""

FIGLI_ORDINARIO = {3: D("0.20"), 4: D("0.35"), 5: D("0.50")}
FIGLI_SPECIFICO = {2: D("0.10"), 3: D("0.25"), 4: D("0.40"), 5: D("0.55")}
"""All. 1 a, and the same for the family benefits from 2026; the last is for five or more."""

DISABILE = D("0.50")
MINORI_LAVORO, MINORI_TRE_ANNI = D("0.20"), D("0.30")

TETTO_DIPENDENTI, TETTO_PENSIONI, TETTO_SPESE = 3000, 1000, 5000
"""Art. 4 c. 3 e, f, c."""
QUOTA = D("0.2")

TETTO_LOCAZIONE, LOCAZIONE_FIGLIO = 7000, 500
FRANCHIGIA_CASA, FRANCHIGIA_CASA_FIGLIO = 52500, 2500
FRANCHIGIA_CASA_SPECIFICA, FRANCHIGIA_CASA_CAPOLUOGO = 91500, 120000
FRANCHIGIA_PM, FRANCHIGIA_PM_MEMBRO, FRANCHIGIA_PM_TETTO, FRANCHIGIA_PM_FIGLIO = 6000, 2000, 10000, 1000

COMPONENTE_UN_FIGLIO, COMPONENTE_PIU_FIGLI = D("0.3"), D("0.4")
"""All. 2 c. 2."""
FRANCHIGIA_FIGLI_FUORI, QUOTA_FIGLI_FUORI = 9000, D("0.2")
"""Art. 6 c. 3 b."""
"""Art. 8 c. 2 b."""


@dataclass(frozen=True)
class Regole:
    """What depends on the day of presentation."""

    anno: int
    tasso: Decimal
    franchigie_disabili: bool
    """Disability deducted from the income (2015) and not put on the scale."""
    titoli_esclusi: int
    """Cap on the Government and postal savings left out, 0 when there is no such rule."""
    specifico: bool
    """The indicator for the family benefits exists."""
    minimo_figli: int
    """Least NumeroFigli that the form takes."""
    reddito_studente: int
    """Income of a student that is adequate (art. 8 c. 2 b; DM 1320/2021 since 2022)."""
    fnc_fino_a_25: bool
    """Children who live elsewhere belong to the nucleus only when under 26."""

    @property
    def anno_redditi(self) -> int:
        return self.anno - 2

    @property
    def anno_patrimonio(self) -> int:
        """The year whose 31 December counts for the assets."""
        return self.anno - 2 if self.anno >= 2020 else self.anno - 1


@cache
def _regole(anno: int, titoli: bool, fnc: bool) -> Regole:
    return Regole(
        anno=anno,
        tasso=TASSI[anno],
        franchigie_disabili=anno < 2016,
        titoli_esclusi=50000 if titoli else 0,
        specifico=anno >= 2026,
        minimo_figli=2 if anno >= 2026 else 3,
        reddito_studente=9000 if anno >= 2022 else 6500,
        fnc_fino_a_25=fnc,
    )


def regole(giorno: date) -> Regole:
    """The rules of a day of presentation: one object for each period."""
    titoli = giorno >= date(2025, 3, 5)
    fnc = date(2019, 1, 29) <= giorno <= date(2023, 12, 31)
    return _regole(giorno.year, titoli, fnc)


def scadenza(presentata: date) -> date:
    """Last day on which a declaration is valid."""
    if presentata.year <= 2018:
        return date(presentata.year + 1, 1, 15)
    return date(presentata.year, 12, 31)


def anni(nascita: date, giorno: date) -> int:
    """Completed years: the birthday itself counts."""
    return giorno.year - nascita.year - ((giorno.month, giorno.day) < (nascita.month, nascita.day))


def nascita_piu_antica(anni_compiuti: int, giorno: date) -> date:
    """The earliest birth of who has these completed years."""
    return nascita_piu_recente(anni_compiuti + 1, giorno) + timedelta(days=1)


def nascita_piu_recente(anni_compiuti: int, giorno: date) -> date:
    """The latest birth of who has these completed years: the birthday is today."""
    return date(giorno.year - anni_compiuti, giorno.month, giorno.day)
