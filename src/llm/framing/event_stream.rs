//! AWS event streams (`application/vnd.amazon.eventstream`).
//!
//! A message is a prelude of 12 bytes (its length, the length of its headers, and the CRC-32 of these two), the headers,
//! the payload, and a CRC-32 of all that; numbers are big-endian. As in the Smithy specification, "Amazon Event Stream".
//!
//! The prelude's checksum is checked: a wrong length would make the rest of the stream noise that is read as messages.
//! The message's is not. It would cost a pass over every byte, and what a payload says is its reader's business.

use super::{BOUND, Kept};

const PRELUDE: usize = 12;
/// The bytes of a message that are neither headers nor payload: the prelude, and the checksum behind the payload.
const FRAME: u32 = 16;
/// How much of the headers is kept, as a part of the [`BOUND`]. Those of Bedrock have 100 to 200 bytes.
const HEADERS_BOUND: usize = 16 * 1024;

/// One message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct Message<'a> {
    headers: &'a [u8],
    pub(in super::super) payload: &'a [u8],
    /// Its payload was longer than the bound, and its end is missing here.
    pub(in super::super) truncated: bool,
}

impl<'a> Message<'a> {
    /// The value of the first header of that name which is a string.
    ///
    /// Behind a header that cannot be read none is found.
    pub(in super::super) fn header(&self, name: &str) -> Option<&'a [u8]> {
        let mut rest = self.headers;
        while let Some((found, value)) = next_header(&mut rest) {
            if let (true, Some(value)) = (found == name.as_bytes(), value) {
                return Some(value);
            }
        }
        None
    }
}

/// The name of the next header, and its value if that is a string.
fn next_header<'a>(rest: &mut &'a [u8]) -> Option<(&'a [u8], Option<&'a [u8]>)> {
    let len = usize::from(*take(rest, 1)?.first()?);
    let name = take(rest, len)?;
    let size = match take(rest, 1)?.first()? {
        // `true` and `false`, which are all in their type.
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

/// Reads messages from pieces that are split anywhere.
///
/// Behind a prelude that cannot be one it is blind: there is no way back into step, and it says nothing more.
#[derive(Debug, Default)]
pub(in super::super) struct EventStream {
    at: At,
    /// The headers, and behind them the payload.
    kept: Kept,
    /// How many of the kept bytes are headers.
    headers: usize,
    given: bool,
}

#[derive(Clone, Copy, Debug)]
enum At {
    /// In a prelude, of which so many bytes came.
    Prelude([u8; PRELUDE], usize),
    /// So many bytes of headers are missing, and then this much payload comes.
    Headers(u32, u32),
    Payload(u32),
    /// So many bytes of the checksum at the end are missing.
    End(u32),
    Blind,
}

impl Default for At {
    fn default() -> Self {
        Self::Prelude([0; PRELUDE], 0)
    }
}

impl EventStream {
    /// The next message of a piece, which is read up to there. `None`: the piece is read, and the message goes on.
    pub(in super::super) fn next(&mut self, piece: &mut &[u8]) -> Option<Message<'_>> {
        if std::mem::take(&mut self.given) {
            self.kept.clear();
        }
        while !piece.is_empty() {
            match self.at {
                At::Prelude(mut prelude, len) => {
                    let room = prelude.get_mut(len..).unwrap_or_default();
                    let part = up_to(piece, room.len());
                    room.iter_mut().zip(part).for_each(|(place, byte)| *place = *byte);
                    self.at = match len + part.len() {
                        PRELUDE => lengths(prelude).unwrap_or(At::Blind),
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
                        self.given = true;
                        let (headers, payload) = self.kept.bytes.split_at(self.headers);
                        return Some(Message { headers, payload, truncated: self.kept.over });
                    }
                }
                At::Blind => *piece = &[],
            }
            self.over_empty_parts();
        }
        None
    }

    /// It lost its place, and reads nothing more.
    pub(in super::super) fn is_blind(&self) -> bool {
        matches!(self.at, At::Blind)
    }

    /// No message has begun that did not end.
    pub(in super::super) fn is_at_border(&self) -> bool {
        matches!(self.at, At::Prelude(_, 0))
    }

    /// How many bytes are missing then.
    fn keep(&mut self, piece: &mut &[u8], missing: u32, limit: usize) -> u32 {
        let part = up_to(piece, missing as usize);
        self.kept.push(part, limit);
        missing.saturating_sub(length(part))
    }

    /// Headers and payload may be empty, and then no byte of them comes.
    fn over_empty_parts(&mut self) {
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

/// What comes behind a prelude; `None` if it cannot be one.
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

/// CRC-32 as in IEEE 802.3. Bit by bit: it runs over eight bytes a message.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| (crc >> 1) ^ (0xEDB8_8320 * (crc & 1)))
    })
}

/// Takes as many bytes of a piece as there are, up to `len`.
fn up_to<'a>(piece: &mut &'a [u8], len: usize) -> &'a [u8] {
    let (part, rest) = piece.split_at(len.min(piece.len()));
    *piece = rest;
    part
}

/// Of a part that was asked for by a `u32`.
fn length(part: &[u8]) -> u32 {
    u32::try_from(part.len()).unwrap_or(u32::MAX)
}

#[cfg(test)]
pub(in super::super) mod tests;
