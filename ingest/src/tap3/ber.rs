//! Reads ASN.1's basic encoding rules (X.690) from a slice: definite and indefinite lengths, high tag numbers, every element
//! with its byte range. No recursion, no allocation; depth and number of elements are bounded, and no input makes it panic.

use domain::ports::Disposition;

/// Deepest nesting that is followed. TAP events nest about ten levels deep; beyond this it is damage or malice.
pub const DEPTH_MAX: usize = 32;

/// Bits that set the tags of other classes than APPLICATION apart.
const OTHER_CLASS: u32 = 1 << 28;

/// What is wrong with an element.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BerFault {
    /// The bytes end inside the element.
    #[error("the bytes end inside an element")]
    Cut,
    /// A tag number of more than 28 bits.
    #[error("a tag number has more than four bytes")]
    LongTag,
    /// A length of more than eight bytes, or the reserved form.
    #[error("a length is not written as one")]
    BadLength,
    /// The element would end behind the one that holds it.
    #[error("an element of {0} bytes ends behind the one that holds it")]
    Beyond(u64),
    /// A value without parts has no length.
    #[error("a value without parts has an open length")]
    OpenValue,
    /// An end mark where nothing is open.
    #[error("an end mark stands where nothing is open")]
    StrayEnd,
    /// Nested deeper than [`DEPTH_MAX`].
    #[error("elements are nested deeper than 32 levels")]
    TooDeep,
    /// More elements or bytes than allowed.
    #[error("an element is larger than allowed")]
    TooLarge,
    /// Not what may stand here.
    #[error("an element stands where it does not belong")]
    Misplaced,
}

/// A fault and where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{fault} (byte {at})")]
pub struct BerError {
    /// Byte in the slice that was read, from 0.
    pub at: usize,
    /// What is wrong.
    pub fault: BerFault,
}

impl BerError {
    pub(super) fn new(at: usize, fault: BerFault) -> Self {
        Self { at, fault }
    }

    /// The file has to be sent again; reading it again changes nothing.
    pub fn disposition(&self) -> Disposition {
        Disposition::Stop
    }
}

/// A tag: for class APPLICATION its number; the other classes are numbers that no application tag has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tag {
    /// Equal for equal class and number.
    pub id: u32,
    /// Whether it holds elements.
    pub is_constructed: bool,
}

impl Tag {
    /// Whether its class is APPLICATION: the only one that TAP gives a meaning of its own.
    pub fn is_application(self) -> bool {
        self.id < OTHER_CLASS
    }
}

/// Tag and length of an element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// What it is.
    pub tag: Tag,
    /// Where its content begins.
    pub content: usize,
    /// How long its content is; `None` for an indefinite length.
    pub length: Option<u64>,
}

impl Header {
    /// Reads tag and length at `at`; whether the content is there is not looked at.
    #[inline]
    pub fn read(bytes: &[u8], at: usize) -> Result<Self, BerError> {
        let fail = |fault| Err(BerError::new(at, fault));
        let Some(&first) = bytes.get(at) else { return fail(BerFault::Cut) };
        let (mut number, mut next) = (u32::from(first & 0x1f), at + 1);
        if number == 0x1f {
            number = 0;
            loop {
                let Some(&byte) = bytes.get(next) else { return fail(BerFault::Cut) };
                next += 1;
                number = number << 7 | u32::from(byte & 0x7f);
                if byte & 0x80 == 0 {
                    break;
                }
                if next - at > 4 {
                    return fail(BerFault::LongTag);
                }
            }
        }
        let class = match first >> 6 {
            1 => 0,
            class => u32::from(class + 1) * OTHER_CLASS,
        };
        let tag = Tag { id: class | number, is_constructed: first & 0x20 != 0 };
        let Some(&first) = bytes.get(next) else { return fail(BerFault::Cut) };
        next += 1;
        let length = match first {
            0..0x80 => Some(u64::from(first)),
            0x80 if tag.is_constructed => None,
            0x80 => return fail(BerFault::OpenValue),
            0x81..=0x88 => {
                let Some(octets) = bytes.get(next..next + usize::from(first & 0x7f)) else { return fail(BerFault::Cut) };
                next += octets.len();
                Some(octets.iter().fold(0, |length, octet| length << 8 | u64::from(*octet)))
            }
            _ => return fail(BerFault::BadLength),
        };
        Ok(Self { tag, content: next, length })
    }

    /// Where the content ends, if its length is known and it ends at `limit` or before.
    pub fn end(&self, limit: usize) -> Option<usize> {
        usize::try_from(self.length?).ok()?.checked_add(self.content).filter(|end| *end <= limit)
    }
}

/// Whether an indefinite length ends here.
#[inline]
pub fn is_end_mark(bytes: &[u8], at: usize, limit: usize) -> bool {
    at.checked_add(2).is_some_and(|end| end <= limit) && bytes.get(at..at + 2) == Some(&[0, 0])
}

/// What a walk over an element meets, in order.
pub trait Visitor<'a> {
    /// An element that holds others begins. `false`: it must not stand here, and the walk ends.
    fn enter(&mut self, tag: u32) -> bool;
    /// A value; `parent` is the tag of the element that holds it (of itself, if none does).
    fn value(&mut self, parent: u32, tag: u32, content: &'a [u8]);
    /// The element that was entered last is over.
    fn leave(&mut self, tag: u32);
}

#[derive(Clone, Copy)]
struct Frame {
    tag: u32,
    /// Where the element ends, or the nearest one around it that has a known end.
    limit: usize,
    is_open: bool,
}

/// Walks over the one element at `at`, which must end at `limit` or before, and returns the byte after it. `budget` is how
/// many elements may still be met; it is counted down. Where `limit` lies behind the bytes, an element that ends behind them
/// is cut, not wrong.
#[inline]
pub fn walk<'a, V: Visitor<'a>>(
    bytes: &'a [u8],
    mut at: usize,
    limit: usize,
    budget: &mut u64,
    visitor: &mut V,
) -> Result<usize, BerError> {
    let is_cut = limit > bytes.len();
    let limit = limit.min(bytes.len());
    let mut frames = [Frame { tag: 0, limit, is_open: false }; DEPTH_MAX];
    let mut depth = 0;
    loop {
        // The root stands in no frame; behind it, the walk is over.
        let parent = if depth == 0 { None } else { Some(frames[depth - 1]) };
        let within = parent.map_or(limit, |frame| frame.limit);
        if let Some(frame) = parent {
            let is_over = if frame.is_open { is_end_mark(bytes, at, frame.limit) } else { at == frame.limit };
            if is_over {
                at += if frame.is_open { 2 } else { 0 };
                visitor.leave(frame.tag);
                depth -= 1;
                if depth == 0 {
                    return Ok(at);
                }
                continue;
            }
            if at >= frame.limit {
                return Err(BerError::new(at, BerFault::Cut));
            }
        }
        *budget = budget.checked_sub(1).ok_or(BerError::new(at, BerFault::TooLarge))?;
        let header = Header::read(&bytes[..within], at)?;
        if header.tag.id == OTHER_CLASS && !header.tag.is_constructed {
            return Err(BerError::new(at, BerFault::StrayEnd));
        }
        let end = match header.length {
            None => within,
            Some(length) => header.end(within).ok_or_else(|| {
                let fault = if is_cut && within == bytes.len() { BerFault::Cut } else { BerFault::Beyond(length) };
                BerError::new(at, fault)
            })?,
        };
        if header.tag.is_constructed {
            let frame = Frame { tag: header.tag.id, limit: end, is_open: header.length.is_none() };
            *frames.get_mut(depth).ok_or(BerError::new(at, BerFault::TooDeep))? = frame;
            depth += 1;
            if !visitor.enter(header.tag.id) {
                return Err(BerError::new(at, BerFault::Misplaced));
            }
            at = header.content;
        } else {
            visitor.value(parent.map_or(header.tag.id, |frame| frame.tag), header.tag.id, &bytes[header.content..end]);
            at = end;
            if depth == 0 {
                return Ok(at);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    struct Anything;

    impl Visitor<'_> for Anything {
        fn enter(&mut self, tag: u32) -> bool {
            tag != 31
        }
        fn value(&mut self, _: u32, _: u32, _: &[u8]) {}
        fn leave(&mut self, _: u32) {}
    }

    fn measure(bytes: &[u8]) -> Result<usize, BerFault> {
        walk(bytes, 0, bytes.len(), &mut 1000, &mut Anything).map_err(|e| e.fault)
    }

    #[test]
    fn tags_and_lengths_in_all_forms() {
        let read = |bytes: &[u8]| Header::read(bytes, 0).map(|h| (h.tag.id, h.tag.is_constructed, h.content, h.length));
        assert_eq!(read(&[0x69, 3]), Ok((9, true, 2, Some(3))));
        assert_eq!(read(&[0x5f, 0x81, 0x44, 5]), Ok((196, false, 4, Some(5))), "the sender's tag");
        assert_eq!(read(&[0x69, 0x80]), Ok((9, true, 2, None)));
        assert_eq!(read(&[0x69, 0x82, 1, 2]), Ok((9, true, 4, Some(258))));
        assert_eq!(read(&[0x69, 0x88, 255, 255, 255, 255, 255, 255, 255, 255]), Ok((9, true, 10, Some(u64::MAX))));
        let fault = |bytes: &[u8]| Header::read(bytes, 0).map_err(|e| e.fault);
        for (bytes, expected) in [
            (&[][..], BerFault::Cut),
            (&[0x5f], BerFault::Cut),
            (&[0x5f, 0x81], BerFault::Cut),
            (&[0x69, 0x82, 1], BerFault::Cut),
            (&[0x5f, 0x81, 0x81, 0x81, 0x81, 1, 0], BerFault::LongTag),
            (&[0x49, 0x80], BerFault::OpenValue),
            (&[0x69, 0xff], BerFault::BadLength),
            (&[0x69, 0x89, 0, 0, 0, 0, 0, 0, 0, 0, 1], BerFault::BadLength),
        ] {
            assert_eq!(fault(bytes), Err(expected), "{bytes:?}");
        }
        assert!(!Header::read(&[0x30, 0], 0).expect("a sequence").tag.is_application());
    }

    #[test]
    fn elements_end_where_their_parent_says() {
        assert_eq!(measure(&[0x69, 3, 0x4a, 1, 7, 9]), Ok(5), "what follows is not looked at");
        assert_eq!(measure(&[0x69, 0x80, 0x4a, 1, 7, 0, 0]), Ok(7));
        assert_eq!(measure(&[0x69, 0x80, 0x6a, 0x80, 0, 0, 0, 0]), Ok(8));
        assert_eq!(measure(&[0x69, 4, 0x6a, 0x80, 0, 0]), Ok(6), "an open element in a closed one");
        assert_eq!(measure(&[0x69, 3, 0x6a, 0x80, 0, 0]), Err(BerFault::Cut), "its end mark is outside");
        assert_eq!(measure(&[0x69, 3, 0x4a, 2, 7, 9]), Err(BerFault::Beyond(2)));
        assert_eq!(measure(&[0x69, 2, 0, 0]), Err(BerFault::StrayEnd));
        assert_eq!(measure(&[0x69, 3, 0x7f, 31, 0]), Err(BerFault::Misplaced));
        assert_eq!(measure(&[0x69, 0x80, 0x4a, 1, 7]), Err(BerFault::Cut));
        assert_eq!(measure(&[0x69, 0x88, 255, 255, 255, 255, 255, 255, 255, 255, 0]), Err(BerFault::Beyond(u64::MAX)));
    }

    #[test]
    fn depth_and_size_are_bounded() {
        let nested = |levels| [[0x69, 0x80].repeat(levels), [0, 0].repeat(levels)].concat();
        assert_eq!(measure(&nested(DEPTH_MAX)), Ok(4 * DEPTH_MAX));
        assert_eq!(measure(&nested(DEPTH_MAX + 1)), Err(BerFault::TooDeep));
        assert_eq!(measure(&nested(1_000_000)), Err(BerFault::TooDeep));
        assert_eq!(walk(&nested(3), 0, 12, &mut 2, &mut Anything).map_err(|e| e.fault), Err(BerFault::TooLarge));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300), at in 0..400usize, limit in 0..400usize) {
            if let Ok(end) = walk(&bytes, at, limit, &mut 1000, &mut Anything) {
                prop_assert!(at < end && end <= limit && end <= bytes.len());
            }
        }
    }
}
