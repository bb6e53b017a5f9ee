"""The declaration (DSU) as plain data: what a family says of itself, and what the archives say of it.

Amounts are whole euros, as the form wants them. Names follow the form, in Italian.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

CONTI = frozenset(("01", "03", "09"))
"""Kinds of financial relation that the form counts among deposits and accounts."""

FIGLI_NON_FNC = frozenset(("F", "MA", "FC"))
FIGLI = frozenset(("F", "MA", "FC", "FNC"))
"""Roles of children, those who live with the declarant and all of them."""


@dataclass(slots=True)
class Rapporto:
    tipo: str
    identificativo: str
    operatore: str
    saldo: int | None = None
    media: int | None = None
    valore: int | None = None
    inizio: date | None = None
    fine: date | None = None


@dataclass(slots=True)
class Incremento:
    immobiliare: int | None = None
    mobiliare: int | None = None

    def totale(self) -> int:
        return (self.immobiliare or 0) + (self.mobiliare or 0)


@dataclass(slots=True)
class Mobiliare:
    possesso: bool
    rapporti: list[Rapporto] = field(default_factory=list)
    flag_incremento: bool | None = None
    incremento: Incremento | None = None


@dataclass(slots=True)
class Immobile:
    tipo: str
    comune: str
    quota: str
    valore: int
    mutuo: int | None = None
    abitazione: bool = False


@dataclass(slots=True)
class Disabilita:
    grado: str
    ente: str
    documento: str
    data: date
    residenziale: bool = False
    retta: int | None = None
    spese: int | None = None


@dataclass(slots=True)
class AltriRedditi:
    """Quadro FC8. `voci` has the names of the form's attributes."""

    esonerato: bool
    voci: dict[str, int]


@dataclass(slots=True)
class Foglio:
    """The sheet of one person."""

    cf: str
    cognome: str
    nome: str
    nascita: date
    sesso: str
    provincia_nascita: str
    comune_nascita: str
    convivenza: bool = False
    attivita: str | None = None
    residenza: str | None = None
    mobiliare: Mobiliare | None = None
    immobili: list[Immobile] = field(default_factory=list)
    fc4: dict[str, int] = field(default_factory=dict)
    fc5: dict[str, int] = field(default_factory=dict)
    veicolo: str | None = None
    disabilita: Disabilita | None = None
    fc8: AltriRedditi | None = None

    def ospite(self) -> bool:
        """In residential care or in a registered community."""
        return self.convivenza or (self.disabilita is not None and self.disabilita.residenziale)


@dataclass(slots=True)
class Componente:
    ruolo: str
    assenza_reddito: bool
    foglio: Foglio


@dataclass(slots=True)
class Locazione:
    data: date
    canone: int
    intestatario: str


@dataclass(slots=True)
class Abitazione:
    tipo: str
    comune: str
    locazione: Locazione | None = None
    riferimento: str | None = None


@dataclass(slots=True)
class Condizioni:
    lavoro: bool
    unico: bool
    figli: int | None = None
    conviventi: int | None = None


@dataclass(slots=True)
class Numeri:
    """A nucleus that is known only in numbers."""

    componenti: int
    lavoro: bool = False
    solo: bool = False
    minorenne: bool = False
    figli: int | None = None
    conviventi: int | None = None
    ricoverati: int = 0
    in_comunita: int = 0
    medi: int = 0
    gravi: int = 0
    non_autosufficienti: int = 0

    def disabili(self) -> int:
        return self.medi + self.gravi + self.non_autosufficienti

    def ospiti(self) -> int:
        return self.ricoverati + self.in_comunita


@dataclass(slots=True)
class Dati:
    """What is known of a person outside the nucleus: a protocol, or a sheet and its complement."""

    protocollo: str | None = None
    foglio: Foglio | None = None
    completi: bool = True
    abitazione: Abitazione | None = None
    numeri: Numeri | None = None


@dataclass(slots=True)
class Genitore:
    """A parent who does not live in the nucleus."""

    cf: str
    cognome: str
    nome: str
    escluso: bool
    coniugato: bool
    attratto: bool
    beneficiari: list[str]
    dati: Dati | None = None


@dataclass(slots=True)
class Figlio:
    """A child outside the nucleus of who asks for residential care."""

    cf: str
    esclusione: str | None = None
    estremi: str | None = None
    dati: Dati | None = None


@dataclass(slots=True)
class Donazione:
    tipo: str
    comune: str
    posseduta: str
    donata: str
    valore: int
    ricevente: str

    def controvalore(self) -> Decimal:
        return Decimal(self.valore) * Decimal(self.donata) / Decimal(self.posseduta)


@dataclass(slots=True)
class Residenziale:
    cf: str
    richiesta: date
    flag_figli: bool
    flag_donazioni: bool
    successive: bool | None = None
    precedenti_alimenti: bool | None = None
    precedenti_no_alimenti: bool | None = None
    figli: list[Figlio] = field(default_factory=list)
    donazioni: list[Donazione] = field(default_factory=list)

    def donazioni_contano(self) -> bool:
        return bool(self.donazioni) and bool(self.successive or self.precedenti_alimenti)


@dataclass(slots=True)
class Universitario:
    cf: str
    presenza: str
    residenza: bool | None = False
    capacita: bool | None = False
    genitore: str | None = None
    protocollo: str | None = None

    def autonomo(self) -> bool:
        return bool(self.residenza) and bool(self.capacita)


@dataclass(slots=True)
class Ristretto:
    cf: str
    beneficiario: bool
    relazione: str


@dataclass(slots=True)
class Modello:
    tipo: str
    abitazione: Abitazione
    condizioni: Condizioni | None = None
    ristretti: list[Ristretto] = field(default_factory=list)
    universitari: list[Universitario] = field(default_factory=list)
    genitori: list[Genitore] = field(default_factory=list)
    residenziali: list[Residenziale] = field(default_factory=list)


@dataclass(slots=True)
class Variazione:
    """What a current ISEE changes of one member."""

    cf: str
    tipo: str
    data: date
    importi: dict[str, int] = field(default_factory=dict)
    documenti: str | None = "LETTERA E BUSTE PAGA"
    mobiliare: Mobiliare | None = None
    immobili: list[Immobile] | None = None

    def redditi(self) -> bool:
        return self.tipo[0] in "ABC"


@dataclass(slots=True)
class Sottoscrizione:
    cf: str
    protocollo: str
    giorno: date
    impedimento: bool = False
    rappresentanza: bool = False
    pec: bool = False
    indirizzo_pec: str | None = None
    ritiro: bool = False
    delegato: Foglio | None = None


@dataclass(slots=True)
class Dsu:
    dichiarante: str
    giorno: date
    componenti: list[Componente] = field(default_factory=list)
    modelli: list[Modello] = field(default_factory=list)
    operazione: str = "N"
    riferimento: str | None = None
    variazioni: list[Variazione] = field(default_factory=list)
    sottoscrizione: Sottoscrizione | None = None

    def ordinario(self) -> Modello:
        return self.modelli[0]

    def genitori(self) -> list[Genitore]:
        return [g for m in self.modelli for g in m.genitori]

    def componente(self, cf: str) -> Componente | None:
        return next((c for c in self.componenti if c.foglio.cf == cf), None)


COLONNE = (
    "reddito_irpef",
    "lavoro_dipendente",
    "pensione",
    "redditi_agrari",
    "redditi_imposta_sostitutiva",
    "trattamenti",
    "trattamenti_disabilita",
    "spese_detrazione",
    "spese_deduzione",
    "titoli_di_stato",
    "buoni_postali",
    "libretti_postali",
)
"""What the archives know of a person and a year, in the order of the file."""

DA_FC8 = {
    "RedditoIRPEF": "reddito_irpef",
    "LavoroDipendente": "lavoro_dipendente",
    "Pensione": "pensione",
    "RedditiAgrari": "redditi_agrari",
    "RedditiImpSost": "redditi_imposta_sostitutiva",
    "TrattamentiAssistenziali": "trattamenti",
    "SpeseDetrazione": "spese_detrazione",
    "SpeseDeduzione": "spese_deduzione",
}
"""The attributes of FC8 that stand for an item of the archives."""

Archivio = dict[str, dict[str, int]]
"""By codice fiscale: the known columns."""


@dataclass(slots=True)
class Famiglia:
    kind: str
    giorno: date
    dsu: Dsu
    archivio: Archivio
    altre: dict[str, Dsu] = field(default_factory=dict)
    base: Dsu | None = None
    rifiuto: str | None = None
    avvisi: list[str] = field(default_factory=list)

    def nucleo(self) -> Dsu:
        """The declaration that has the nucleus: the base of a current ISEE, else the declaration itself."""
        return self.base or self.dsu
