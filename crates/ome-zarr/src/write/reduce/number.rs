use half::f16;

use crate::array::DataType;

/// A pixel that can be averaged. What is done for every pixel is inlined: a call costs more than the sum.
/// `N` is its size in bytes.
pub(super) trait Number<const N: usize>: Copy {
    /// Holds the sum of eight pixels exactly, or as well as a mean needs.
    type Sum: Copy + Default;

    fn read(bytes: [u8; N]) -> Self;
    fn write(self) -> [u8; N];
    fn add(sum: &mut Self::Sum, pixel: Self);
    /// The mean of `2^shift` pixels that have been added up.
    fn mean(sum: Self::Sum, shift: u32) -> Self;
    fn value(self) -> f64;
    /// The lower and the higher of two numbers; what is not a number loses.
    fn widen(range: (Self, Self), pixel: Self) -> (Self, Self);
}

macro_rules! integer {
    ($type:ty, $size:literal, $sum:ty) => {
        impl Number<$size> for $type {
            type Sum = $sum;

            #[inline(always)]
            fn read(bytes: [u8; $size]) -> Self {
                Self::from_ne_bytes(bytes)
            }

            #[inline(always)]
            fn write(self) -> [u8; $size] {
                self.to_ne_bytes()
            }

            #[inline(always)]
            fn add(sum: &mut $sum, pixel: Self) {
                *sum += <$sum>::from(pixel);
            }

            #[inline(always)]
            fn mean(sum: $sum, shift: u32) -> Self {
                // Half to even: what is added before the shift carries a half up only if the quotient is odd.
                let half = (1 << shift) >> 1;
                let odd = sum >> shift & 1;
                ((sum + half - <$sum>::from(half > 0) * (1 - odd)) >> shift) as $type
            }

            #[inline(always)]
            fn value(self) -> f64 {
                self as f64
            }

            #[inline(always)]
            fn widen((low, high): (Self, Self), pixel: Self) -> (Self, Self) {
                (low.min(pixel), high.max(pixel))
            }
        }
    };
}

integer!(u8, 1, u32);
integer!(u16, 2, u32);
integer!(u32, 4, u64);
integer!(u64, 8, u128);
integer!(i8, 1, i32);
integer!(i16, 2, i32);
integer!(i32, 4, i64);
integer!(i64, 8, i128);

macro_rules! float {
    ($type:ty, $size:literal) => {
        impl Number<$size> for $type {
            /// The sum, and how many pixels are in it.
            type Sum = (f64, u32);

            #[inline(always)]
            fn read(bytes: [u8; $size]) -> Self {
                Self::from_ne_bytes(bytes)
            }

            #[inline(always)]
            fn write(self) -> [u8; $size] {
                self.to_ne_bytes()
            }

            #[inline(always)]
            fn add(sum: &mut (f64, u32), pixel: Self) {
                let is_number = !pixel.is_nan();
                sum.0 += if is_number { pixel.value() } else { 0.0 };
                sum.1 += u32::from(is_number);
            }

            #[inline(always)]
            fn mean((sum, count): (f64, u32), _shift: u32) -> Self {
                // Where no pixel was a number, 0 / 0 is not one either.
                narrow::<Self>(sum / f64::from(count))
            }

            #[inline(always)]
            fn value(self) -> f64 {
                self.into()
            }

            #[inline(always)]
            fn widen((low, high): (Self, Self), pixel: Self) -> (Self, Self) {
                if pixel.is_finite() {
                    (if low < pixel { low } else { pixel }, if high > pixel { high } else { pixel })
                } else {
                    (low, high)
                }
            }
        }
    };
}

/// A mean back in the type of its pixels.
trait Narrow {
    fn narrow(wide: f64) -> Self;
}

impl Narrow for f64 {
    #[inline(always)]
    fn narrow(wide: f64) -> Self {
        wide
    }
}

impl Narrow for f32 {
    #[inline(always)]
    fn narrow(wide: f64) -> Self {
        wide as Self
    }
}

impl Narrow for f16 {
    #[inline(always)]
    fn narrow(wide: f64) -> Self {
        Self::from_f64(wide)
    }
}

#[inline(always)]
fn narrow<T: Narrow>(wide: f64) -> T {
    T::narrow(wide)
}

float!(f16, 2);
float!(f32, 4);
float!(f64, 8);

/// The lowest and the highest finite number in some pixels.
pub(super) fn range(data_type: DataType, bytes: &[u8]) -> Option<(f64, f64)> {
    match data_type {
        DataType::UInt(8) | DataType::Bool => extremes::<u8, 1>(bytes, (u8::MAX, 0)),
        DataType::UInt(16) => extremes::<u16, 2>(bytes, (u16::MAX, 0)),
        DataType::UInt(32) => extremes::<u32, 4>(bytes, (u32::MAX, 0)),
        DataType::UInt(_) => extremes::<u64, 8>(bytes, (u64::MAX, 0)),
        DataType::Int(8) => extremes::<i8, 1>(bytes, (i8::MAX, i8::MIN)),
        DataType::Int(16) => extremes::<i16, 2>(bytes, (i16::MAX, i16::MIN)),
        DataType::Int(32) => extremes::<i32, 4>(bytes, (i32::MAX, i32::MIN)),
        DataType::Int(_) => extremes::<i64, 8>(bytes, (i64::MAX, i64::MIN)),
        DataType::Float(16) => extremes::<f16, 2>(bytes, (f16::NAN, f16::NAN)),
        DataType::Float(32) => extremes::<f32, 4>(bytes, (f32::NAN, f32::NAN)),
        DataType::Float(_) => extremes::<f64, 8>(bytes, (f64::NAN, f64::NAN)),
        DataType::Complex(_) => None,
    }
}

pub(super) fn numbers(data_type: DataType, bytes: &[u8], list: &mut Vec<f32>) {
    match data_type {
        DataType::UInt(8) | DataType::Bool => finite::<u8, 1>(bytes, list),
        DataType::UInt(16) => finite::<u16, 2>(bytes, list),
        DataType::UInt(32) => finite::<u32, 4>(bytes, list),
        DataType::UInt(_) => finite::<u64, 8>(bytes, list),
        DataType::Int(8) => finite::<i8, 1>(bytes, list),
        DataType::Int(16) => finite::<i16, 2>(bytes, list),
        DataType::Int(32) => finite::<i32, 4>(bytes, list),
        DataType::Int(_) => finite::<i64, 8>(bytes, list),
        DataType::Float(16) => finite::<f16, 2>(bytes, list),
        DataType::Float(32) => finite::<f32, 4>(bytes, list),
        DataType::Float(_) => finite::<f64, 8>(bytes, list),
        DataType::Complex(_) => {}
    }
}

fn finite<P: Number<N>, const N: usize>(bytes: &[u8], list: &mut Vec<f32>) {
    let numbers = bytes.as_chunks::<N>().0.iter().map(|pixel| P::read(*pixel).value());
    list.extend(numbers.filter(|number| number.is_finite()).map(|number| number as f32));
}

/// `none` is the range of no pixels.
fn extremes<P: Number<N>, const N: usize>(bytes: &[u8], none: (P, P)) -> Option<(f64, f64)> {
    let (pixels, _) = bytes.as_chunks::<N>();
    let (low, high) = pixels.iter().fold(none, |range, pixel| P::widen(range, P::read(*pixel)));
    let (low, high) = (low.value(), high.value());
    (low <= high).then_some((low, high))
}
