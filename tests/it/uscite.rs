//! The exit statuses of the commands, and the names that their options had before.

use std::path::Path;
use std::process::Command;

use kit::Site;

/// The exit status of a command in a directory.
fn status(place: &Path, arguments: &[&str]) -> (i32, String) {
    let output = Command::new(kit::binary())
        .current_dir(place)
        .args(arguments)
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8(said).unwrap())
}

/// The exit status of a line, with the data directory of a site at `DATA`.
fn of_line(site: &Site, place: &Path, line: &str) -> (i32, String) {
    let line = line.replace("DATA", &site.data().display().to_string());
    let line = line.replace("CONFIG", &site.config().display().to_string());
    status(place, &line.split(' ').collect::<Vec<_>>())
}

#[test]
fn a_command_that_cannot_be_carried_out_as_it_is_ends_with_2() {
    let site = Site::new();
    let home = site.home.path();
    std::fs::create_dir(home.join("vuota")).unwrap();
    let place = home.join("vuota");
    for line in [
        // Badly written.
        "boh",
        "ente mostra",
        "ledger list --tipo altro --data DATA",
        "ente risposte comune --isee-famiglia forse --data DATA",
        "spiega Z99",
        // A file or directory that is not there.
        "serve --config manca.toml",
        "check-config --config manca.toml",
        "init --config manca.toml",
        "reload --config manca.toml",
        "status --data manca",
        "ente lista --data manca",
        "ente certificato comune manca.pem --data DATA --motivo prova",
        "ente accredita --tabella manca.csv --data DATA --motivo prova",
        "ente importa manca.csv --data DATA",
        "dsu check manca.xml",
        "dsu compute manca.xml",
        "dsu versions INPS-ISEE-2026-00000042Q-00 --data manca",
        "feed load manca.csv --data DATA --motivo prova",
        "rules list --config manca.toml",
        "rules show 2026 --config manca.toml",
        "rules apply --config manca.toml --motivo prova",
        "ledger list --data manca",
        "ledger show 1 --data manca",
        "ledger verify --data manca",
        "backup copia --data manca",
        "rebuild --data manca",
        "rebuild",
        "upgrade --data manca",
        "upgrade",
        "crl fetch --config manca.toml",
        "pki server manca localhost",
        "pki client manca nome",
        "pki crl manca",
        // No directory is named.
        "ente lista",
        "status",
    ] {
        let (code, said) = of_line(&site, &place, line);
        assert_eq!(code, 2, "varco {line}: {said}");
    }
}

#[test]
fn a_no_ends_with_1_and_a_yes_with_0() {
    let site = Site::new();
    site.configure("");
    let config = site.config().display().to_string();
    for (line, expected) in [
        ("ente lista --data DATA", 0),
        ("ente mostra nessuno --data DATA", 1),
        ("ente sospendi nessuno --data DATA --motivo prova", 1),
        ("ledger show 999999 --data DATA", 1),
        ("ledger verify --data DATA", 0),
        ("status --data DATA", 1),
        ("reload --data DATA", 1),
        ("init DATA", 1),
        ("check-config --config CONFIG", 0),
        ("dsu versions INPS-ISEE-2026-00000042Q-00 --data DATA", 1),
        ("catalogo", 0),
    ] {
        let (code, said) = of_line(&site, site.home.path(), line);
        assert_eq!(code, expected, "varco {line}: {said}");
    }
    // A configuration that says something wrong: a no of check-config, and nothing that serve could do.
    site.configure("sconosciuto = 1");
    let place = site.home.path();
    assert_eq!(status(place, &["check-config", "--config", &config]).0, 1);
    assert_eq!(status(place, &["serve", "--config", &config]).0, 2);
}

#[test]
fn both_places_of_a_copy_are_looked_at_before_it_is_made() {
    let site = Site::new();
    let data = site.data().display().to_string();
    let place = site.home.path();
    std::fs::create_dir(place.join("chiavi")).unwrap();
    let (code, said) = status(place, &["backup", "copia", "--chiavi", "chiavi", "--data", &data]);
    assert!(code == 1 && said.contains("chiavi c'è già"), "{said}");
    assert!(!place.join("copia").exists());
    // A directory around the new one is made, of both.
    let (code, said) = status(
        place,
        &["backup", "a/copia", "--chiavi", "b/chiavi", "--data", &data],
    );
    assert_eq!(code, 0, "{said}");
}

#[test]
fn a_certificate_that_names_another_body_is_told() {
    let site = Site::new();
    site.configure("");
    let place = site.home.path();
    status(place, &["pki", "ca", "altra", "--nome", "Altra"]);
    status(
        place,
        &[
            "pki",
            "client",
            "altra",
            "Altro",
            "--codice-fiscale",
            "99999999990",
            "--dove",
            "altro",
        ],
    );
    // The configuration is the one that stands here.
    let (code, said) = status(
        place,
        &["ente", "certificato", "comune", "altro.pem", "--motivo", "prova"],
    );
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("nomina un'altra organizzazione"), "{said}");
    assert!(
        said.contains("la catena non porta ad alcuna autorità ammessa"),
        "{said}"
    );
    let (_, said) = status(place, &["ente", "certificato", "prova", "altro.pem"]);
    assert!(said.contains("non ammesso"), "{said}");
}

#[test]
fn a_configuration_is_found_where_one_stands() {
    let site = Site::new();
    site.configure("");
    let place = site.home.path();
    assert_eq!(site.config(), place.join("varco.toml"));
    let (code, said) = status(place, &["ente", "lista"]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("comune"), "{said}");
    // A command that changes a directory looks for none.
    assert_eq!(status(place, &["rebuild"]).0, 2);
}

#[test]
fn names_of_before_are_understood_and_not_shown() {
    let site = Site::new();
    let place = site.home.path();
    for line in [
        "ledger list --from 2020-01-01 --to 2099-01-01 --kind registry --outcome OK --limit 2 --data DATA",
        "ledger list --operation RegistraRichiesta --data DATA",
        "ledger show 1 --open --data DATA",
        "ente risposte comune --isee-famiglia false --motivo prova --data DATA",
        "ente ufficio comune --obbligatori false --motivo prova --data DATA",
        "backup copia --keys chiavi --data DATA",
        "pki demo prova",
        "pki client prova Nome --out altro",
    ] {
        let (code, said) = of_line(&site, place, line);
        // No operation has this name, and the line ends with 2. The option itself is understood.
        assert!(!said.contains("l'argomento"), "varco {line}: {said}");
        assert!(
            code == 0 || line.contains("--operation") || line.contains("--out "),
            "varco {line}: {said}"
        );
    }
    for page in [
        "ledger list",
        "ledger show",
        "backup",
        "demo",
        "dsu check",
        "dsu compute",
        "pki client",
    ] {
        let arguments: Vec<&str> = page.split(' ').chain(["--help"]).collect();
        let (_, said) = status(place, &arguments);
        for before in [
            "--from",
            "--to ",
            "--kind",
            "--outcome",
            "--limit",
            "--operation",
            "--open",
            "--keys",
            "--exit",
            "--port ",
            "--date",
            "--out ",
        ] {
            assert!(!said.contains(before), "{page}: {before}: {said}");
        }
    }
}

#[test]
fn root_does_not_write_in_a_directory_of_another_user() {
    use std::os::unix::fs::{MetadataExt as _, chown};
    let site = Site::new();
    let data = site.data();
    if std::fs::metadata(&data).unwrap().uid() != 0 {
        println!("SKIPPED: root alone may write where another user owns the directory");
        return;
    }
    let data_text = data.display().to_string();
    chown(&data, Some(65_534), Some(65_534)).unwrap();
    let arguments = [
        "ente", "sospendi", "comune", "--motivo", "prova", "--data", &data_text,
    ];
    let (code, said) = status(site.home.path(), &arguments);
    assert!(
        code == 1 && said.contains("è di un altro utente"),
        "{code}: {said}"
    );
    chown(&data, Some(0), Some(0)).unwrap();
    assert_eq!(status(site.home.path(), &arguments).0, 0);
}
