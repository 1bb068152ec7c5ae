// SPDX-License-Identifier: MPL-2.0

//! Transfer functions of frames, and tone mapping of those with a high dynamic range (HDR).
//!
//! Networks are trained on pictures with a standard dynamic range (SDR), in which the same values are
//! brighter. A table per transfer function converts values to those of an SDR picture:
//!
//! 1. to luminance, by ITU-R BT.2100: the EOTF of PQ, or the inverse OETF and the OOTF of HLG on a
//!    display of 1000 cd/m²;
//! 2. to the luminance of an SDR picture, by the EETF of ITU-R BT.2390, section 5.4.1, from 1000
//!    cd/m² to the 203 cd/m² of HDR reference white (ITU-R BT.2408): most of the picture keeps its
//!    luminance, and highlights are compressed;
//! 3. to values, by the inverse of the EOTF of ITU-R BT.1886.
//!
//! Luma, red, green and blue are converted in the same way, each on its own. This is exact for gray
//! pixels.

use std::sync::LazyLock;

/// The function that converted luminance to the values of a frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Transfer {
    /// One with a standard dynamic range.
    #[default]
    Sdr,
    /// Perceptual quantization (PQ), by SMPTE ST 2084 and ITU-R BT.2100.
    Pq,
    /// Hybrid log-gamma (HLG), by ARIB STD-B67 and ITU-R BT.2100.
    Hlg,
}

impl Transfer {
    /// Converts a full-range value, 0 to 255, to that of an SDR picture.
    #[inline]
    pub(crate) fn to_sdr(self, value: f32) -> f32 {
        let table: &Table = match self {
            Transfer::Sdr => return value,
            Transfer::Pq => &PQ,
            Transfer::Hlg => &HLG,
        };
        let value = value.clamp(0.0, 255.0);
        let index = value as usize;
        let (low, high) = (table[index], table[(index + 1).min(255)]);
        low + (high - low) * (value - index as f32)
    }
}

/// Values of an SDR picture, 0 to 255, by those of an HDR picture.
type Table = [f32; 256];

static PQ: LazyLock<Table> = LazyLock::new(|| table(pq_luminance));
static HLG: LazyLock<Table> = LazyLock::new(|| table(hlg_luminance));

/// Peak luminance of the HDR picture, in cd/m²: that of most masters, and of the reference display
/// of HLG.
const HDR_PEAK: f64 = 1000.0;

/// Luminance of HDR reference white, in cd/m², which becomes the white of the SDR picture.
const REFERENCE_WHITE: f64 = 203.0;

/// Exponent of the EOTF of ITU-R BT.1886.
const SDR_GAMMA: f64 = 2.4;

fn table(luminance: fn(f64) -> f64) -> Table {
    std::array::from_fn(|value| {
        let hdr = luminance(value as f64 / 255.0);
        let sdr = compressed(hdr) / REFERENCE_WHITE;
        (sdr.clamp(0.0, 1.0).powf(1.0 / SDR_GAMMA) * 255.0) as f32
    })
}

/// Constants of PQ.
const M1: f64 = 2610.0 / 16384.0;
const M2: f64 = 2523.0 / 4096.0 * 128.0;
const C1: f64 = 3424.0 / 4096.0;
const C2: f64 = 2413.0 / 4096.0 * 32.0;
const C3: f64 = 2392.0 / 4096.0 * 32.0;

/// Luminance of the PQ value 1, in cd/m².
const PQ_PEAK: f64 = 10_000.0;

/// Returns the luminance of a PQ value, 0 to 1, in cd/m².
fn pq_luminance(value: f64) -> f64 {
    let root = value.powf(1.0 / M2);
    PQ_PEAK * ((root - C1).max(0.0) / (C2 - C3 * root)).powf(1.0 / M1)
}

/// Returns the PQ value, 0 to 1, of a luminance in cd/m².
fn pq_value(luminance: f64) -> f64 {
    let power = (luminance / PQ_PEAK).powf(M1);
    ((C1 + C2 * power) / (1.0 + C3 * power)).powf(M2)
}

/// Returns the luminance of a gray HLG value, 0 to 1, in cd/m².
fn hlg_luminance(value: f64) -> f64 {
    const A: f64 = 0.178_832_77;
    const B: f64 = 1.0 - 4.0 * A;
    /// `0.5 - A * ln(4 * A)`.
    const C: f64 = 0.559_910_73;
    /// Exponent of the OOTF for a display of 1000 cd/m².
    const SYSTEM_GAMMA: f64 = 1.2;
    let scene = match value <= 0.5 {
        true => value * value / 3.0,
        false => (((value - C) / A).exp() + B) / 12.0,
    };
    HDR_PEAK * scene.powf(SYSTEM_GAMMA)
}

/// Returns the luminance in the SDR picture of one in the HDR picture, both in cd/m².
fn compressed(luminance: f64) -> f64 {
    let peak = pq_value(HDR_PEAK);
    let value = (pq_value(luminance) / peak).min(1.0);
    let max = pq_value(REFERENCE_WHITE) / peak;
    let knee = 1.5 * max - 0.5;
    if value <= knee {
        return luminance;
    }
    // A Hermite spline from the knee to the maximum.
    let t = (value - knee) / (1.0 - knee);
    let (t2, t3) = (t * t, t * t * t);
    let value = (2.0 * t3 - 3.0 * t2 + 1.0) * knee
        + (t3 - 2.0 * t2 + t) * (1.0 - knee)
        + (3.0 * t2 - 2.0 * t3) * max;
    pq_luminance(value * peak)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_the_luminance_that_the_standards_state() {
        // ITU-R BT.2408, table 1: reference white, and 18% gray.
        for (luminance, pq, hlg) in [(203.0, 0.58, 0.75), (26.0, 0.38, 0.38)] {
            assert!((pq_value(luminance) - pq).abs() < 0.005);
            assert!((pq_luminance(pq_value(luminance)) - luminance).abs() < 1e-6);
            assert!((hlg_luminance(hlg) / luminance - 1.0).abs() < 0.03);
        }
        assert!((hlg_luminance(1.0) - 1000.0).abs() < 0.1);
    }

    #[test]
    fn most_of_the_picture_keeps_its_luminance_and_highlights_differ() {
        let sdr = |luminance: f64| Transfer::Pq.to_sdr((pq_value(luminance) * 255.0) as f32);
        let of_sdr =
            |luminance: f64| 255.0 * (luminance / REFERENCE_WHITE).powf(1.0 / SDR_GAMMA) as f32;
        for luminance in [1.0, 10.0, 26.0, 80.0] {
            assert!(
                (sdr(luminance) - of_sdr(luminance)).abs() < 1.0,
                "{luminance}"
            );
        }
        assert!((215.0..240.0).contains(&sdr(203.0)));
        assert!(sdr(203.0) + 10.0 < sdr(600.0));
        assert!((sdr(1000.0) - 255.0).abs() < 1.0);
        assert!((Transfer::Hlg.to_sdr(255.0) - 255.0).abs() < 1.0);
    }

    #[test]
    fn tables_increase_and_values_between_entries_too() {
        for transfer in [Transfer::Sdr, Transfer::Pq, Transfer::Hlg] {
            let values: Vec<f32> = (0..1020).map(|i| transfer.to_sdr(i as f32 / 4.0)).collect();
            assert_eq!(values[0], 0.0);
            let increases = values.windows(2).all(|pair| pair[0] <= pair[1]);
            assert!(increases, "{transfer:?}");
        }
    }
}
