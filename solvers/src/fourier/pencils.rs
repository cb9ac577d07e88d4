//! Filtered derivatives of a real field in two and three dimensions, in three sweeps over memory.
//!
//! A *sheet* is sixteen rows along the last axis in two dimensions, a whole plane across the first axis in three. Rows are
//! transformed in *tiles* of sixteen, two in each lane: one as the real part and one as the imaginary part.
//!
//! 1. [`Pencils::forward`]: every sheet along all axes but the first.
//! 2. [`Pencils::columns`]: along the first axis to the spectrum, which may be multiplied by a symbol, and back, once for each order
//!    of ∂₁ that is wanted.
//! 3. [`Pencils::inverse`]: every sheet back, once for each derivative; its values are handed over while they are in the cache.
//!
//! So derivatives share the transforms along the axes in which they do not differ: ∇ and ∇² of a field on a plane grid take four
//! sweeps along columns and six along rows, where transforms one by one take six and six, and store nothing but what is asked for.
//! Every piece of memory is written by one task in a fixed order: the bits do not depend on the number of threads.

use super::angular;
use super::packet::{LANES, LineTransform, Multiplier, Packet};
use crate::parallel::{PerThread, for_each_piece};
use crate::torus::Torus;
use multiversion::multiversion;

/// Rows transformed together.
const TILE: usize = 2 * LANES;

/// How often to differentiate along each axis, at most twice in all.
pub type Order = [usize; 3];

/// Where a tile is.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    pub sheet: usize,
    pub tile: usize,
}

/// Plans and memory for one grid.
pub struct Pencils {
    /// Nodes along the first axis, the second of three (or one), and the last.
    shape: [usize; 3],
    sheets: usize,
    /// Rows of a sheet, and tiles that hold them.
    rows: usize,
    tiles: usize,
    /// Packets of wavenumbers along the last axis, the last of them partly empty.
    blocks: usize,
    lines: [LineTransform; 3],
    waves: [Waves; 3],
    /// `[sheet][block][row or mode]`, wavenumbers of the last axis in the lanes.
    spectrum: Vec<Packet>,
    /// `[block][mode of the second axis][order][node of the first axis]`.
    columns: Vec<Packet>,
    scratch: PerThread<Scratch>,
}

/// Symbols of 1, ∂ (over i) and ∂² along one axis in the order in which [`LineTransform`] leaves the modes, over n.
struct Waves([Vec<f64>; 3]);

struct Scratch {
    line: Vec<Packet>,
    /// A line before it is differentiated.
    modes: Vec<Packet>,
    /// A sheet before and after the second of three axes is transformed back.
    sheet: Vec<Packet>,
    image: Vec<Packet>,
}

impl Pencils {
    /// None in one dimension, where there are no sheets to speak of.
    pub fn new(torus: &Torus) -> Option<Self> {
        let shape = match *torus.points() {
            [first, last] => [first, 1, last],
            [first, middle, last] => [first, middle, last],
            _ => return None,
        };
        let (sheets, rows) = match shape {
            [first, 1, _] => (first.div_ceil(TILE), TILE),
            [first, middle, _] => (first, middle),
        };
        let tiles = rows.div_ceil(TILE);
        let blocks = (shape[2] / 2 + 1).div_ceil(LANES);
        let longest = shape.into_iter().max().expect("three lengths");
        let packets = |len: usize| vec![Packet::ZERO; len];
        let lines = shape.map(LineTransform::new);
        Some(Self {
            waves: [0, 1, 2].map(|axis| Waves::new(&lines[axis])),
            lines,
            spectrum: packets(sheets * blocks * tiles * TILE),
            columns: packets(3 * blocks * shape[1] * shape[0]),
            scratch: PerThread::new(|| Scratch {
                line: packets(longest),
                modes: packets(longest),
                sheet: packets(blocks * tiles * TILE),
                image: packets(blocks * tiles * TILE),
            }),
            shape,
            sheets,
            rows,
            tiles,
            blocks,
        })
    }

    /// Rows of a sheet with those that fill up the last tile.
    fn padded_rows(&self) -> usize {
        self.tiles * TILE
    }

    /// The order of `∂_i ∂_j …` for the given axes of the grid.
    pub fn order(&self, axes: &[usize]) -> Order {
        let mut order = [0; 3];
        for &axis in axes {
            // The second of two axes is the last of three.
            order[if axis == 1 && self.shape[1] == 1 {
                2
            } else {
                axis
            }] += 1;
        }
        order
    }

    /// Numbers in a field in the order of the tiles, `[sheet][tile][node of the row][row]`, where rows that fill up the last
    /// tile are zero.
    pub fn tiled_len(&self) -> usize {
        self.sheets * self.tiled_sheet()
    }

    /// Numbers of a sheet in the order of the tiles.
    pub fn tiled_sheet(&self) -> usize {
        self.tiles * self.tile_len()
    }

    /// Numbers of a tile.
    pub fn tile_len(&self) -> usize {
        TILE * self.shape[2]
    }

    /// Numbers of a sheet of a field at the nodes, the last one perhaps shorter.
    pub fn sheet_len(&self) -> usize {
        self.rows * self.shape[2]
    }

    fn nodes(&self) -> usize {
        self.shape.iter().product()
    }

    /// Rows of the field that are in a tile.
    fn present(&self, at: Place) -> usize {
        let rows = if self.shape[1] == 1 {
            (self.shape[0] - at.sheet * TILE).min(TILE)
        } else {
            self.rows
        };
        (rows - at.tile * TILE).min(TILE)
    }

    /// The part of a field at the nodes that is in a tile.
    pub fn rows_of<'a>(&self, field: &'a [f64], at: Place) -> &'a [f64] {
        let start = at.sheet * self.sheet_len() + at.tile * self.tile_len();
        &field[start..start + self.present(at) * self.shape[2]]
    }

    /// The part of a field in the order of the tiles that is in a tile.
    pub fn tile_of<'a>(&self, field: &'a [f64], at: Place) -> &'a [f64] {
        let start = at.sheet * self.tiled_sheet() + at.tile * self.tile_len();
        &field[start..start + self.tile_len()]
    }

    /// Puts a field at the nodes in the order of the tiles.
    pub fn tiled(&self, field: &[f64], out: &mut [f64]) {
        self.for_each_sheet([out], self.tiled_sheet(), |sheet, [out]| {
            for (tile, out) in out.chunks_exact_mut(self.tile_len()).enumerate() {
                let rows = self.rows_of(field, Place { sheet, tile });
                for (r, row) in rows.chunks_exact(self.shape[2]).enumerate() {
                    for (packet, value) in out.chunks_exact_mut(TILE).zip(row) {
                        packet[r] = *value;
                    }
                }
            }
        });
    }

    fn for_each_sheet<T: Send, const K: usize>(
        &self,
        arrays: [&mut [T]; K],
        size: usize,
        body: impl Fn(usize, [&mut [T]; K]) + Sync,
    ) {
        for_each_piece(arrays, size, self.nodes(), &body);
    }

    /// A symbol for [`Self::columns`]: `value` of the index along each axis of [`super::Fourier::wavenumbers`], in two dimensions the first two.
    pub fn symbol(&self, value: impl Fn(&[usize]) -> f64 + Sync) -> Vec<f64> {
        let [first, middle, last] = self.shape;
        let mut symbol = vec![0.0; self.blocks * middle * first * LANES];
        let (along_first, along_middle) = (self.lines[0].modes(), self.lines[1].modes());
        let size = first * LANES;
        for_each_piece(
            [&mut symbol[..]],
            size,
            self.nodes(),
            &|column, [values]| {
                let block = column / middle * LANES;
                for (&x, values) in along_first.iter().zip(values.chunks_exact_mut(LANES)) {
                    for (k, out) in (block..).zip(values).filter(|(k, _)| 2 * k <= last) {
                        let index = match middle {
                            1 => [x, k, 0],
                            _ => [x, along_middle[column % middle], k],
                        };
                        *out = value(&index);
                    }
                }
            },
        );
        symbol
    }

    /// Transforms a field at the nodes along all axes but the first.
    pub fn forward(&mut self, field: &[f64]) {
        self.forward_from(|this, at, packets| gather_rows(this.rows_of(field, at), packets));
    }

    /// The same for a field of which `rows` writes the nodes of a tile: one packet for each node of the row,
    /// the first eight rows in the real parts, the others in the imaginary parts.
    pub fn forward_from(&mut self, rows: impl Fn(&Self, Place, &mut [Packet]) + Sync) {
        let mut spectrum = std::mem::take(&mut self.spectrum);
        let (this, [_, middle, last]) = (&*self, self.shape);
        let stride = this.padded_rows();
        let size = this.blocks * stride;
        this.for_each_sheet([&mut spectrum[..]], size, |sheet, [out]| {
            this.scratch.with(|scratch| {
                let line = &mut scratch.line[..last];
                for tile in 0..this.tiles {
                    rows(this, Place { sheet, tile }, line);
                    this.lines[2].forward(line);
                    let positions = this.lines[2].positions();
                    split(line, positions, stride, &mut out[tile * TILE..]);
                }
            });
            if middle > 1 {
                for block in out.chunks_exact_mut(stride) {
                    this.lines[1].forward(&mut block[..middle]);
                }
            }
        });
        self.spectrum = spectrum;
    }

    /// Multiplies the spectrum by `symbol` and transforms it back along the first axis, differentiated along it to each of `orders`.
    pub fn columns(&mut self, symbol: Option<&[f64]>, orders: &[usize]) {
        let mut columns = std::mem::take(&mut self.columns);
        let (this, [first, middle, _]) = (&*self, self.shape);
        let size = orders.len() * first;
        let used = &mut columns[..this.blocks * middle * size];
        for_each_piece([used], size, this.nodes(), &|column, [out]| {
            this.scratch.with(|scratch| {
                let modes = &mut scratch.modes[..first];
                this.gather_column(column, modes);
                // Without a symbol, order zero is there already.
                if symbol.is_none() && orders[0] == 0 {
                    out[..first].copy_from_slice(modes);
                    if orders.len() == 1 {
                        return;
                    }
                }
                this.lines[0].forward(modes);
                let waves = &this.waves[0];
                for (&order, out) in orders.iter().zip(out.chunks_exact_mut(first)) {
                    if symbol.is_some() || order > 0 {
                        let size = first * LANES;
                        let symbol = symbol.map(|symbol| &symbol[column * size..][..size]);
                        this.lines[0].backward(modes, waves.multiplier(order, symbol), out);
                    }
                }
            });
        });
        self.columns = columns;
    }

    fn gather_column(&self, column: usize, out: &mut [Packet]) {
        let (stride, middle) = (self.padded_rows(), self.shape[1]);
        let start = column / middle * stride + column % middle;
        let sheets = self.spectrum.chunks_exact(self.blocks * stride);
        if middle == 1 {
            for (sheet, out) in sheets.zip(out.chunks_mut(TILE)) {
                out.copy_from_slice(&sheet[start..start + out.len()]);
            }
        } else {
            for (sheet, out) in sheets.zip(out) {
                *out = sheet[start];
            }
        }
    }

    /// Transforms back to the nodes. `orders` are those of the last call of [`Self::columns`]; they must have what `fields` ask for.
    ///
    /// For every sheet, with its piece of `size` numbers of each of the `outputs`: `begin(sheet, pieces)`, then `take(place, field,
    /// values, pieces)` for each tile and field, in an order that does not depend on anything but the arguments: one packet for each
    /// node of the rows.
    pub fn inverse<const K: usize>(
        &self,
        orders: &[usize],
        fields: &[Order],
        outputs: [&mut [f64]; K],
        size: usize,
        begin: impl Fn(usize, &mut [&mut [f64]; K]) + Sync,
        take: impl Fn(Place, usize, &[Packet], &mut [&mut [f64]; K]) + Sync,
    ) {
        self.for_each_sheet(outputs, size, |sheet, mut pieces| {
            begin(sheet, &mut pieces);
            self.scratch.with(|scratch| {
                for (position, &order) in orders.iter().enumerate() {
                    let column = (position, orders.len());
                    self.gather_sheet(sheet, column, &mut scratch.sheet);
                    for middle in 0..=2 - order {
                        let mut wanted = fields
                            .iter()
                            .enumerate()
                            .filter(|(_, field)| field[..2] == [order, middle])
                            .map(|(index, field)| (index, field[2]))
                            .peekable();
                        if wanted.peek().is_some() {
                            self.back_along_middle(middle, scratch);
                            self.rows_back(wanted, scratch, &mut |tile, field, values| {
                                take(Place { sheet, tile }, field, values, &mut pieces)
                            });
                        }
                    }
                }
            });
        });
    }

    /// `[block][row or mode]` of one sheet, from the columns differentiated to the order at `position` of `orders`.
    fn gather_sheet(&self, sheet: usize, (position, orders): (usize, usize), out: &mut [Packet]) {
        let [first, middle, _] = self.shape;
        let columns = self.columns[position * first..].chunks(orders * first);
        let blocks = out.chunks_exact_mut(self.padded_rows());
        if middle == 1 {
            let start = sheet * TILE;
            let rows = TILE.min(first - start);
            for (column, out) in columns.zip(blocks) {
                out[..rows].copy_from_slice(&column[start..start + rows]);
                out[rows..].fill(Packet::ZERO);
            }
        } else {
            for (column, out) in columns.zip(blocks.flat_map(|block| &mut block[..middle])) {
                *out = column[sheet];
            }
        }
    }

    /// Differentiates the gathered sheet along the second of three axes and transforms it back.
    fn back_along_middle(&self, order: usize, scratch: &mut Scratch) {
        let (middle, stride) = (self.shape[1], self.padded_rows());
        if middle == 1 {
            return;
        }
        let Scratch { sheet, image, .. } = scratch;
        for (modes, image) in sheet
            .chunks_exact(stride)
            .zip(image.chunks_exact_mut(stride))
        {
            let image = &mut image[..middle];
            let multiplier = self.waves[1].multiplier(order, None);
            self.lines[1].backward(&modes[..middle], multiplier, image);
        }
    }

    /// Transforms rows back, for each wanted field with its order along the last axis.
    fn rows_back(
        &self,
        wanted: impl Iterator<Item = (usize, usize)> + Clone,
        scratch: &mut Scratch,
        take: &mut impl FnMut(usize, usize, &[Packet]),
    ) {
        let Scratch {
            line,
            modes,
            sheet,
            image,
        } = scratch;
        let rows = if self.shape[1] == 1 { sheet } else { image };
        let last = self.shape[2];
        let (line, modes) = (&mut line[..last], &mut modes[..last]);
        for tile in 0..self.tiles {
            let positions = self.lines[2].positions();
            join(&rows[tile * TILE..], self.padded_rows(), positions, modes);
            for (field, order) in wanted.clone() {
                let multiplier = self.waves[2].multiplier(order, None);
                self.lines[2].backward(modes, multiplier, line);
                take(tile, field, line);
            }
        }
    }

    /// Writes the values handed over by [`Self::inverse`] to the nodes in their usual order: `sheet` is a sheet's piece.
    pub fn write_rows(&self, values: &[Packet], at: Place, sheet: &mut [f64]) {
        let start = at.tile * self.tile_len();
        scatter_rows(
            values,
            &mut sheet[start..start + self.present(at) * self.shape[2]],
        );
    }
}

impl Waves {
    fn new(line: &LineTransform) -> Self {
        let (modes, n) = (line.modes(), line.positions().len());
        let signed = |k: usize| {
            if 2 * k <= n {
                k as f64
            } else {
                k as f64 - n as f64
            }
        };
        let symbols = [
            |_: f64, _: bool| 1.0,
            |k: f64, nyquist: bool| if nyquist { 0.0 } else { angular(k) },
            |k: f64, _: bool| -angular(k).powi(2),
        ];
        let along = |symbol: fn(f64, bool) -> f64| {
            let over_n = |&k: &usize| symbol(signed(k), 2 * k == n) / n as f64;
            modes.iter().map(over_n).collect()
        };
        Self(symbols.map(along))
    }

    fn multiplier<'a>(&'a self, order: usize, symbol: Option<&'a [f64]>) -> Multiplier<'a> {
        Multiplier {
            factors: &self.0[order],
            turned: order == 1,
            symbol,
        }
    }
}

/// The rows of every lane taken apart: half the sums and differences of the modes ±k, then wavenumbers in the lanes instead of rows.
#[multiversion(targets("x86_64+avx512f+avx512dq+avx512vl", "x86_64+avx2"))]
fn split(modes: &[Packet], positions: &[usize], stride: usize, out: &mut [Packet]) {
    let n = modes.len();
    let mode = |k: usize| &modes[positions[k % n]];
    for (block, out) in out.chunks_mut(stride).enumerate() {
        let (mut real, mut imaginary) = ([Packet::ZERO; LANES], [Packet::ZERO; LANES]);
        for j in 0..LANES {
            let k = block * LANES + j;
            if 2 * k > n {
                break;
            }
            let (plus, minus) = (mode(k), mode(n - k));
            let (real, imaginary) = (&mut real[j], &mut imaginary[j]);
            for l in 0..LANES {
                real.re[l] = 0.5 * (plus.re[l] + minus.re[l]);
                real.im[l] = 0.5 * (plus.im[l] - minus.im[l]);
                imaginary.re[l] = 0.5 * (plus.im[l] + minus.im[l]);
                imaginary.im[l] = 0.5 * (minus.re[l] - plus.re[l]);
            }
        }
        transpose(&real, &mut out[..LANES]);
        transpose(&imaginary, &mut out[LANES..TILE]);
    }
}

/// Undoes [`split`], but for the scale: two rows in every lane again.
#[multiversion(targets("x86_64+avx512f+avx512dq+avx512vl", "x86_64+avx2"))]
fn join(rows: &[Packet], stride: usize, positions: &[usize], modes: &mut [Packet]) {
    let n = modes.len();
    for (block, rows) in rows.chunks(stride).enumerate() {
        let (mut real, mut imaginary) = ([Packet::ZERO; LANES], [Packet::ZERO; LANES]);
        transpose(&rows[..LANES], &mut real);
        transpose(&rows[LANES..TILE], &mut imaginary);
        for j in 0..LANES {
            let k = block * LANES + j;
            if 2 * k > n {
                break;
            }
            let (real, imaginary) = (&real[j], &imaginary[j]);
            // Modes that are their own mirror image are real in a real row.
            let mirrored = k > 0 && 2 * k < n;
            let part = if mirrored { 1.0 } else { 0.0 };
            let plus = &mut modes[positions[k]];
            for l in 0..LANES {
                plus.re[l] = real.re[l] - part * imaginary.im[l];
                plus.im[l] = part * real.im[l] + imaginary.re[l];
            }
            if mirrored {
                let minus = &mut modes[positions[n - k]];
                for l in 0..LANES {
                    minus.re[l] = real.re[l] + imaginary.im[l];
                    minus.im[l] = imaginary.re[l] - real.im[l];
                }
            }
        }
    }
}

#[inline(always)]
fn transpose(from: &[Packet], to: &mut [Packet]) {
    for r in 0..LANES {
        for j in 0..LANES {
            to[r].re[j] = from[j].re[r];
        }
        for j in 0..LANES {
            to[r].im[j] = from[j].im[r];
        }
    }
}

/// Sixteen rows or fewer, one after the other, to packets; missing rows are zero.
#[multiversion(targets("x86_64+avx512f+avx512dq+avx512vl", "x86_64+avx2"))]
fn gather_rows(rows: &[f64], out: &mut [Packet]) {
    let n = out.len();
    if rows.len() < TILE * n {
        out.fill(Packet::ZERO);
        for (r, row) in rows.chunks_exact(n).enumerate() {
            for (packet, value) in out.iter_mut().zip(row) {
                let part = if r < LANES {
                    &mut packet.re
                } else {
                    &mut packet.im
                };
                part[r % LANES] = *value;
            }
        }
        return;
    }
    let (first, second) = rows.split_at(LANES * n);
    for (j, packet) in out.iter_mut().enumerate() {
        for l in 0..LANES {
            packet.re[l] = first[l * n + j];
        }
        for l in 0..LANES {
            packet.im[l] = second[l * n + j];
        }
    }
}

/// Undoes [`gather_rows`].
#[multiversion(targets("x86_64+avx512f+avx512dq+avx512vl", "x86_64+avx2"))]
fn scatter_rows(values: &[Packet], rows: &mut [f64]) {
    let n = values.len();
    for (r, row) in rows.chunks_exact_mut(n).enumerate() {
        let lane = r % LANES;
        for (value, packet) in row.iter_mut().zip(values) {
            *value = if r < LANES {
                packet.re[lane]
            } else {
                packet.im[lane]
            };
        }
    }
}
