use image::{
    ExtendedColorType, ImageEncoder,
    codecs::{png::PngEncoder, webp::WebPEncoder},
};

use crate::error::OmeZarrError;

/// A drawn picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Red, green and blue of each pixel, row by row.
    pub rgb: Vec<u8>,
}

/// The file format of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum PictureFormat {
    /// PNG, which everything shows.
    #[default]
    Png,
    /// WebP without loss.
    WebP,
}

impl PictureFormat {
    /// Its short name, as requests and file names have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Png => "png",
            Self::WebP => "webp",
        }
    }

    /// Its media type.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::WebP => "image/webp",
        }
    }
}

impl Picture {
    /// The picture as a file, without loss: the same picture gives the same bytes.
    ///
    /// # Errors
    /// The encoder failed.
    pub fn encode(&self, format: PictureFormat) -> Result<Vec<u8>, OmeZarrError> {
        let mut bytes = Vec::new();
        let written = match format {
            PictureFormat::Png => {
                PngEncoder::new(&mut bytes).write_image(&self.rgb, self.width, self.height, ExtendedColorType::Rgb8)
            }
            PictureFormat::WebP => WebPEncoder::new_lossless(&mut bytes).write_image(
                &self.rgb,
                self.width,
                self.height,
                ExtendedColorType::Rgb8,
            ),
        };
        written.map_err(|error| OmeZarrError::Encode(Box::new(error)))?;
        Ok(bytes)
    }
}
