//! The actor of a command: the user by the operating system, and the claims of the operator.

use std::sync::OnceLock;

use crate::registry::administration::{Actor, Claims};

static OPERATORE: OnceLock<String> = OnceLock::new();

/// Keeps the value of `--operatore` for [`claims`]; blank ones are dropped.
pub(super) fn set(operatore: Option<String>) {
    if let Some(operatore) = operatore.filter(|name| !name.trim().is_empty()) {
        // A process runs one command.
        let _ = OPERATORE.set(operatore);
    }
}

/// The claims: `--operatore`, else the caller of sudo; and the login user (audit(7), loginuid).
pub(super) fn claims() -> Claims {
    let login = std::fs::read_to_string("/proc/self/loginuid")
        .ok()
        .and_then(|text| text.trim().parse().ok());
    let operatore = OPERATORE
        .get()
        .cloned()
        .or_else(|| std::env::var("SUDO_USER").ok().filter(|name| !name.is_empty()));
    Claims {
        login: login.filter(|uid| *uid != u32::MAX),
        operatore,
    }
    .checked()
}

/// The actor of a command working without the socket.
pub(super) fn myself() -> Actor {
    Actor::claiming(
        rustix::process::getuid().as_raw(),
        Some(rustix::process::getpid().as_raw_nonzero().get()),
        claims(),
    )
}
