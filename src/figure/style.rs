//! Sizes, colours and line widths: the look of every figure, in one place.
//!
//! Lengths are in pixels of 1/96 inch. A full-width figure is 1020 px and is meant for 17 cm of paper, so a pixel there
//! is 0.47 pt and the smallest upright text below is 7 pt.

/// A colour, red, green and blue.
pub(super) type Rgb = [u8; 3];

/// Width of a figure with several panels side by side, and of one with a single column.
pub(super) const FULL_WIDTH: f64 = 1020.0;
pub(super) const SINGLE_WIDTH: f64 = 680.0;

/// Width of a figure with three panels or more beside each other of which some are curves: ticks, labels and keys would
/// leave little of [`FULL_WIDTH`]. On 17 cm of paper its smallest text is 6 pt.
pub(super) const WIDE_WIDTH: f64 = 1200.0;

/// Free border round the figure, and space between panels.
pub(super) const BORDER: f64 = 10.0;
pub(super) const GUTTER: f64 = 26.0;

/// Text sizes (em).
pub(super) const HEADING: f64 = 18.0;
pub(super) const TITLE: f64 = 16.0;
pub(super) const LABEL: f64 = 16.0;
pub(super) const TICK: f64 = 15.0;

/// Distance from one line of text to the next, in em.
pub(super) const LEADING: f64 = 1.35;

/// Half the height of a capital, in em: added to a centre line it gives the baseline.
pub(super) const HALF_CAPITAL: f64 = 0.365;

pub(super) const INK: Rgb = [0x1a, 0x1a, 0x1a];
pub(super) const GUIDE: Rgb = [0x75, 0x75, 0x75];
pub(super) const GRID: Rgb = [0xec, 0xec, 0xec];
pub(super) const WHITE: Rgb = [0xff, 0xff, 0xff];
/// Where a field is not finite.
pub(super) const MISSING: Rgb = [0xc8, 0xc8, 0xc8];

pub(super) const FRAME_WIDTH: f64 = 1.0;
pub(super) const LINE_WIDTH: f64 = 2.25;
pub(super) const MARKER_RADIUS: f64 = 4.75;
pub(super) const MAJOR_TICK: f64 = 6.0;
pub(super) const MINOR_TICK: f64 = 3.5;

/// Okabe and Ito's colour-blind safe palette (*Color Universal Design*, 2008), without its yellow, which is too light
/// on white; grey takes its place. Ordered for contrast between neighbours.
const PALETTE: [Rgb; 8] = [
    [0x00, 0x72, 0xb2],
    [0xd5, 0x5e, 0x00],
    [0x00, 0x9e, 0x73],
    [0xcc, 0x79, 0xa7],
    [0x22, 0x22, 0x22],
    [0xe6, 0x9f, 0x00],
    [0x56, 0xb4, 0xe9],
    [0x7a, 0x7a, 0x7a],
];

/// The colour of a series.
pub(super) fn palette(index: usize) -> Rgb {
    PALETTE[index % PALETTE.len()]
}

/// The same hue, dark enough to be read as text on white.
pub(super) fn as_text(colour: Rgb) -> Rgb {
    colour.map(|part| (f64::from(part) * 0.78) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Relative luminance of the Web Content Accessibility Guidelines 2.1.
    fn luminance(colour: Rgb) -> f64 {
        let linear = colour.map(|part| (f64::from(part) / 255.0).powf(2.2));
        0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    }

    #[test]
    fn every_label_colour_has_contrast_three_on_white() {
        for index in 0..PALETTE.len() {
            let contrast = 1.05 / (luminance(as_text(palette(index))) + 0.05);
            assert!(contrast > 3.0, "colour {index}: {contrast}");
        }
    }

    #[test]
    fn the_palette_is_counted_round() {
        assert_eq!(palette(1), palette(1 + PALETTE.len()));
        assert_ne!(palette(0), palette(1));
    }
}
