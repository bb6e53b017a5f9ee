//! The log of a serving process: JSON, a line an event, on standard error.
//!
//! Nobody waits for it, and nobody's answer depends on it. A thread of its own writes. A line without room,
//! or without a successful write, is lost and counted ([`LOST`], metric `varco_log_lines_lost`). A panic is
//! one line: its place, and its text only where it is the program's own.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, LazyLock, Mutex, MutexGuard, PoisonError};
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

/// How long lines gather after others were written: one write then serves many.
const GATHERING: Duration = Duration::from_millis(2);

/// Lines lost since the process began.
pub static LOST: LazyLock<Counter> = LazyLock::new(Counter::default);

/// Keeps the log going. Dropped, it waits a second at most for the remaining lines.
#[derive(Debug)]
pub struct LogGuard {
    queue: Arc<Queue>,
}

/// Begins to log. `VARCO_LOG` sets the level; without it, `info`.
pub fn start() -> LogGuard {
    let filter = EnvFilter::try_from_env("VARCO_LOG").unwrap_or_else(|_| "info".into());
    let lines = Lines::to(io::stderr());
    let log = LogGuard {
        queue: lines.0.0.clone(),
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
        while self.queue.waiting.load(Ordering::Acquire) > 0 && waited < PATIENCE {
            std::thread::sleep(STEP);
            waited += STEP;
        }
    }
}

/// The queue of lines; a thread writes them, and ends with the last clone.
#[derive(Clone, Debug)]
struct Lines(Arc<Sender>);

#[derive(Debug)]
struct Sender(Arc<Queue>);

#[derive(Debug, Default)]
struct Queue {
    /// Lines in the buffer, and those being written.
    waiting: AtomicUsize,
    buffer: Mutex<Buffer>,
    /// Told of a line while the writer sleeps, and of the end.
    told: Condvar,
}

#[derive(Debug, Default)]
struct Buffer {
    bytes: Vec<u8>,
    /// Whether the writer waits to be told.
    asleep: bool,
    ended: bool,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Buffer> {
        self.buffer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes all lines of the buffer, when there are some. False: the end.
    fn take(&self, lines: &mut Vec<u8>) -> bool {
        lines.clear();
        let mut buffer = self.lock();
        while buffer.bytes.is_empty() {
            if buffer.ended {
                return false;
            }
            buffer.asleep = true;
            buffer = self.told.wait(buffer).unwrap_or_else(PoisonError::into_inner);
            buffer.asleep = false;
        }
        std::mem::swap(&mut buffer.bytes, lines);
        true
    }
}

impl Lines {
    /// Starts the thread writing to `out`. Without a thread every line is lost.
    fn to(out: impl Write + Send + 'static) -> Self {
        let queue = Arc::<Queue>::default();
        let own = queue.clone();
        let thread = std::thread::Builder::new().name("log".to_owned());
        if thread.spawn(move || write(&own, out)).is_err() {
            queue.lock().ended = true;
        }
        Self(Arc::new(Sender(queue)))
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        self.0.lock().ended = true;
        self.0.told.notify_one();
    }
}

/// Writes lines until the end. Those of the next moment come together: nobody who leaves one then has to wake
/// this thread.
fn write(queue: &Queue, mut out: impl Write) {
    let (mut lines, mut torn) = (Vec::new(), false);
    while queue.take(&mut lines) {
        if torn {
            torn = out.write_all(b"\n").is_err();
        }
        let written = written(&mut out, &lines);
        let (done, rest) = lines.split_at(written.min(lines.len()));
        torn |= done.last().is_some_and(|byte| *byte != b'\n');
        LOST.inc_by(count(rest) as u64);
        queue.waiting.fetch_sub(count(&lines), Ordering::AcqRel);
        std::thread::sleep(GATHERING);
    }
}

/// The number of bytes written, up to the first error.
fn written(out: &mut impl Write, lines: &[u8]) -> usize {
    let mut written = 0;
    while let Some(rest) = lines.get(written..).filter(|rest| !rest.is_empty()) {
        match out.write(rest) {
            Ok(0) => break,
            Ok(more) => written += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => break,
        }
    }
    written
}

/// The number of lines: each has one line end, its last byte.
fn count(lines: &[u8]) -> usize {
    lines.iter().filter(|byte| **byte == b'\n').count()
}

impl Write for Lines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let queue = &self.0.0;
        if queue.waiting.fetch_add(1, Ordering::AcqRel) >= ROOM {
            queue.waiting.fetch_sub(1, Ordering::AcqRel);
            LOST.inc();
            return Ok(line.len());
        }
        let mut buffer = queue.lock();
        if buffer.ended {
            queue.waiting.fetch_sub(1, Ordering::AcqRel);
            LOST.inc();
            return Ok(line.len());
        }
        buffer.bytes.extend_from_slice(line);
        let asleep = buffer.asleep;
        drop(buffer);
        if asleep {
            queue.told.notify_one();
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

    /// Keeps written bytes, or fails every write.
    #[derive(Clone, Default)]
    struct Out {
        written: Arc<Mutex<Vec<u8>>>,
        full: bool,
        /// How many bytes each write takes, the last first; then all.
        takes: Arc<Mutex<Vec<usize>>>,
    }

    impl Write for Out {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if self.full {
                return Err(io::ErrorKind::StorageFull.into());
            }
            let takes = self.takes.lock().unwrap().pop().unwrap_or(bytes.len());
            if takes == 0 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            self.written.lock().unwrap().write(&bytes[..takes])
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
        (0..ROOM + 10).for_each(|_| lines.write_all(b"line\n").unwrap());
        assert_eq!(LOST.get() - before, 10);
        drop(stalled);
        drop(LogGuard {
            queue: lines.0.0.clone(),
        });
        assert_eq!(
            out.written.lock().unwrap().len(),
            5 * ROOM,
            "what had room is written once there is a reader"
        );

        let mut lines = Lines::to(Out {
            full: true,
            ..Out::default()
        });
        let before = LOST.get();
        (0..7).for_each(|_| lines.write_all(b"line\n").unwrap());
        drop(LogGuard {
            queue: lines.0.0.clone(),
        });
        assert_eq!(LOST.get() - before, 7);

        // A disk that fills in the middle of a line: that line is lost, the next begins a line of its own.
        let out = Out::default();
        *out.takes.lock().unwrap() = vec![0, 2, 2];
        let mut lines = Lines::to(out.clone());
        let before = LOST.get();
        for line in ["first\n", "second\n"] {
            lines.write_all(line.as_bytes()).unwrap();
            drop(LogGuard {
                queue: lines.0.0.clone(),
            });
        }
        assert_eq!(LOST.get() - before, 1);
        assert_eq!(*out.written.lock().unwrap(), b"firs\nsecond\n");
    }
}
