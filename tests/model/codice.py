"""The codice fiscale (DM 23 December 1976), and the places that the invented people come from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from unicodedata import normalize

MESI = "ABCDEHLMPRST"
OMOCODIA = "LMNPQRSTUV"
_DISPARI = (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23)


@dataclass(frozen=True)
class Comune:
    codice: str
    provincia: str
    cap: str


COMUNI = tuple(
    Comune(*riga.split())
    for riga in (
        "H501 RM 00100", "F205 MI 20100", "F839 NA 80100", "L219 TO 10100", "D612 FI 50100", "A944 BO 40100",
        "G273 PA 90100", "D969 GE 16100", "A662 BA 70100", "L736 VE 30100", "C351 CT 95100", "F158 ME 98100",
        "B354 CA 09100", "H224 RC 89100", "I452 SS 07100", "G702 PI 56100", "A794 BG 24100", "L781 VR 37100",
        "E625 LI 57100", "G224 PD 35100", "L378 TN 38100", "D548 FE 44100", "A345 AQ 67100", "G337 PR 43100",
        "H294 RN 47900", "E506 LE 73100", "L049 TA 74100", "A271 AN 60100", "C933 CO 22100", "I726 SI 53100",
    )
)  # fmt: skip
CAPOLUOGHI = COMUNI[:15]
ALTRI_COMUNI = COMUNI[15:]
ESTERO = tuple(Comune(codice, "EE", "00000") for codice in ("Z100", "Z129", "Z330", "Z138", "Z611"))
DI_CODICE = {comune.codice: comune for comune in COMUNI}


def _lettere(testo: str) -> tuple[str, str]:
    """Consonants and vowels, without accents and apostrophes."""
    piano = normalize("NFD", testo)
    vocali = "".join(c for c in piano if c in "AEIOU")
    consonanti = "".join(c for c in piano if "A" <= c <= "Z" and c not in "AEIOU")
    return consonanti, vocali


def _cognome(testo: str) -> str:
    consonanti, vocali = _lettere(testo)
    return (consonanti + vocali + "XXX")[:3]


def _nome(testo: str) -> str:
    consonanti, vocali = _lettere(testo)
    if len(consonanti) >= 4:
        consonanti = consonanti[0] + consonanti[2] + consonanti[3]
    return (consonanti + vocali + "XXX")[:3]


def _valore(carattere: str) -> int:
    return int(carattere) if carattere.isdigit() else ord(carattere) - ord("A")


def controllo(quindici: str) -> str:
    """The check letter of the first fifteen characters."""
    somma = sum(_DISPARI[_valore(c)] for c in quindici[::2]) + sum(_valore(c) for c in quindici[1::2])
    return chr(ord("A") + somma % 26)


def codice_fiscale(cognome: str, nome: str, nascita: date, sesso: str, luogo: str, omocodie: int = 0) -> str:
    """`omocodie`: how many of the last digits of the place become letters (at most three, as the form takes them)."""
    giorno = nascita.day + (40 if sesso == "F" else 0)
    resto = f"{nascita.year % 100:02d}{MESI[nascita.month - 1]}{giorno:02d}"
    cifre = luogo[1:]
    taglio = len(cifre) - omocodie
    luogo = luogo[0] + cifre[:taglio] + "".join(OMOCODIA[int(c)] for c in cifre[taglio:])
    quindici = _cognome(cognome) + _nome(nome) + resto + luogo
    return quindici + controllo(quindici)


def codice_numerico(dieci: str) -> str:
    """Eleven digits: a body's code, or the provisional one of a person."""
    doppi = (2 * int(c) for c in dieci[1::2])
    somma = sum(int(c) for c in dieci[::2]) + sum(d - 9 if d > 9 else d for d in doppi)
    return dieci + str(-somma % 10)
