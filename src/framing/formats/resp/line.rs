//! One line of a value: a scalar, or the head of a string or an aggregate.

use super::number;

/// The longest line of a number: a double in decimals, of which C allows itself as many.
pub(super) const LONGEST_NUMBER: usize = 326;

/// What a line says.
pub(super) enum Line {
    /// The value.
    Whole,
    /// A string of so many bytes.
    Bulk(usize),
    StreamedString,
    /// So many values.
    Aggregate(u64),
    StreamedAggregate,
    End,
}

/// Reads the text between the type of a line and its end. The error is what is wrong with it.
pub(super) fn read(
    kind: u8,
    text: &[u8],
    version_3: bool,
    max_bulk: usize,
) -> Result<Line, &'static str> {
    match kind {
        b':' => match number::decimal(text) {
            Some(_) => Ok(Line::Whole),
            None => Err("integer that is no number"),
        },
        b'_' => match text {
            b"" => Ok(Line::Whole),
            _ => Err("null that says something"),
        },
        b'#' => match text {
            b"t" | b"f" => Ok(Line::Whole),
            _ => Err("boolean that is neither t nor f"),
        },
        b',' => match is_double(text) {
            true => Ok(Line::Whole),
            false => Err("double that is no number"),
        },
        b'.' => match text {
            b"" => Ok(Line::End),
            _ => Err("end of a stream that says something"),
        },
        b'$' if text == b"?" && version_3 => Ok(Line::StreamedString),
        b'*' | b'~' | b'%' if text == b"?" && version_3 => Ok(Line::StreamedAggregate),
        _ => match number::strict(text) {
            Some(length) => sized(kind, length, max_bulk),
            None => Err("length that is no number"),
        },
    }
}

/// Reads the length of a string or an aggregate.
pub(super) fn sized(kind: u8, length: i64, max_bulk: usize) -> Result<Line, &'static str> {
    if length == -1 && matches!(kind, b'$' | b'*') {
        return Ok(Line::Whole);
    }
    let Ok(length) = u64::try_from(length) else {
        return Err("negative length");
    };
    match kind {
        b'*' | b'~' | b'>' => Ok(Line::Aggregate(length)),
        // Never more than 64 bits, as the length was a signed number.
        b'%' | b'|' => Ok(Line::Aggregate(2 * length)),
        b'=' if length < 4 => Err("verbatim string without its format"),
        _ => match usize::try_from(length) {
            Ok(length) if length <= max_bulk => Ok(Line::Bulk(length)),
            _ => Err("string that is too long"),
        },
    }
}

/// A double as the protocol spells it.
fn is_double(text: &[u8]) -> bool {
    // Redis has sent the last one, which C prints on some machines.
    if let b"inf" | b"-inf" | b"nan" | b"-nan" = text {
        return true;
    }
    let unsigned = match text {
        [b'-' | b'+', unsigned @ ..] => unsigned,
        unsigned => unsigned,
    };
    let Some(text) = behind_digits(unsigned) else {
        return false;
    };
    let text = match text {
        [b'.', fraction @ ..] => match behind_digits(fraction) {
            Some(text) => text,
            None => return false,
        },
        text => text,
    };
    match text {
        [] => true,
        [b'e' | b'E', b'-' | b'+', exponent @ ..] | [b'e' | b'E', exponent @ ..] => {
            behind_digits(exponent).is_some_and(<[u8]>::is_empty)
        }
        _ => false,
    }
}

/// What follows the digits that `text` begins with, if it does.
fn behind_digits(text: &[u8]) -> Option<&[u8]> {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    (digits > 0).then(|| &text[digits..])
}
