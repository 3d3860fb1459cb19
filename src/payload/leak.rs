//! Values from the command line in the place of built-in rows.

/// Makes a value live as long as the built-in rows, which are `&'static`, so that schemes and retry profiles stay plain
/// references where deliveries are signed and checked. The memory is never freed: only for what is read once per process
/// from the command line, never for anything that comes with a delivery.
pub(crate) fn leak<T: ?Sized>(value: impl Into<Box<T>>) -> &'static T {
    Box::leak(value.into())
}
