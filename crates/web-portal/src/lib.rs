//! web-portal
