"""Prints invented families and what the law gives each of them, one line of JSON a family."""

from __future__ import annotations

import argparse
import json
import sys
from random import Random
from typing import Any

import families
import faults
import selftest
from dsu import Famiglia
from form import righe_archivio, xml
from indicators import attesi
from rules import regole

QUOTA_ERRORI = 0.12


def una_famiglia(seme: int, n: int) -> Famiglia:
    r = Random(f"{seme}/{n}")
    etichetta = f"M{seme % 1000}-{n:06d}"
    if r.random() < QUOTA_ERRORI:
        return faults.con_errore(r, etichetta)
    return families.valida(r, etichetta)


def riga(n: int, f: Famiglia) -> dict[str, Any]:
    esito: dict[str, Any] = {
        "n": n,
        "kind": f.kind,
        "date": f.giorno.isoformat(),
        "dsu": xml(f.dsu),
        "feed": righe_archivio(f.archivio, regole(f.giorno).anno_redditi),
        "altre": {protocollo: xml(altra) for protocollo, altra in f.altre.items()},
    }
    if f.base is not None:
        esito["base"] = xml(f.base)
    if f.rifiuto is not None:
        esito["expect"] = {"refused": [f.rifiuto]}
    else:
        esito["expect"] = attesi(f)
        if f.avvisi:
            esito["expect"]["warnings"] = f.avvisi
    return esito


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests/model", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, metavar="S")
    parser.add_argument("--count", type=int, default=10, metavar="N")
    parser.add_argument("--self-test", action="store_true", help="check the model against values known by hand")
    argomenti = parser.parse_args()
    if argomenti.self_test:
        return selftest.main()
    for n in range(argomenti.count):
        sys.stdout.write(json.dumps(riga(n, una_famiglia(argomenti.seed, n)), ensure_ascii=False) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
