use half::f16;
use proptest::prelude::*;

use super::*;

fn shrink<const N: usize>(
    reduction: Reduction,
    data_type: DataType,
    pixels: &[[u8; N]],
    shape: [usize; 3],
    step: [usize; 3],
) -> Vec<[u8; N]> {
    let count: usize = shape.iter().zip(step).map(|(side, step)| side.div_ceil(step)).product();
    let mut out = vec![0; count * N];
    reduce(reduction, data_type, Block { bytes: pixels.as_flattened(), shape }, step, &mut out);
    out.as_chunks::<N>().0.to_vec()
}

fn mean_u16(pixels: &[u16], shape: [usize; 3], step: [usize; 3]) -> Vec<u16> {
    let pixels: Vec<[u8; 2]> = pixels.iter().map(|pixel| pixel.to_ne_bytes()).collect();
    shrink(Reduction::Mean, DataType::UInt(16), &pixels, shape, step).into_iter().map(u16::from_ne_bytes).collect()
}

fn mode_u8(pixels: &[u8], shape: [usize; 3], step: [usize; 3]) -> Vec<u8> {
    let pixels: Vec<[u8; 1]> = pixels.iter().map(|pixel| [*pixel]).collect();
    shrink(Reduction::Mode, DataType::UInt(8), &pixels, shape, step).into_iter().map(|[pixel]| pixel).collect()
}

#[test]
fn halves_are_rounded_to_even_and_the_largest_numbers_do_not_overflow() {
    assert_eq!(mean_u16(&[0, 1, 0, 1], [1, 2, 2], [1, 2, 2]), [0]);
    assert_eq!(mean_u16(&[1, 2, 1, 2], [1, 2, 2], [1, 2, 2]), [2]);
    assert_eq!(mean_u16(&[0, 0, 0, 3], [1, 2, 2], [1, 2, 2]), [1]);
    assert_eq!(mean_u16(&[u16::MAX; 8], [2, 2, 2], [2, 2, 2]), [u16::MAX]);
    let largest = [u64::MAX.to_ne_bytes(); 8];
    assert_eq!(shrink(Reduction::Mean, DataType::UInt(64), &largest, [2, 2, 2], [2, 2, 2]), [u64::MAX.to_ne_bytes()]);
    let signed = [-1i8, -2, -1, -2].map(i8::to_ne_bytes);
    assert_eq!(shrink(Reduction::Mean, DataType::Int(8), &signed, [1, 2, 2], [1, 2, 2]), [(-2i8).to_ne_bytes()]);
}

#[test]
fn what_is_left_over_at_an_end_is_averaged_alone() {
    assert_eq!(mean_u16(&[1, 3, 9, 1, 3, 9, 2, 4, 8], [1, 3, 3], [1, 2, 2]), [2, 9, 3, 8]);
}

#[test]
fn pixels_that_are_not_a_number_do_not_count() {
    let pixels = [1.0f32, f32::NAN, 2.0, f32::NAN].map(f32::to_ne_bytes);
    assert_eq!(shrink(Reduction::Mean, DataType::Float(32), &pixels, [1, 2, 2], [1, 2, 2]), [1.5f32.to_ne_bytes()]);
    let nothing = [f64::NAN.to_ne_bytes(); 4];
    let [mean] = shrink(Reduction::Mean, DataType::Float(64), &nothing, [1, 2, 2], [1, 2, 2])[..] else { panic!() };
    assert!(f64::from_ne_bytes(mean).is_nan());
    let halves = [1.0, 2.0, 3.0, 4.0].map(|half| f16::from_f64(half).to_ne_bytes());
    assert_eq!(
        shrink(Reduction::Mean, DataType::Float(16), &halves, [1, 2, 2], [1, 2, 2]),
        [f16::from_f64(2.5).to_ne_bytes()]
    );
    assert_eq!(range(DataType::Float(32), pixels.as_flattened()), Some((1.0, 2.0)));
    assert_eq!(range(DataType::Float(64), nothing.as_flattened()), None);
}

#[test]
fn complex_numbers_are_averaged_part_by_part() {
    let pixels: Vec<u8> = [1.0f32, 10.0, 3.0, 30.0].into_iter().flat_map(f32::to_ne_bytes).collect();
    let pixels = pixels.as_chunks::<8>().0;
    let [mean] = shrink(Reduction::Mean, DataType::Complex(64), pixels, [1, 1, 2], [1, 2, 2])[..] else { panic!() };
    assert_eq!(mean.as_chunks::<4>().0, [2.0f32.to_ne_bytes(), 20.0f32.to_ne_bytes()]);
}

#[test]
fn the_commonest_label_wins_and_of_equals_the_smallest_that_is_not_background() {
    for (pixels, mode) in
        [([7, 7, 7, 0], 7), ([0, 0, 9, 5], 0), ([0, 0, 9, 9], 9), ([4, 3, 2, 1], 1), ([0, 3, 2, 9], 2)]
    {
        assert_eq!(mode_u8(&pixels, [1, 2, 2], [1, 2, 2]), [mode], "{pixels:?}");
    }
    assert_eq!(mode_u8(&[1, 1, 2], [1, 1, 3], [1, 2, 2]), [1, 2]);
}

proptest! {
    #[test]
    fn means_are_those_of_arithmetic(
        pixels in proptest::collection::vec(any::<i16>(), 60..=60),
        shape in prop::sample::select(vec![[3usize, 4, 5], [1, 12, 5], [5, 1, 12], [2, 5, 6], [60, 1, 1]]),
        step in [1usize..=2, 1usize..=2, 1usize..=2],
    ) {
        let bytes: Vec<[u8; 2]> = pixels.iter().map(|pixel| pixel.to_ne_bytes()).collect();
        let found = shrink(Reduction::Mean, DataType::Int(16), &bytes, shape, step);
        let mut expected = Vec::new();
        for z in (0..shape[0]).step_by(step[0]) {
            for y in (0..shape[1]).step_by(step[1]) {
                for x in (0..shape[2]).step_by(step[2]) {
                    let mut values: Vec<i16> = Vec::new();
                    for z in z..(z + step[0]).min(shape[0]) {
                        for y in y..(y + step[1]).min(shape[1]) {
                            let row = (z * shape[1] + y) * shape[2];
                            values.extend(&pixels[row + x..row + (x + step[2]).min(shape[2])]);
                        }
                    }
                    let sum: f64 = values.iter().map(|value| f64::from(*value)).sum();
                    expected.push(((sum / values.len() as f64).round_ties_even() as i16).to_ne_bytes());
                }
            }
        }
        prop_assert_eq!(found, expected);
    }
}
