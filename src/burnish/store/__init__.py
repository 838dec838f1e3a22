"""Where versions live: an immutable base, and every change as a small delta in SQLite."""
