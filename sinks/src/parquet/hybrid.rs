//! Parquet's run-length and bit-packing hybrid: how the codes of a dictionary and the marks of nulls are written.
//!
//! The form: <https://parquet.apache.org/docs/file-format/data-pages/encodings/>, "Run Length Encoding / Bit-Packing Hybrid".

/// Equal values in a row that are worth a run of their own.
const RUN_MIN: usize = 8;

/// Bits that the codes of a dictionary of `entries` values need.
pub fn width_of(entries: usize) -> u8 {
    let last = entries.saturating_sub(1);
    u8::try_from(usize::BITS - last.leading_zeros()).expect("a machine's word has fewer than 256 bits")
}

/// Appends values, each below `2^width`; `width` is at most 32. How many they are stands elsewhere in the page.
pub fn encode(values: &[u32], width: u8, out: &mut Vec<u8>) {
    let (mut packed_from, mut i) = (0, 0);
    while i < values.len() {
        let value = values[i];
        let run = values[i..].iter().take_while(|v| **v == value).count();
        // Packed values come in eights: what the last eight lacks is taken from this run.
        let lacking = (i - packed_from).wrapping_neg() % 8;
        if run >= lacking + RUN_MIN {
            pack(&values[packed_from..i + lacking], width, out);
            repeat(value, run - lacking, width, out);
            packed_from = i + run;
        }
        i += run;
    }
    pack(&values[packed_from..], width, out);
}

/// One value, so many times.
fn repeat(value: u32, times: usize, width: u8, out: &mut Vec<u8>) {
    varint(times << 1, out);
    out.extend_from_slice(&value.to_le_bytes()[..usize::from(width).div_ceil(8)]);
}

/// Values side by side, lowest bits first; the last eight is filled up with zeros.
fn pack(values: &[u32], width: u8, out: &mut Vec<u8>) {
    if values.is_empty() {
        return;
    }
    varint(values.len().div_ceil(8) << 1 | 1, out);
    let (mut bits, mut held) = (0_u64, 0);
    let missing = values.len().wrapping_neg() % 8;
    for value in values.iter().copied().chain(std::iter::repeat_n(0, missing)) {
        bits |= u64::from(value) << held;
        held += u32::from(width);
        while held >= 8 {
            out.push(bits.to_le_bytes()[0]);
            bits >>= 8;
            held -= 8;
        }
    }
}

fn varint(mut value: usize, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    out.push(value.to_le_bytes()[0]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(values: &[u32], width: u8) -> Vec<u8> {
        let mut out = Vec::new();
        encode(values, width, &mut out);
        out
    }

    #[test]
    fn the_example_of_the_format_is_packed_as_it_says() {
        // The numbers 0 to 7 with three bits: 10001000 11000110 11111010, after a header of one group.
        assert_eq!(encoded(&[0, 1, 2, 3, 4, 5, 6, 7], 3), [0b11, 0b1000_1000, 0b1100_0110, 0b1111_1010]);
    }

    #[test]
    fn a_run_is_its_length_and_its_value() {
        assert_eq!(encoded(&[5; 100], 3), [200, 1, 5]);
        assert_eq!(encoded(&[300; 9], 9), [18, 44, 1]);
        assert_eq!(encoded(&[0; 8], 0), [16]);
    }

    #[test]
    fn a_run_gives_what_the_packed_values_before_it_lack() {
        // 1 2 and six of the fourteen sevens are packed, eight sevens are a run.
        let values: Vec<u32> = [1, 2].into_iter().chain([7; 14]).collect();
        assert_eq!(encoded(&values, 3), [0b11, 0b1101_0001, 0xff, 0xff, 16, 7]);
    }

    #[test]
    fn a_dictionary_needs_the_bits_of_its_last_code() {
        assert_eq!([0, 1, 2, 3, 4, 5, 256, 257].map(width_of), [0, 0, 1, 2, 2, 3, 8, 9]);
    }
}
