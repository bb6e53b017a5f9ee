//! The progress of long work, on standard error: a changing line on a terminal, elsewhere a line every ten
//! seconds.

use std::io::Write;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::terminale::Uscita;
use crate::progress::so_far;

/// A long work, and the name of its steps.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lavoro {
    /// A noun: "rilettura del registro".
    pub(super) nome: &'static str,
    /// The steps, in the plural: "voci".
    pub(super) passi: &'static str,
    /// How many steps there are, if that is known.
    pub(super) totale: Option<u64>,
}

/// Work under way: its progress is shown until this is dropped.
#[derive(Debug)]
pub(super) struct Avanzamento {
    end: Option<Sender<()>>,
    teller: Option<JoinHandle<()>>,
}

/// A terminal sees short work begin and end without a line.
const TERMINAL: Duration = Duration::from_millis(500);
const ELSEWHERE: Duration = Duration::from_secs(10);

impl Avanzamento {
    /// Shows the progress of a work that begins now.
    pub(super) fn of(lavoro: Lavoro) -> Self {
        let is_terminal = Uscita::Errori.is_terminal();
        let every = if is_terminal { TERMINAL } else { ELSEWHERE };
        Self::to(std::io::stderr(), is_terminal, every, lavoro)
    }

    fn to(mut out: impl Write + Send + 'static, is_terminal: bool, every: Duration, lavoro: Lavoro) -> Self {
        let (end, ended) = channel::<()>();
        let (began, before) = (Instant::now(), so_far());
        let teller = std::thread::spawn(move || {
            let mut shown = false;
            while ended.recv_timeout(every) == Err(RecvTimeoutError::Timeout) {
                let line = line(&lavoro, so_far() - before, began.elapsed());
                // Whoever reads standard error may be gone; the work goes on.
                let _ = if is_terminal {
                    write!(out, "\r{line}\x1b[K")
                } else {
                    writeln!(out, "{line}")
                };
                let _ = out.flush();
                shown = true;
            }
            if shown && is_terminal {
                let _ = write!(out, "\r\x1b[K");
                let _ = out.flush();
            }
        });
        Self {
            end: Some(end),
            teller: Some(teller),
        }
    }
}

impl Drop for Avanzamento {
    fn drop(&mut self) {
        self.end.take();
        if let Some(teller) = self.teller.take() {
            let _ = teller.join();
        }
    }
}

fn line(lavoro: &Lavoro, done: u64, elapsed: Duration) -> String {
    let Lavoro { nome, passi, totale } = lavoro;
    let seconds = elapsed.as_secs();
    let time = if seconds < 120 {
        format!("{seconds} s")
    } else {
        format!("{} min {:02} s", seconds / 60, seconds % 60)
    };
    match totale {
        Some(total) if *total >= done && *total > 0 => {
            let percent = u128::from(done) * 100 / u128::from(*total);
            format!("{nome}: {percent} %, {done} {passi} su {total}, in {time}")
        }
        _ if done > 0 => format!("{nome}: {done} {passi}, in {time}"),
        _ => format!("{nome}: in corso da {time}"),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Shown(Arc<Mutex<Vec<u8>>>);

    impl Write for Shown {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    const VERIFICA: Lavoro = Lavoro {
        nome: "rilettura del registro",
        passi: "voci",
        totale: Some(4000),
    };

    /// The lines of a work longer than the time to its first one.
    fn shown(is_terminal: bool) -> String {
        let shown = Shown::default();
        let work = Avanzamento::to(shown.clone(), is_terminal, Duration::from_millis(5), VERIFICA);
        crate::progress::made(10);
        while shown.0.lock().unwrap().is_empty() {
            std::thread::sleep(Duration::from_millis(1));
        }
        drop(work);
        let bytes = shown.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_terminal_sees_one_line_that_goes_and_a_file_whole_lines() {
        let terminal = shown(true);
        assert!(terminal.starts_with("\rrilettura del registro: "), "{terminal:?}");
        assert!(
            terminal.ends_with("\r\x1b[K") && !terminal.contains('\n'),
            "{terminal:?}"
        );
        let file = shown(false);
        assert!(file.ends_with(" s\n") && !file.contains('\x1b'), "{file:?}");
    }

    #[test]
    fn a_line_says_what_is_known() {
        let said = |done, seconds| line(&VERIFICA, done, Duration::from_secs(seconds));
        assert_eq!(
            said(1000, 7),
            "rilettura del registro: 25 %, 1000 voci su 4000, in 7 s"
        );
        // A gateway wrote meanwhile.
        assert_eq!(
            said(4001, 125),
            "rilettura del registro: 4001 voci, in 2 min 05 s"
        );
        assert_eq!(
            said(0, 30),
            "rilettura del registro: 0 %, 0 voci su 4000, in 30 s"
        );
        let unknown = Lavoro {
            totale: None,
            ..VERIFICA
        };
        assert_eq!(
            line(&unknown, 0, Duration::from_secs(10)),
            "rilettura del registro: in corso da 10 s"
        );
    }
}
