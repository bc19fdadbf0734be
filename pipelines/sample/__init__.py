"""A company of four systems that does not exist: what `isthmus demo` syncs."""
