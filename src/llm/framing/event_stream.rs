//! AWS event streams (`application/vnd.amazon.eventstream`).
//!
//! A message consists of a prelude of 12 bytes (its length, the length of its headers, and the CRC-32 of both), the
//! headers, the payload, and a CRC-32 of all of these. Numbers are big-endian. See the Smithy specification, "Amazon
//! Event Stream".
//!
//! The checksum of the prelude is verified, because a wrong length would turn the rest of the stream into noise. That of
//! the message is not: it would take a pass over every byte, and the client of the caller verifies the payload.

use super::{BOUND, Kept};

const PRELUDE: usize = 12;
/// The size of a message without headers and payload: the prelude, and the checksum after the payload.
const FRAME: u32 = 16;
/// The number of bytes of the headers that are kept, out of the [`BOUND`]. Those of Bedrock have 100 to 200 bytes.
const HEADERS_BOUND: usize = 16 * 1024;

/// One message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::llm) struct Message<'a> {
    headers: &'a [u8],
    pub(in crate::llm) payload: &'a [u8],
    /// Whether the payload was longer than the bound. Its end is then missing.
    pub(in crate::llm) truncated: bool,
}

impl<'a> Message<'a> {
    /// Returns the value of the first string header with this name. Headers after an unreadable one are not found.
    pub(in crate::llm) fn header(&self, name: &str) -> Option<&'a [u8]> {
        let mut rest = self.headers;
        while let Some((found, value)) = next_header(&mut rest) {
            if let (true, Some(value)) = (found == name.as_bytes(), value) {
                return Some(value);
            }
        }
        None
    }
}

/// Returns the name of the next header, and its value if it is a string.
fn next_header<'a>(rest: &mut &'a [u8]) -> Option<(&'a [u8], Option<&'a [u8]>)> {
    let len = usize::from(*take(rest, 1)?.first()?);
    let name = take(rest, len)?;
    let size = match take(rest, 1)?.first()? {
        // `true` and `false`, which have no value besides their type.
        0 | 1 => 0,
        // A byte, a short, an int.
        2 => 1,
        3 => 2,
        4 => 4,
        // A long, and a timestamp.
        5 | 8 => 8,
        // Bytes, and a string.
        kind @ (6 | 7) => {
            let &[high, low] = take(rest, 2)? else { return None };
            let value = take(rest, usize::from(u16::from_be_bytes([high, low])))?;
            return Some((name, (*kind == 7).then_some(value)));
        }
        // A UUID.
        9 => 16,
        _ => return None,
    };
    take(rest, size)?;
    Some((name, None))
}

fn take<'a>(rest: &mut &'a [u8], len: usize) -> Option<&'a [u8]> {
    let (taken, left) = rest.split_at_checked(len)?;
    *rest = left;
    Some(taken)
}

/// Reads messages.
///
/// After an invalid prelude, the reader cannot find the next message. It returns no more messages.
#[derive(Debug, Default)]
pub(in crate::llm) struct EventStream {
    at: At,
    /// The headers, followed by the payload.
    kept: Kept,
    /// The number of kept bytes that are headers.
    headers: usize,
    /// Whether the message was returned. The next one then begins empty.
    returned: bool,
}

#[derive(Clone, Copy, Debug)]
enum At {
    /// In the prelude, with its first bytes and their number.
    Prelude([u8; PRELUDE], usize),
    /// In the headers, with the number of bytes that are missing and the size of the payload.
    Headers(u32, u32),
    /// In the payload, with the number of bytes that are missing.
    Payload(u32),
    /// In the checksum at the end, with the number of bytes that are missing.
    End(u32),
    Lost,
}

impl Default for At {
    fn default() -> Self {
        Self::Prelude([0; PRELUDE], 0)
    }
}

impl EventStream {
    /// Returns the next message, and advances the piece to its end. Returns `None` if the piece ends before the message.
    pub(in crate::llm) fn next(&mut self, piece: &mut &[u8]) -> Option<Message<'_>> {
        if std::mem::take(&mut self.returned) {
            self.kept.clear();
        }
        while !piece.is_empty() {
            match self.at {
                At::Prelude(mut prelude, len) => {
                    let room = prelude.get_mut(len..).unwrap_or_default();
                    let part = up_to(piece, room.len());
                    room.iter_mut().zip(part).for_each(|(place, byte)| *place = *byte);
                    self.at = match len + part.len() {
                        PRELUDE => lengths(prelude).unwrap_or(At::Lost),
                        len => At::Prelude(prelude, len),
                    };
                }
                At::Headers(missing, payload) => {
                    let missing = self.keep(piece, missing, HEADERS_BOUND);
                    self.at = At::Headers(missing, payload);
                }
                At::Payload(missing) => {
                    let missing = self.keep(piece, missing, BOUND);
                    self.at = At::Payload(missing);
                }
                At::End(missing) => {
                    let missing = missing.saturating_sub(length(up_to(piece, missing as usize)));
                    self.at = At::End(missing);
                    if missing == 0 {
                        self.at = At::default();
                        self.returned = true;
                        let (headers, payload) = self.kept.bytes.split_at(self.headers);
                        return Some(Message { headers, payload, truncated: self.kept.over });
                    }
                }
                At::Lost => *piece = &[],
            }
            self.skip_empty_parts();
        }
        None
    }

    /// Returns whether the reader has found an invalid prelude.
    pub(in crate::llm) fn is_lost(&self) -> bool {
        matches!(self.at, At::Lost)
    }

    /// Returns whether every message that has begun has ended.
    pub(in crate::llm) fn is_between_messages(&self) -> bool {
        matches!(self.at, At::Prelude(_, 0))
    }

    /// Keeps bytes of the current part. Returns the number of bytes that are still missing.
    fn keep(&mut self, piece: &mut &[u8], missing: u32, limit: usize) -> u32 {
        let part = up_to(piece, missing as usize);
        self.kept.push(part, limit);
        missing.saturating_sub(length(part))
    }

    /// Moves past empty headers and an empty payload, for which no byte comes.
    fn skip_empty_parts(&mut self) {
        if let At::Headers(0, payload) = self.at {
            self.headers = self.kept.bytes.len();
            self.kept.over = false;
            self.at = At::Payload(payload);
        }
        if let At::Payload(0) = self.at {
            self.at = At::End(4);
        }
    }
}

/// Returns the position after a prelude, or `None` if the prelude is invalid.
fn lengths(prelude: [u8; PRELUDE]) -> Option<At> {
    let [a, b, c, d, e, f, g, h, checksum @ ..] = prelude;
    if crc32(&[a, b, c, d, e, f, g, h]) != u32::from_be_bytes(checksum) {
        return None;
    }
    let total = u32::from_be_bytes([a, b, c, d]);
    let headers = u32::from_be_bytes([e, f, g, h]);
    let payload = total.checked_sub(FRAME)?.checked_sub(headers)?;
    Some(At::Headers(headers, payload))
}

/// CRC-32 of IEEE 802.3. Computed bit by bit, because it covers only eight bytes per message.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| (crc >> 1) ^ (0xEDB8_8320 * (crc & 1)))
    })
}

/// Takes up to `len` bytes of a piece.
fn up_to<'a>(piece: &mut &'a [u8], len: usize) -> &'a [u8] {
    let (part, rest) = piece.split_at(len.min(piece.len()));
    *piece = rest;
    part
}

/// Returns the length of a part, which fits in a `u32`.
fn length(part: &[u8]) -> u32 {
    u32::try_from(part.len()).unwrap_or(u32::MAX)
}

#[cfg(test)]
pub(in crate::llm) mod tests;
