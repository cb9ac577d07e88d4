//! Colour maps of the heat maps.

use super::Colours;
use super::style::Rgb;

/// Coefficients of 1, t, …, t⁶ for red, green and blue: M. Zucker's fit of matplotlib's viridis (S. van der Walt and
/// N. Smith 2015), which is perceptually uniform and readable with any colour vision. Within 0.01 of the table.
const VIRIDIS: [[f64; 3]; 7] = [
    [
        0.277_727_327_223_418,
        0.005_407_344_544_967,
        0.334_099_805_335_306,
    ],
    [
        0.105_093_043_108_577,
        1.404_613_529_898_575,
        1.384_590_162_594_685,
    ],
    [
        -0.330_861_828_725_556,
        0.214_847_559_468_213,
        0.095_095_163_028_237,
    ],
    [
        -4.634_230_498_983_486,
        -5.799_100_973_351_585,
        -19.332_440_956_279_87,
    ],
    [
        6.228_269_936_347_081,
        14.179_933_366_805_09,
        56.690_552_600_681_05,
    ],
    [
        4.776_384_997_670_288,
        -13.745_145_377_746_01,
        -65.353_032_633_372_34,
    ],
    [
        -5.435_455_855_934_631,
        4.645_852_612_178_535,
        26.312_435_249_583_2,
    ],
];

/// ColorBrewer's eleven-class RdBu (C. Brewer, Apache 2.0), from blue to red; safe for colour-blind readers.
const BLUE_RED: [Rgb; 11] = [
    [0x05, 0x30, 0x61],
    [0x21, 0x66, 0xac],
    [0x43, 0x93, 0xc3],
    [0x92, 0xc5, 0xde],
    [0xd1, 0xe5, 0xf0],
    [0xf7, 0xf7, 0xf7],
    [0xfd, 0xdb, 0xc7],
    [0xf4, 0xa5, 0x82],
    [0xd6, 0x60, 0x4d],
    [0xb2, 0x18, 0x2b],
    [0x67, 0x00, 0x1f],
];

/// The four palest of ColorBrewer's nine blues: dark lines stay legible on all of them.
const PALE_BLUES: [Rgb; 4] = [
    [0xf7, 0xfb, 0xff],
    [0xde, 0xeb, 0xf7],
    [0xc6, 0xdb, 0xef],
    [0x9e, 0xca, 0xe1],
];

impl Colours {
    /// The colour of a share of the range, 0 at its low and 1 at its high end.
    pub(super) fn at(self, share: f64) -> Rgb {
        let share = share.clamp(0.0, 1.0);
        match self {
            Colours::Sequential => viridis(share),
            Colours::Diverging => between(&BLUE_RED, share),
            Colours::Pale => between(&PALE_BLUES, share),
        }
    }
}

fn viridis(t: f64) -> Rgb {
    let horner = |channel: usize| {
        VIRIDIS
            .iter()
            .rev()
            .fold(0.0, |sum, term| sum * t + term[channel])
    };
    [0, 1, 2].map(|channel| byte(255.0 * horner(channel)))
}

/// The colour at a share of the way through evenly spaced classes.
fn between(classes: &[Rgb], share: f64) -> Rgb {
    let place = share * (classes.len() - 1) as f64;
    let below = (place as usize).min(classes.len() - 2);
    let share = place - below as f64;
    [0, 1, 2].map(|channel| {
        let [low, high] = [below, below + 1].map(|class| f64::from(classes[class][channel]));
        byte(low + share * (high - low))
    })
}

fn byte(value: f64) -> u8 {
    value.round().clamp(0.0, 255.0) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn viridis_agrees_with_its_table() {
        // Entries 0, 64, 128, 191 and 255 of matplotlib's table.
        for (entry, expected) in [
            (0.0, [68, 1, 84]),
            (64.0, [58, 82, 139]),
            (128.0, [32, 144, 140]),
            (191.0, [93, 200, 98]),
            (255.0, [253, 231, 36]),
        ] {
            let colour = Colours::Sequential.at(entry / 255.0);
            for (got, want) in colour.iter().zip(expected) {
                assert!(
                    i32::from(*got).abs_diff(want) <= 6,
                    "{colour:?} at {entry}, not {expected:?}"
                );
            }
        }
    }

    fn lightness(colour: Rgb) -> f64 {
        let [red, green, blue] = colour.map(|part| (f64::from(part) / 255.0).powf(2.2));
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }

    #[test]
    fn lightness_is_monotone_along_the_sequential_maps() {
        let steps = |map: Colours| {
            let share = |step| f64::from(step) / 50.0;
            (0..=50).map(move |step| lightness(map.at(share(step))))
        };
        assert!(steps(Colours::Sequential).is_sorted_by(|a, b| a < b));
        assert!(steps(Colours::Pale).is_sorted_by(|a, b| a > b));
    }

    #[test]
    fn ink_has_contrast_seven_on_every_pale_colour() {
        let ink = lightness(crate::figure::style::INK);
        for step in 0..=50 {
            let pale = lightness(Colours::Pale.at(f64::from(step) / 50.0));
            assert!((pale + 0.05) / (ink + 0.05) > 7.0, "at {step}/50");
        }
    }

    #[test]
    fn the_diverging_map_is_blue_white_red() {
        assert_eq!(Colours::Diverging.at(0.5), [0xf7, 0xf7, 0xf7]);
        let (low, high) = (Colours::Diverging.at(0.1), Colours::Diverging.at(0.9));
        assert!(low[2] > low[0] && high[0] > high[2]);
        assert_eq!(Colours::Diverging.at(-1.0), Colours::Diverging.at(0.0));
    }
}
