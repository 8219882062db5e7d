//! Cuts a stream into chunks of whole lines.

use std::io::{self, Read};

use memchr::{memchr, memchr_iter, memrchr};

/// Longer lines are not read but refused: a policy has at most 4 MiB.
pub(super) const LONGEST: usize = 16 << 20;

/// How much is read at once, and so about how much a worker gets.
const CHUNK: usize = 256 << 10;

/// Whole lines of the input; only its last one may lack its line break.
pub(super) struct Chunk {
    pub(super) text: Vec<u8>,
    /// The number of its first line, from 1.
    first: usize,
}

impl Chunk {
    /// The lines without their line breaks, and their numbers.
    pub(super) fn lines(&self) -> impl Iterator<Item = (usize, &[u8])> {
        let ends = memchr_iter(b'\n', &self.text).map(|end| (end, end + 1));
        let unfinished = (self.text.last() != Some(&b'\n')).then_some((self.text.len(), 0));
        let lines = ends.chain(unfinished).scan(0, |start, (end, next)| {
            let line = self.text.get(*start..end);
            *start = next;
            line
        });
        (self.first..).zip(lines)
    }
}

/// The chunks of a stream.
pub(super) struct Chunks<R> {
    input: R,
    buffer: Vec<u8>,
    /// The beginning of a line that the last read has cut.
    rest: Vec<u8>,
    /// The number of the next line.
    line: usize,
}

impl<R: Read> Chunks<R> {
    pub(super) fn new(input: R) -> Chunks<R> {
        Chunks { input, buffer: vec![0; CHUNK], rest: Vec::new(), line: 1 }
    }

    /// The lines that can be had without waiting for more, at least one; `None` at the end.
    ///
    /// A line that is longer than [`LONGEST`] is cut one byte beyond it, so that it is seen to be.
    pub(super) fn next(&mut self) -> io::Result<Option<Chunk>> {
        let mut text = std::mem::take(&mut self.rest);
        let mut end = memrchr(b'\n', &text);
        while end.is_none() && text.len() <= LONGEST {
            let known = text.len();
            let read = self.read()?;
            if read.is_empty() {
                break;
            }
            end = memrchr(b'\n', read).map(|at| known + at);
            text.extend_from_slice(read);
        }
        match end {
            Some(end) => self.rest = text.split_off(end + 1),
            None if text.len() > LONGEST => {
                text.truncate(LONGEST + 1);
                self.rest = self.after_line()?;
            }
            None => {}
        }
        if text.is_empty() {
            return Ok(None);
        }
        let chunk = Chunk { text, first: self.line };
        self.line += chunk.lines().count();
        Ok(Some(chunk))
    }

    /// Steps over the rest of a line; what was read beyond it.
    fn after_line(&mut self) -> io::Result<Vec<u8>> {
        loop {
            let read = self.read()?;
            if let Some(at) = memchr(b'\n', read) {
                return Ok(read.split_at(at + 1).1.to_vec());
            }
            if read.is_empty() {
                return Ok(Vec::new());
            }
        }
    }

    fn read(&mut self) -> io::Result<&[u8]> {
        loop {
            match self.input.read(&mut self.buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => return Ok(self.buffer.get(..read?).unwrap_or_default()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_is_too_long_is_cut_and_the_next_one_is_whole() {
        let long = io::repeat(b'x').take((LONGEST + CHUNK) as u64);
        let mut chunks = Chunks::new(b"1\n".chain(long).chain(&b"\n3\n4\n5"[..]));
        let mut lines = Vec::new();
        while let Some(chunk) = chunks.next().unwrap() {
            lines.extend(chunk.lines().map(|(number, line)| (number, line.len())));
        }
        assert_eq!(lines, [(1, 1), (2, LONGEST + 1), (3, 1), (4, 1), (5, 1)]);
    }
}
