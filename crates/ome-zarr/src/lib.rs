//! ome-zarr
