//! Lines in, answers out, on all cores, in constant memory.

use std::io::{self, Read, Write};
use std::num::NonZeroUsize;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use super::answer::answer;
use super::lines::{Chunk, Chunks};
use super::policies::KnownPolicies;

/// How many chunks may wait on each side of a worker: enough that neither side waits for a slow one, few enough to be
/// forgotten in the memory.
const WAITING: usize = 4;

/// Which side of the stream broke.
#[derive(Debug)]
pub(super) enum Broken {
    Input(io::Error),
    Output(io::Error),
}

/// Answers every line of the input.
///
/// Chunks go to the workers in turns, and answers are taken from them in the same turns: so the order needs no numbers, and
/// nobody holds more than its queue.
pub(super) fn run(
    input: impl Read + Send + 'static,
    output: &mut impl Write,
    workers: NonZeroUsize,
) -> Result<(), Broken> {
    let mut to_workers = Vec::new();
    let mut from_workers = Vec::new();
    let mut threads = Vec::new();
    for _ in 0..workers.get() {
        let (to_worker, chunks) = sync_channel(WAITING);
        let (to_writer, answers) = sync_channel(WAITING);
        threads.push(thread::spawn(move || work(chunks, &to_writer)));
        to_workers.push(to_worker);
        from_workers.push(answers);
    }
    // Not a scoped thread: when the output is closed, nobody shall wait for an input that is silent.
    let reader = thread::spawn(move || read(input, &to_workers));
    for answers in from_workers.iter().cycle() {
        let Ok(answers) = answers.recv() else { break };
        output.write_all(&answers).and_then(|()| output.flush()).map_err(Broken::Output)?;
    }
    // Lest one that waits to be heard is waited for.
    drop(from_workers);
    threads.into_iter().for_each(join);
    join(reader).map_err(Broken::Input)
}

/// What a thread came to; its panic is ours.
fn join<T>(thread: JoinHandle<T>) -> T {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// Answers chunks until there are no more, or nobody wants to know.
fn work(chunks: Receiver<Chunk>, to_writer: &SyncSender<Vec<u8>>) {
    let mut policies = KnownPolicies::default();
    for chunk in chunks {
        let mut answers = Vec::with_capacity(chunk.text.len() / 2);
        for (number, line) in chunk.lines() {
            answer(line, number, &mut policies, &mut answers);
        }
        if to_writer.send(answers).is_err() {
            return;
        }
    }
}

fn read(input: impl Read, workers: &[SyncSender<Chunk>]) -> io::Result<()> {
    let mut chunks = Chunks::new(input);
    for worker in workers.iter().cycle() {
        let Some(chunk) = chunks.next()? else { break };
        if worker.send(chunk).is_err() {
            break;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Trickle<'t>(&'t [u8]);

    impl Read for Trickle<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let length = self.0.len().min(buffer.len()).min(3);
            buffer[..length].copy_from_slice(&self.0[..length]);
            self.0 = &self.0[length..];
            Ok(length)
        }
    }

    fn ids(input: impl Read + Send + 'static, workers: usize) -> Vec<serde_json::Value> {
        let mut output = Vec::new();
        run(input, &mut output, NonZeroUsize::new(workers).unwrap()).unwrap();
        let lines = std::str::from_utf8(&output).unwrap().lines();
        lines.map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["id"].clone()).collect()
    }

    #[test]
    fn answers_come_in_the_order_of_the_lines_however_they_are_cut() {
        let lines: Vec<String> = (0..500).map(|id| format!("{{\"id\": {id}}}\n")).collect();
        let text: &'static str = lines.concat().leak();
        let expected: Vec<_> = (0..500).map(serde_json::Value::from).collect();
        for workers in [1, 2, 7] {
            assert_eq!(ids(Trickle(text.as_bytes()), workers), expected, "{workers}");
            assert_eq!(ids(text.as_bytes(), workers), expected, "{workers}");
        }
    }

    #[test]
    fn the_last_line_needs_no_line_break_and_an_empty_input_no_answer() {
        assert_eq!(ids(&b"{\"id\": 1}\n{\"id\": 2}"[..], 2), [1, 2]);
        assert_eq!(ids(&b""[..], 2).len(), 0);
    }

    #[test]
    fn a_closed_output_ends_the_stream() {
        struct Closed;
        impl Write for Closed {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let endless = io::repeat(b'\n');
        assert!(matches!(run(endless, &mut Closed, NonZeroUsize::MIN), Err(Broken::Output(_))));
    }
}
