"""Messages, bytes and their schema. Knows no Jupyter."""
