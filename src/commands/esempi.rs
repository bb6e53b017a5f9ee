//! An example for each command, at the end of its page.

/// Command lines as an operator writes them. Each is shown on the page of its command.
const ESEMPI: [&str; 66] = [
    "varco demo",
    "varco demo --esci",
    "varco init --guidata",
    "varco init /var/lib/varco/data",
    "varco init /var/lib/varco/data --config /etc/varco/varco.toml",
    "varco init --config /etc/varco/varco.toml",
    "varco check-config --config /etc/varco/varco.toml",
    "varco serve --config /etc/varco/varco.toml",
    "varco prova",
    "varco prova --config /etc/varco/varco.toml --certificato prova.pem --chiave prova.key",
    "varco ente richiedi c_x000 --denominazione \"Comune di Esempio\" --codice-fiscale 01234567897 --tipo comune --pec \"PEC del 3 marzo\" --base-giuridica \"DPCM 159/2013\" --finalita \"rette degli asili nido\" --motivo \"pratica 12\"",
    "varco ente aggiorna c_x000 --contatto protocollo@pec.esempio.it --motivo \"nuova PEC\"",
    "varco ente accredita c_x000 --scadenza 2027-12-31 --come-richiesto --motivo \"pratica 12\"",
    "varco ente accredita --tabella decisioni.csv --motivo \"pratiche di marzo\"",
    "varco ente rifiuta c_x000 --motivo \"manca la base giuridica\"",
    "varco ente sospendi c_x000 --motivo \"certificato compromesso\"",
    "varco ente riattiva c_x000 --motivo \"certificato sostituito\"",
    "varco ente revoca c_x000 --motivo \"convenzione finita\"",
    "varco ente certificato c_x000 comune.pem --motivo \"pratica 12\"",
    "varco ente certificato prova comune.pem --config /etc/varco/varco.toml",
    "varco ente abilita c_x000 --operazioni ConsultazioneIndicatore,ConsultazioneAttestazione --prestazioni A1.07 --motivo \"pratica 12\"",
    "varco ente abilita c_x000 --togli 2 --motivo \"fine del controllo\"",
    "varco ente ufficio c_x000 001 --denominazione \"Servizi sociali\" --motivo \"pratica 12\"",
    "varco ente risposte c_x000 --isee-famiglia no --motivo \"client con lo schema del 2021\"",
    "varco ente quota c_x000 --al-minuto 600 --persone-al-giorno 2000 --motivo \"convenzione\"",
    "varco ente lista --stato sospeso",
    "varco ente mostra c_x000",
    "varco ente storia c_x000",
    "varco ente importa enti.csv --formato ipa --conferma --motivo \"primo caricamento\"",
    "varco ente esporta",
    "varco catalogo",
    "varco dsu check dsu.xml",
    "varco dsu compute dsu.xml --feed redditi.csv",
    "varco dsu versions INPS-ISEE-2026-00000042Q-00",
    "varco feed load redditi.csv --motivo \"fornitura di marzo\"",
    "varco rules list",
    "varco rules show 2026",
    "varco rules apply --motivo \"nuove regole\"",
    "varco ledger list --dal 2026-03-01 --al 2026-03-31 --ente c_x000",
    "varco ledger show 42 --apri",
    "varco ledger verify",
    "varco ledger checkpoint -o ieri.checkpoint",
    "varco ledger prove 42 -o voce-42.tlog-proof",
    "varco ledger consistency ieri.checkpoint -o da-ieri.prova",
    "varco ledger chiave",
    "varco ledger epoca --chiave-compromessa --motivo \"furto del server\"",
    "varco backup /mnt/copia/registro --chiavi /mnt/chiavi/registro",
    "varco rebuild --data /var/lib/varco/data",
    "varco upgrade --data /var/lib/varco/data",
    "varco status",
    "varco reload",
    "varco crl fetch --config /etc/varco/varco.toml",
    "varco pki demo certificati",
    "varco pki ca autorita --nome \"Autorità di prova\"",
    "varco pki server autorita localhost 127.0.0.1",
    "varco pki client autorita \"Comune di Esempio\" --codice-fiscale 01234567897",
    "varco pki rinnova autorita comune.pem",
    "varco pki revoca autorita comune.pem --motivo keyCompromise",
    "varco pki crl autorita --giorni 30",
    "varco spiega K05.controllo",
    "varco spiega urn:varco:problem:quota",
    "varco errori",
    "varco configurazione",
    "varco dsu codici",
    "varco manuale /usr/local/share/man/man1",
    "varco completamento bash",
];

/// The exit statuses, on the page of a command that says nothing more of them (`uso::ESITI`).
const ESCE: &str = "\nEsce con 0 se è riuscito, con 1 se la risposta è no o non è riuscito, con 2 se non si può eseguire così.\n";

/// Whether a word may be the name of a command.
fn is_name(word: &&str) -> bool {
    word.starts_with(|c: char| c.is_ascii_lowercase())
}

/// The examples of a command, or of the commands below it.
pub(super) fn of(command: &str) -> Vec<&'static str> {
    let of_it = |line: &&&str| {
        let command = command.split(' ');
        line.split(' ')
            .take_while(is_name)
            .take(command.clone().count())
            .eq(command)
    };
    ESEMPI.iter().filter(of_it).copied().collect()
}

/// A page of a command with its examples.
pub(super) fn shown(page: String) -> String {
    let usage = page.lines().find_map(|line| line.strip_prefix("Uso: "));
    let Some(usage) = usage else { return page };
    let command: Vec<&str> = usage.split(' ').take_while(is_name).collect();
    let examples = of(&command.join(" "));
    // A page with commands of its own shows them.
    if examples.is_empty() || page.contains("<COMANDO>") {
        return page;
    }
    let examples = examples.join("\n  ");
    let exits = if page.contains("Esce con 0") { "" } else { ESCE };
    format!("{}\n\nEsempi:\n  {examples}\n{exits}", page.trim_end())
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, Parser as _};
    use kit::words;

    use super::super::Cli;
    use super::*;

    #[test]
    fn every_example_is_understood() {
        for line in ESEMPI {
            if let Err(error) = Cli::try_parse_from(words(line)) {
                panic!("{line}: {error}");
            }
        }
    }

    #[test]
    fn every_command_has_an_example() {
        let mut commands = vec![("varco".to_owned(), Cli::command())];
        let mut seen = 0;
        while let Some((path, command)) = commands.pop() {
            let inner: Vec<_> = command.get_subcommands().cloned().collect();
            if inner.is_empty() {
                seen += 1;
                let page = shown(format!("Uso: {path} [OPZIONI]\n"));
                assert!(page.contains(&format!("\nEsempi:\n  {path}")), "{path}: {page}");
            }
            commands.extend(
                inner
                    .into_iter()
                    .map(|each| (format!("{path} {}", each.get_name()), each)),
            );
        }
        assert!(seen > 40, "only {seen} commands");
    }
}
