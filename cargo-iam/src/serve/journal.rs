//! Writes calls to the terminal and to a file while they are answered.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread::{self, JoinHandle};

use iam_endpoint::Event;
use terminal_size::{Width, terminal_size_of};

use super::{Args, entry, note};
use crate::failure::Failure;
use crate::format::Format;

/// How many calls may wait to be written; then the next waits for a slow terminal or disk, and none is lost.
const WAITING: usize = 4096;

/// Where calls go, before any is written.
pub(super) struct Journal {
    sinks: Vec<Sink>,
    to_writer: SyncSender<Message>,
    from_calls: Receiver<Message>,
    begun: Arc<AtomicBool>,
}

/// The thread that writes.
pub(super) struct Live {
    to_writer: SyncSender<Message>,
    writer: JoinHandle<()>,
}

enum Message {
    Call(Arc<Event>),
    End,
}

struct Sink {
    /// What a message calls it.
    name: String,
    format: Format,
    to: BufWriter<Box<dyn Write + Send>>,
}

impl Journal {
    pub(super) fn open(args: &Args) -> Result<Journal, Failure> {
        let mut sinks = Vec::new();
        if let Some(path) = &args.log {
            let name = path.display().to_string();
            let file = OpenOptions::new().create(true).append(true).open(path);
            let file: File =
                file.map_err(|error| Failure::Server(format!("cannot write `{name}`"), error))?;
            sinks.push(Sink { name, format: Format::Json, to: BufWriter::new(Box::new(file)) });
        }
        if !args.quiet {
            let to: Box<dyn Write + Send> = Box::new(anstream::stderr());
            sinks.push(Sink {
                name: "standard error".to_owned(),
                format: args.format,
                to: BufWriter::new(to),
            });
        }
        let (to_writer, from_calls) = mpsc::sync_channel(WAITING);
        Ok(Journal { sinks, to_writer, from_calls, begun: Arc::default() })
    }

    /// What the endpoint tells its calls.
    pub(super) fn observer(&self) -> impl Fn(&Arc<Event>) + Send + Sync + 'static {
        let (to_writer, begun) = (self.to_writer.clone(), Arc::clone(&self.begun));
        let is_read = !self.sinks.is_empty();
        move |event| {
            if is_read && begun.load(Ordering::Relaxed) {
                // The writer ends when the program does.
                let _ = to_writer.send(Message::Call(Arc::clone(event)));
            }
        }
    }

    /// Writes the calls that come from now on.
    pub(super) fn begin(self) -> Live {
        let Journal { mut sinks, to_writer, from_calls, begun } = self;
        begun.store(true, Ordering::Relaxed);
        let writer = thread::spawn(move || {
            while let Ok(Message::Call(event)) = from_calls.recv() {
                let mut next = Some(event);
                while let Some(event) = next {
                    sinks.retain_mut(|sink| sink.keeps(|sink| sink.write(&event)));
                    next = match from_calls.try_recv() {
                        Ok(Message::Call(event)) => Some(event),
                        Ok(Message::End) => return,
                        Err(_) => None,
                    };
                }
                // Nothing waits: what is written is shown.
                sinks.retain_mut(|sink| sink.keeps(|sink| sink.to.flush()));
            }
        });
        Live { to_writer, writer }
    }
}

impl Live {
    /// Writes what is left.
    pub(super) fn end(self) {
        if self.to_writer.send(Message::End).is_ok() {
            let _ = self.writer.join();
        }
    }
}

impl Sink {
    /// Whether it can still be written; if not, the user is told.
    fn keeps(&mut self, write: impl FnOnce(&mut Sink) -> io::Result<()>) -> bool {
        let written = write(self);
        if let Err(error) = &written {
            note(format_args!("no more calls are written to {}: {error}", self.name));
        }
        written.is_ok()
    }

    fn write(&mut self, event: &Event) -> io::Result<()> {
        match self.format {
            Format::Human => {
                let width = terminal_size_of(io::stderr()).map(|(Width(width), _)| width.into());
                entry::lines(event, width).iter().try_for_each(|line| writeln!(self.to, "{line}"))
            }
            Format::Json => {
                serde_json::to_writer(&mut self.to, &entry::Entry::new(event))?;
                writeln!(self.to)
            }
        }
    }
}
