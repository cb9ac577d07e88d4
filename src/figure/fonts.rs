//! DejaVu Sans, registered with the two libraries that need it.
//!
//! plotters measures text, usvg turns it into outlines. Neither looks at the fonts of the machine, so a figure is the
//! same everywhere. Their licence is `LICENCE-DejaVu.txt` beside this file.

use std::sync::{Arc, LazyLock};

use plotters::style::{FontDesc, FontFamily, FontStyle, register_font};
use resvg::usvg::fontdb::{Database, Source};

/// The family name under which the fonts are registered: the one they carry themselves, since usvg looks that one up.
pub(super) const FAMILY: &str = "DejaVu Sans";

/// plotters writes an em of `size / 1.24` into the vector drawing.
pub(super) const DRAWN: f64 = 1.24;

/// plotters measures with the line height (ascender 1901, descender 483 of 2048 units) as size.
const MEASURED: f64 = (1901.0 + 483.0) / 2048.0;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weight {
    Regular,
    Bold,
}

impl Weight {
    pub(super) fn style(self) -> FontStyle {
        match self {
            Weight::Regular => FontStyle::Normal,
            Weight::Bold => FontStyle::Bold,
        }
    }
}

static REGISTERED: LazyLock<Arc<Database>> = LazyLock::new(|| {
    let mut database = Database::new();
    for (weight, bytes) in [
        (Weight::Regular, dejavu::sans::regular()),
        (Weight::Bold, dejavu::sans::bold()),
    ] {
        let known = register_font(FAMILY, weight.style(), bytes).is_ok();
        assert!(known, "the embedded DejaVu Sans is a valid font");
        database.load_font_source(Source::Binary(Arc::new(bytes)));
    }
    Arc::new(database)
});

/// The fonts for usvg.
pub(super) fn database() -> Arc<Database> {
    Arc::clone(&REGISTERED)
}

/// Advance width of `text` in em.
pub(super) fn advance(text: &str, weight: Weight) -> f64 {
    LazyLock::force(&REGISTERED);
    // plotters rounds widths down to whole pixels: measured large, the error is below 1/1000 em.
    let em = 1000.0;
    FontDesc::new(FontFamily::Name(FAMILY), em * MEASURED, weight.style())
        .layout_box(text)
        .map_or(0.0, |(_, (width, _))| f64::from(width) / em)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_are_those_of_the_font_file() {
        // hmtx table of DejaVu Sans: zero 1303, em dash 2048, both of 2048 units per em.
        assert!((advance("0", Weight::Regular) - 1303.0 / 2048.0).abs() < 2e-3);
        assert!((advance("—", Weight::Regular) - 1.0).abs() < 2e-3);
        assert!(advance("ab", Weight::Bold) > advance("ab", Weight::Regular));
    }

    #[test]
    fn the_letters_of_the_field_have_glyphs() {
        // A letter that the font lacks gets the box of glyph 0; the private-use letter is one that it lacks.
        let missing = advance("\u{f700}", Weight::Regular);
        for letter in "ερτ∇−×²⁻ψφ∂∞→‖∫≤½".chars() {
            assert_ne!(
                advance(&letter.to_string(), Weight::Regular),
                missing,
                "{letter}"
            );
        }
    }
}
