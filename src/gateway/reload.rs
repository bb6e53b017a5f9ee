//! Reading the configuration again.

use super::Gateway;
use super::settings::{Reloaded, Settings};
use crate::config::Config;
use crate::gateway::facts::IMPOSTAZIONI;
use crate::italian;
use crate::ledger::{Blinding, Body, Kind, Retention, Secret, Submission, new_exchange};
use crate::registry::administration::Actor;
use crate::registry::facts::ACTOR;
use jiff::Timestamp;

impl Gateway {
    /// Reads the configuration again and puts it in force, or changes nothing and returns the reason. In
    /// Italian: operators read it. Faults are refused, unless the operator wants it `anyhow`.
    pub async fn reload(&self, actor: Option<&Actor>, anyhow: bool) -> Result<Reloaded, String> {
        // One after another: the last recorded settings are those in force.
        let _one = self.reloading.lock().await;
        let text = |error: &dyn std::fmt::Display| error.to_string();
        let file = self.config.file.as_ref().ok_or("nessun file di configurazione")?;
        let bytes =
            std::fs::read(file).map_err(|error| format!("{}: {}", file.display(), italian::io(&error)))?;
        let config = Config::read(file).map_err(|error| text(&error))?;
        if let Some(what) = self.config.differs_beyond_reload(&config) {
            return Err(format!(
                "{what}: questa modifica richiede un riavvio; niente è stato applicato"
            ));
        }
        let settings = Settings::build(&config, &self.clock).map_err(|error| text(&error))?;
        let now = self.clock.now();
        let faults = settings.faults(now);
        if !(faults.is_empty() || anyhow) {
            return Err(format!(
                "{}; con --comunque si ricarica lo stesso",
                faults.join("; ")
            ));
        }
        let reloaded = Reloaded::of(&bytes, &settings.channel);
        self.record_reload(&reloaded, actor, now).await?;
        settings.warn(now);
        self.settings.store(std::sync::Arc::new(settings));
        tracing::info!(
            uid = actor.map(|actor| actor.uid),
            configuration = reloaded.configurazione,
            "reloaded"
        );
        Ok(reloaded)
    }

    /// Records a reload before it is in force: nothing changes unrecorded.
    async fn record_reload(
        &self,
        reloaded: &Reloaded,
        actor: Option<&Actor>,
        now: Timestamp,
    ) -> Result<(), String> {
        let ledger = &self.node.ledger;
        let exchange = new_exchange(now).map_err(|error| error.to_string())?;
        let mut body =
            Body::new(Kind::Admin, Retention::Registro, exchange, now).fact(IMPOSTAZIONI, reloaded);
        body.operation = Some("reload".to_owned());
        body.outcome = Some("OK".to_owned());
        let mut secret = Secret::default();
        let body = match actor {
            Some(actor) => actor
                .sign(body, &mut secret, ledger, now)
                .map_err(|error| error.to_string())?,
            None => body.fact(ACTOR, actor),
        };
        let draft = if secret.operator.is_some() {
            let blinding = Blinding::new().map_err(|error| error.to_string())?;
            ledger
                .prepare(body, &secret, blinding, 0, now)
                .map_err(|error| error.to_string())?
        } else {
            ledger.prepare_open(body).map_err(|error| error.to_string())?
        };
        let submission = Submission {
            drafts: vec![draft],
            preconditions: Vec::new(),
        };
        ledger
            .committer
            .submit(submission)
            .await
            .map(|_| ())
            .map_err(|error| error.to_string())
    }
}
