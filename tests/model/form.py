"""Writes a declaration in the form's XML, and the lines of the archives."""

from __future__ import annotations

from collections.abc import Mapping
from xml.sax.saxutils import escape

import dsu as d
from codice import DI_CODICE
from dsu import COLONNE, Abitazione, Archivio, Dati, Dsu, Foglio, Mobiliare, Modello

NAMESPACE = "http://inps.it/ISEERiforma"
_VALORE = {'"': "&quot;"}


def _testo(valore: object) -> str:
    if valore is True:
        return "true"
    if valore is False:
        return "false"
    return escape(str(valore), _VALORE)


def tag(nome: str, attributi: Mapping[str, object], *figli: str) -> str:
    """An element; attributes without a value are left out."""
    testo = "".join(f' {k}="{_testo(v)}"' for k, v in attributi.items() if v is not None)
    dentro = "".join(figli)
    return f"<{nome}{testo}>{dentro}</{nome}>" if dentro else f"<{nome}{testo}/>"


def _indirizzo(nome: str, comune: str) -> str:
    luogo = DI_CODICE[comune]
    voci = {"Indirizzo": "VIA DELLE PROVE", "Civico": "7", "CodiceComune": comune}
    return tag(nome, {**voci, "Provincia": luogo.provincia, "Cap": luogo.cap})


def _anagrafica(nome: str, p: Foglio) -> str:
    return tag(
        nome,
        {
            "Cognome": p.cognome,
            "Nome": p.nome,
            "DataNascita": p.nascita,
            "Cittadinanza": "ITALIANA",
            "Sesso": p.sesso,
            "ProvinciaNascita": p.provincia_nascita,
            "CodiceComuneNascita": p.comune_nascita,
        },
    )


def _mobiliare(m: Mobiliare | None) -> str:
    if m is None:
        return ""
    rapporti = [
        tag(
            "Rapporto",
            {
                "TipoRapporto": r.tipo,
                "Identificativo": r.identificativo,
                "CodiceFiscaleOperatore": r.operatore,
                "Saldo3112": r.saldo,
                "ConsistenzaMedia": r.media,
                "Valore": r.valore,
                "DataInizio": r.inizio,
                "DataFine": r.fine,
            },
        )
        for r in m.rapporti
    ]
    if m.incremento is not None:
        voci = {"IncrementoImmobiliare": m.incremento.immobiliare, "IncrementoMobiliare": m.incremento.mobiliare}
        rapporti.append(tag("Incremento", voci))
    flag = {"FlagPossessoRapportoFinanziario": m.possesso, "FlagIncremento": m.flag_incremento}
    return tag("PatrimonioMobiliare", flag, *rapporti)


def _immobiliare(immobili: list[d.Immobile] | None) -> str:
    if not immobili:
        return ""
    voci = [
        tag(
            "Patrimonio",
            {
                "TipoPatrimonio": i.tipo,
                "CodiceComuneStato": i.comune,
                "QuotaPosseduta": i.quota,
                "ValoreImu": i.valore,
                "MutuoResiduo": i.mutuo,
                "FlagAbitazione": i.abitazione,
            },
        )
        for i in immobili
    ]
    return tag("PatrimonioImmobiliare", {}, *voci)


def _disabilita(x: d.Disabilita | None) -> str:
    if x is None:
        return ""
    return tag(
        "Disabilita",
        {
            "GradoDisabilita": x.grado,
            "EnteCertif": x.ente,
            "DocCertif": x.documento,
            "DataCertif": x.data,
            "FlagPrestResidenziale": x.residenziale,
            "RettaVersata": x.retta,
            "SpeseAssistenza": x.spese,
        },
    )


_FC4 = (
    "RedditoImpSost", "RedditiEsentiImposta", "RedditiIRAP", "RedditiFondiari", "RedditiTassatiEstero", "RedditiAIRE",
    "RedditiFondiariEstero", "TrattamentiAssistenziali",
)  # fmt: skip


def foglio(nome: str, p: Foglio) -> str:
    residenza = _indirizzo("Residenza", p.residenza) if p.residenza else ""
    dati = {"FlagConvivenzaAnagrafica": p.convivenza, "AttivitaSoggetto": p.attivita}
    parti = [
        tag("DatiComponente", dati, _anagrafica("Anagrafica", p), residenza),
        _mobiliare(p.mobiliare),
        _immobiliare(p.immobili),
        tag("RedditiDaDichiarare", {k: p.fc4.get(k) for k in _FC4}) if p.fc4 else "",
        tag("AssegniPeriodici", dict(p.fc5)) if p.fc5 else "",
        tag("Veicoli", {}, tag("Veicolo", {"TipoVeicolo": "A", "Targa": p.veicolo})) if p.veicolo else "",
        _disabilita(p.disabilita),
    ]
    if p.fc8 is not None:
        flag = {"FlagEsonerato": p.fc8.esonerato, "FlagIntegrazione": False, "FlagRettifica": False}
        parti.append(tag("AltriRedditi", {**flag, **p.fc8.voci}))
    return tag(nome, {"CodiceFiscale": p.cf}, *parti)


def _abitazione(nome: str, a: Abitazione | None) -> str:
    if a is None:
        return ""
    locazione = ""
    if a.locazione is not None:
        voci = {"Data": a.locazione.data, "Serie": "3T", "Numero": "1234", "CodUfficio": "TEX"}
        inquilino = tag("Intestatario", {"CodiceFiscale": a.locazione.intestatario})
        locazione = tag("Locazione", {**voci, "Canone": a.locazione.canone}, inquilino)
    attributi = {"TipoAbitazione": a.tipo, "ResidenzaRiferimento": a.riferimento}
    return tag(nome, attributi, _indirizzo("IndirizzoAbitazione", a.comune), locazione)


def _numeri(n: d.Numeri | None) -> str:
    if n is None:
        return ""
    return tag(
        "NucleoFamiliareComponenteAggiuntiva",
        {
            "NumeroComponenti": n.componenti,
            "FlagAttivitaLavorativa": n.lavoro,
            "FlagGenitoreSolo": n.solo,
            "FlagPresenzaMinorenne": n.minorenne,
            "NumeroFigli": n.figli,
            "NumeroFigliConviventi": n.conviventi,
            "FlagPresenzaRicoverato": n.ricoverati > 0,
            "NumeroRicoverati": n.ricoverati or None,
            "FlagPresenzaConvivente": n.in_comunita > 0,
            "NumeroConviventi": n.in_comunita or None,
            "FlagDisabilitaMedia": n.medi > 0,
            "NumeroDisabiliMedia": n.medi or None,
            "FlagDisabilitaGrave": n.gravi > 0,
            "NumeroDisabiliGrave": n.gravi or None,
            "FlagNonAutosufficienti": n.non_autosufficienti > 0,
            "NumeroNonAutosuff": n.non_autosufficienti or None,
        },
    )


def _dati(cf: str, dati: Dati | None, chi: str) -> str:
    """What is known of a parent or a child outside (`chi`: Genitore or Figlio)."""
    if dati is None:
        return ""
    if dati.protocollo is not None:
        return f"<NumeroProtocolloRiferimento>{dati.protocollo}</NumeroProtocolloRiferimento>"
    aggiuntiva = tag(
        f"ComponenteAggiuntiva{chi}",
        {"CodiceFiscale": cf, "FlagCompletezzaDati": dati.completi},
        _abitazione("AbitazioneComponenteAggiuntiva", dati.abitazione),
        _numeri(dati.numeri),
    )
    scheda = foglio(f"FoglioComponente{chi}", dati.foglio) if dati.foglio else ""
    return tag("DettaglioGenitoreNonConvivente" if chi == "Genitore" else "DettaglioFiglio", {}, scheda, aggiuntiva)


def _genitore(g: d.Genitore) -> str:
    return tag(
        "GenitoreNonConvivente",
        {
            "CodiceFiscale": g.cf,
            "Cognome": g.cognome,
            "Nome": g.nome,
            "FlagGenitoreEscluso": g.escluso,
            "FlagConiugatoConPersonaDiversa": g.coniugato,
            "FlagAlcunaCondizione": g.attratto,
        },
        *(tag("Beneficiario", {"CodiceFiscale": cf}) for cf in g.beneficiari),
        _dati(g.cf, g.dati, "Genitore"),
    )


def _figlio(f: d.Figlio) -> str:
    attributi = {"CodiceFiscale": f.cf, "CondizioneEsclusione": f.esclusione, "EstremiEsclusione": f.estremi}
    return tag("FiglioNonCompresoNelNucleo", attributi, _dati(f.cf, f.dati, "Figlio"))


def _donazione(x: d.Donazione) -> str:
    return tag(
        "Donazione",
        {
            "TipoImmobile": x.tipo,
            "CodiceComuneStato": x.comune,
            "QuotaPosseduta": x.posseduta,
            "QuotaDonata": x.donata,
            "ValoreImu": x.valore,
            "CodiceFiscaleRicevente": x.ricevente,
        },
    )


def _residenziale(r: d.Residenziale) -> str:
    attributi = {
        "CodiceFiscaleBeneficiario": r.cf,
        "DataRichiestaRicovero": r.richiesta,
        "FlagFigliNonCompresi": r.flag_figli,
        "FlagDonazioni": r.flag_donazioni,
        "FlagDonazioniSuccessive": r.successive,
        "FlagDonazioniPrecedentiAlimenti": r.precedenti_alimenti,
        "FlagDonazioniPrecedentiNoAlimenti": r.precedenti_no_alimenti,
    }
    return tag("Residenziale", attributi, *map(_figlio, r.figli), *map(_donazione, r.donazioni))


def _universitario(u: d.Universitario) -> str:
    return tag(
        "Universitario",
        {
            "CodiceFiscaleBeneficiario": u.cf,
            "PresenzaGenitori": u.presenza,
            "FlagResidenzaStudente": u.residenza,
            "FlagCapacitaRedditoStudente": u.capacita,
            "CodiceFiscaleGenitore": u.genitore,
            "NumeroProtocolloRifGenitore": u.protocollo,
        },
    )


def _modello(m: Modello) -> str:
    ristretti = [
        tag(
            "ComponenteNucleoRistretto",
            {"CodiceFiscale": r.cf, "FlagBeneficiario": r.beneficiario, "RelazioneConBeneficiario": r.relazione},
        )
        for r in m.ristretti
    ]
    condizioni = ""
    if m.condizioni is not None:
        c = m.condizioni
        flag = {"FlagLavoroGenitori": c.lavoro, "FlagUnicoGenitore": c.unico}
        condizioni = tag("CondizioniNucleo", {**flag, "NumeroFigli": c.figli, "NumeroFigliConviventi": c.conviventi})
    return tag(
        "ModelloBase",
        {"Tipo": m.tipo},
        tag("NucleoRistretto", {}, *ristretti) if ristretti else "",
        condizioni,
        _abitazione("Abitazione", m.abitazione),
        *map(_universitario, m.universitari),
        *map(_genitore, m.genitori),
        *map(_residenziale, m.residenziali),
    )


def _variazione(v: d.Variazione) -> str:
    attributi = {"CodiceFiscale": v.cf, "TipoVariazione": v.tipo, "DataVariazione": v.data}
    attributi |= {**v.importi, "Documentazione": v.documenti}
    return tag("Variazione", attributi, _mobiliare(v.mobiliare), _immobiliare(v.immobili))


def _sottoscrizione(s: d.Sottoscrizione | None) -> str:
    if s is None:
        return ""
    delegato = ""
    if s.delegato is not None:
        indirizzo = _indirizzo("IndirizzoDelegato", s.delegato.residenza or "H501")
        delegato = tag("Delegato", {}, _anagrafica("DatiDelegato", s.delegato), indirizzo)
    return tag(
        "Sottoscrizione",
        {
            "CodiceFiscaleSottoscrittore": s.cf,
            "ProtocolloMittente": s.protocollo,
            "LuogoSottoscrizione": "PISA",
            "DataSottoscrizione": s.giorno,
            "FlagImpedimentoTemporaneo": s.impedimento,
            "FlagRappresentanzaLegale": s.rappresentanza,
            "FlagPEC": s.pec,
            "IndirizzoPEC": s.indirizzo_pec,
            "FlagAutorizzazioneRitiro": s.ritiro,
        },
        delegato,
    )


def _componente(c: d.Componente) -> str:
    attributi = {"RapportoConDichiarante": c.ruolo, "FlagAssenzaReddito": c.assenza_reddito}
    return tag("ComponenteNucleo", attributi, foglio("FoglioComponenteNucleo", c.foglio))


def xml(dsu: Dsu) -> str:
    operazione = {"Tipo": dsu.operazione, "NumeroProtocolloRiferimento": dsu.riferimento}
    parti = [tag("Operazione", operazione)]
    if dsu.componenti:
        parti.append(tag("NucleoFamiliare", {}, *map(_componente, dsu.componenti)))
    parti += map(_modello, dsu.modelli)
    if dsu.variazioni:
        parti.append(tag("ISEECorrente", {}, *map(_variazione, dsu.variazioni)))
    parti.append(_sottoscrizione(dsu.sottoscrizione))
    return tag("Dichiarazione", {"xmlns": NAMESPACE, "CodiceFiscaleDichiarante": dsu.dichiarante}, *parti)


def righe_archivio(archivio: Archivio, anno: int) -> list[str]:
    """One line a person, without header; the last column stays empty."""
    return [
        ",".join([cf, str(anno), *(str(voci.get(colonna, "")) for colonna in COLONNE), ""])
        for cf, voci in archivio.items()
    ]
