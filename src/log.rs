//! The log of a serving process: JSON, a line an event, on standard error.
//!
//! Nobody waits for it, and nobody's answer depends on it. A thread of its own writes. A line without room,
//! or without a successful write, is lost and counted ([`LOST`], metric `varco_log_lines_lost`). A panic is
//! one line: its place, and its text only where it is the program's own.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime as _, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, MakeWriter};
use tracing_subscriber::registry::LookupSpan;

use crate::json::{self, Escaped, Members};

/// The largest number of waiting lines: some two megabytes.
const ROOM: usize = 4096;

/// The longest wait for remaining lines at the end of the process.
const PATIENCE: Duration = Duration::from_secs(1);

/// Lines lost since the process began.
pub static LOST: LazyLock<Counter> = LazyLock::new(Counter::default);

/// Keeps the log going. Dropped, it waits a second at most for the remaining lines.
#[derive(Debug)]
pub struct LogGuard {
    waiting: Arc<AtomicUsize>,
}

/// Begins to log. `VARCO_LOG` sets the level; without it, `info`.
pub fn start() -> LogGuard {
    let filter = EnvFilter::try_from_env("VARCO_LOG").unwrap_or_else(|_| "info".into());
    let lines = Lines::to(io::stderr());
    let log = LogGuard {
        waiting: lines.waiting.clone(),
    };
    // If a line cannot be formatted, the library would print this, and panic if it cannot print.
    let _ = tracing_subscriber::fmt()
        .log_internal_errors(false)
        .event_format(JsonLine)
        .with_writer(lines)
        .with_env_filter(filter)
        .try_init();
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        // A text formatted for the panic may hold somebody's value.
        let text = panic.payload().downcast_ref::<&str>().copied().unwrap_or("-");
        tracing::error!(place, text, "panic");
    }));
    log
}

/// An event on one line: `timestamp`, `level`, `fields` with the message among them, `target`.
struct JsonLine;

impl<S, N> FormatEvent<S, N> for JsonLine
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut out: Writer<'_>,
        event: &Event<'_>,
    ) -> std::fmt::Result {
        let mut line = String::with_capacity(512);
        line.push_str("{\"timestamp\":\"");
        SystemTime.format_time(&mut Writer::new(&mut line))?;
        line.push_str("\",");
        let mut members = Members::after(&mut line, false);
        members.text("level", event.metadata().level().as_str());
        let mut fields = Fields(Members::begin(members.name("fields")));
        event.record(&mut fields);
        fields.0.end();
        members.text("target", event.metadata().target());
        members.end();
        line.push('\n');
        out.write_str(&line)
    }
}

/// The fields of an event, being written.
struct Fields<'a>(Members<'a>);

impl Visit for Fields<'_> {
    fn record_f64(&mut self, field: &Field, value: f64) {
        json::value(self.0.name(field.name()), &value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        json::value(self.0.name(field.name()), &value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.0.number(field.name(), value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        json::value(self.0.name(field.name()), &value.into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.text(field.name(), value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        let out = self.0.name(field.name());
        out.push('"');
        // Writing to a text does not fail; what cannot be shown is cut off.
        let _ = write!(Escaped(out), "{value:?}");
        out.push('"');
    }
}

impl Drop for LogGuard {
    fn drop(&mut self) {
        const STEP: Duration = Duration::from_millis(5);
        let mut waited = Duration::ZERO;
        while self.waiting.load(Ordering::Acquire) > 0 && waited < PATIENCE {
            std::thread::sleep(STEP);
            waited += STEP;
        }
    }
}

/// The queue of lines; a thread writes them.
#[derive(Clone, Debug)]
struct Lines {
    sender: SyncSender<Vec<u8>>,
    waiting: Arc<AtomicUsize>,
}

impl Lines {
    /// Starts the thread writing to `out`; it ends with the last clone. Without a thread every line is lost.
    fn to(out: impl Write + Send + 'static) -> Self {
        let (sender, receiver) = sync_channel(ROOM);
        let waiting = Arc::new(AtomicUsize::new(0));
        let left = waiting.clone();
        let _ = std::thread::Builder::new()
            .name("log".to_owned())
            .spawn(move || write(&receiver, out, &left));
        Self { sender, waiting }
    }
}

fn write(lines: &Receiver<Vec<u8>>, mut out: impl Write, waiting: &AtomicUsize) {
    for line in lines {
        if out.write_all(&line).and_then(|()| out.flush()).is_err() {
            LOST.inc();
        }
        waiting.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Write for Lines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.waiting.fetch_add(1, Ordering::AcqRel);
        if self.sender.try_send(line.to_vec()).is_err() {
            self.waiting.fetch_sub(1, Ordering::AcqRel);
            LOST.inc();
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Lines {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    /// Keeps written bytes, or fails every write.
    #[derive(Clone, Default)]
    struct Out {
        written: Arc<Mutex<Vec<u8>>>,
        full: bool,
    }

    impl Write for Out {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if self.full {
                return Err(io::ErrorKind::StorageFull.into());
            }
            self.written.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_reader_that_stalls_or_a_disk_that_is_full_costs_lines_and_no_time() {
        // Counted for the whole process: one test looks at both.
        let out = Out::default();
        let stalled = out.written.lock().unwrap();
        let mut lines = Lines::to(out.clone());
        let before = LOST.get();
        // One is being written, and one too many may find no room.
        (0..ROOM + 10).for_each(|_| lines.write_all(b"line\n").unwrap());
        assert!(
            (9..=10).contains(&(LOST.get() - before)),
            "{}",
            LOST.get() - before
        );
        drop(stalled);
        drop(LogGuard {
            waiting: lines.waiting.clone(),
        });
        let kept = ROOM + 10 - usize::try_from(LOST.get() - before).unwrap();
        assert_eq!(
            out.written.lock().unwrap().len(),
            5 * kept,
            "what had room is written once there is a reader"
        );

        let mut lines = Lines::to(Out {
            full: true,
            ..Out::default()
        });
        let before = LOST.get();
        (0..7).for_each(|_| lines.write_all(b"line\n").unwrap());
        drop(LogGuard {
            waiting: lines.waiting.clone(),
        });
        assert_eq!(LOST.get() - before, 7);
    }
}
